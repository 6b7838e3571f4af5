/** Peers that break the rules, each beside one honest peer: the download completes, the rule-breaker goes. */

import { expect, test } from 'vitest';
import { concatBytes, encodeUtf8 } from '../../src/base/bytes.ts';
import { PeerId } from '../../src/base/ids.ts';
import { encodeHandshake, Reserved } from '../../src/handshake/index.ts';
import { encodeMetadataMessage, encodePieceHeader, Outbox } from '../../src/peer/index.ts';
import type { ByteStream } from '../../src/runtime/ports.ts';
import { PORT, SwarmWorld } from './swarm-world.ts';

const LINE = { latencyMs: 10, upload: 500_000, download: 2_000_000 } as const;

interface Hostile {
  /** Sent as soon as somebody calls. */
  readonly first: (infoHash: Uint8Array) => Uint8Array;
  /** Sent after each chunk that comes in. */
  readonly answer?: () => Uint8Array;
  /** It closes the connection itself when it has said this much. */
  readonly hangsUp?: boolean;
}

function hello(
  infoHash: Uint8Array,
  reserved: Reserved = Reserved.of('fast', 'extended'),
): Uint8Array {
  return encodeHandshake({ reserved, infoHash, peerId: new PeerId(new Uint8Array(20).fill(0x66)) });
}
function said(speak: (box: Outbox) => void): Uint8Array {
  const box = new Outbox();
  speak(box);
  return box.take();
}
const seedAndUnchoke = said((box) => {
  box.plain('haveAll');
  box.plain('unchoke');
});

const HOSTILES: Readonly<Record<string, Hostile>> = {
  'says nothing at all': { first: () => new Uint8Array(0) },
  'speaks HTTP': { first: () => encodeUtf8('HTTP/1.1 400 Bad Request\r\n\r\n') },
  'speaks of another torrent': { first: () => hello(new Uint8Array(20)) },
  'hangs up after the handshake': { first: hello, hangsUp: true },
  'has all and serves nothing': { first: (hash) => concatBytes(hello(hash), seedAndUnchoke) },
  'announces a bitfield of 4 GiB': {
    first: (hash) => concatBytes(hello(hash), Uint8Array.of(255, 255, 255, 255, 5)),
    answer: () => new Uint8Array(10_000),
  },
  'sends a bitfield with spare bits': {
    first: (hash) =>
      concatBytes(
        hello(hash),
        said((box) => box.bitfield(new Uint8Array(4).fill(255))),
      ),
  },
  'repeats its bitfield without end': {
    first: hello,
    answer: () =>
      said((box) => {
        for (let n = 0; n < 50; n++) box.bitfield(new Uint8Array(4));
      }),
  },
  'has pieces that do not exist': {
    first: (hash) =>
      concatBytes(
        hello(hash),
        said((box) => box.piece('have', 0xffff_ffff)),
      ),
  },
  'sends blocks that nobody asked for': {
    first: (hash) => concatBytes(hello(hash), seedAndUnchoke),
    answer: () => concatBytes(encodePieceHeader(30, 0, 100), new Uint8Array(100)),
  },
  'sends blocks of the wrong length': {
    first: (hash) => concatBytes(hello(hash), seedAndUnchoke),
    answer: () => concatBytes(encodePieceHeader(0, 0, 5), new Uint8Array(5)),
  },
  'sends an empty block': {
    first: (hash) =>
      concatBytes(
        hello(hash),
        seedAndUnchoke,
        Uint8Array.of(0, 0, 0, 9, 7, 0, 0, 0, 0, 0, 0, 0, 0),
      ),
  },
  'begins a block and never ends it': {
    first: (hash) =>
      concatBytes(hello(hash), seedAndUnchoke, encodePieceHeader(0, 0, 16_384), new Uint8Array(99)),
  },
  'sends an extended handshake that is no bencode': {
    first: (hash) =>
      concatBytes(
        hello(hash),
        said((box) => box.extended(0, encodeUtf8('d1:m'))),
      ),
  },
  'claims metadata of 4 GiB': {
    first: (hash) =>
      concatBytes(
        hello(hash),
        said((box) =>
          box.extended(0, encodeUtf8('d1:md11:ut_metadatai3ee13:metadata_sizei4294967296ee')),
        ),
      ),
  },
  'sends false metadata': {
    first: (hash) =>
      concatBytes(
        hello(hash),
        said((box) => box.extended(0, encodeUtf8('d1:md11:ut_metadatai3ee13:metadata_sizei100ee'))),
      ),
    answer: () =>
      said((box) =>
        box.extended(
          1,
          encodeMetadataMessage({
            type: 'data',
            piece: 0,
            totalSize: 100,
            data: new Uint8Array(100),
          }),
        ),
      ),
  },
  'rejects every request': {
    first: (hash) => concatBytes(hello(hash), seedAndUnchoke),
    answer: () =>
      said((box) => {
        for (let piece = 0; piece < 31; piece++) {
          box.block('reject', piece, 0, 16_384);
          box.block('reject', piece, 16_384, 16_384);
        }
      }),
  },
  'chokes and unchokes all the time': {
    first: (hash) => concatBytes(hello(hash), seedAndUnchoke),
    answer: () =>
      said((box) => {
        box.plain('choke');
        box.plain('unchoke');
      }),
  },
  'asks for senseless blocks without end': {
    first: (hash) =>
      concatBytes(
        hello(hash),
        said((box) => {
          box.plain('interested');
          for (let n = 0; n < 1000; n++) box.block('request', 0, 0xffff_0000, 0xffff_ffff);
        }),
      ),
  },
  'sends fast messages without the extension': {
    first: (hash) => concatBytes(hello(hash, Reserved.of()), seedAndUnchoke),
  },
};

test.each(Object.entries(HOSTILES))('a peer that %s', async (_name, hostile) => {
  const swarm = new SwarmWorld();
  const { world } = swarm;
  await world.run(
    (async () => {
      const { infoHash } = swarm.content.metainfo;
      const host = swarm.host(LINE);
      const streams: ByteStream[] = [];
      const signal = new AbortController().signal;
      const listener = await host.runtime.network.listen(
        (stream) => {
          streams.push(stream);
          stream.open({
            data: () => stream.write(hostile.answer?.() ?? new Uint8Array(0)),
            drain: () => undefined,
            closed: () => undefined,
          });
          stream.write(hostile.first(infoHash?.bytes ?? new Uint8Array(20)));
          if (hostile.hangsUp === true) void stream[Symbol.asyncDispose]();
        },
        { port: PORT, signal },
      );
      const honest = await swarm.seed(LINE);
      const peers = [{ host: host.address, port: PORT }, honest.endpoint];
      const leechers = [
        await swarm.start(swarm.host(LINE), { peers }),
        await swarm.start(swarm.host(LINE), {
          source: {
            type: 'magnet',
            magnet: {
              trackers: [],
              webSeeds: [],
              nodes: [],
              peers,
              ...(infoHash === undefined ? {} : { infoHash }),
            },
          },
        }),
      ];
      for (const leecher of leechers) {
        await leecher.torrent.completed;
        expect(await swarm.digests(leecher.host)).toEqual(swarm.expected);
      }
      expect(world.now).toBeLessThan(60_000);
      for (const leecher of leechers) await leecher[Symbol.asyncDispose]();
      await honest[Symbol.asyncDispose]();
      await listener[Symbol.asyncDispose]();
      for (const stream of streams) await stream[Symbol.asyncDispose]();
      world.assertClosed();
    })(),
  );
});

test('a peer that unchokes and rejects everything is not asked for ever', async () => {
  const swarm = new SwarmWorld();
  // All that comes are messages.
  swarm.session = { encryption: 'off' };
  await swarm.world.run(
    (async () => {
      const { infoHash } = swarm.content.metainfo;
      const host = swarm.host(LINE);
      let requests = 0;
      const listener = await host.runtime.network.listen(
        (stream) => {
          stream.open({
            data: (bytes) => {
              // Whatever came, every block is rejected; the frames of requests are 17 bytes.
              requests += Math.floor(bytes.length / 17);
              stream.write(HOSTILES['rejects every request']?.answer?.() ?? new Uint8Array(0));
            },
            drain: () => undefined,
            closed: () => undefined,
          });
          stream.write(concatBytes(hello(infoHash?.bytes ?? new Uint8Array(20)), seedAndUnchoke));
        },
        { port: PORT, signal: new AbortController().signal },
      );
      const peers = [{ host: host.address, port: PORT }];
      const leecher = await swarm.start(swarm.host(LINE), { peers });
      await leecher.host.sleep(5_000);
      expect(requests).toBeGreaterThan(0);
      expect(requests).toBeLessThan(600);
      await leecher[Symbol.asyncDispose]();
      await listener[Symbol.asyncDispose]();
    })(),
  );
});
