/** Peers whose line is the weapon: they stall, drip, ask without reading. Each costs little, and is dropped with a reason. */

import { expect, test } from 'vitest';
import { concatBytes, encodeUtf8 } from '../../src/base/bytes.ts';
import { PeerId } from '../../src/base/ids.ts';
import { encodeHandshake, Reserved } from '../../src/handshake/index.ts';
import { encodeMetadataMessage, Outbox } from '../../src/peer/index.ts';
import type { ByteStream } from '../../src/runtime/ports.ts';
import { makeContent, type Peer, SwarmWorld } from './swarm-world.ts';

const MINUTE = 60_000;
const LINE = { latencyMs: 10, upload: 2_000_000, download: 2_000_000 } as const;
/** More than what is sent ahead to a peer that is served, far less than what it asks for. */
const MOST_QUEUED = 6_000_000;

function notes({ events }: Peer): string {
  return events.flatMap((event) => (event.type === 'note' ? [event.message] : [])).join('\n');
}
function said(speak: (box: Outbox) => void): Uint8Array {
  const box = new Outbox();
  speak(box);
  return box.take();
}

interface Caller {
  readonly stream: ByteStream;
  /** What the seed's session says of calls that belong to no torrent. */
  readonly strangers: readonly string[];
  isHungUp(): boolean;
}

/** Calls a seed, introduces itself, and runs a story; then all is closed. */
async function against(
  story: (seed: Peer, caller: Caller, swarm: SwarmWorld) => Promise<void>,
  infoHash?: Uint8Array,
): Promise<void> {
  const swarm = new SwarmWorld(makeContent(3_000_000));
  const strangers: string[] = [];
  swarm.session = { onNote: (note) => void strangers.push(note) };
  await swarm.world.run(
    (async () => {
      const seed = await swarm.seed(LINE);
      const host = swarm.host(LINE);
      const stream = await host.runtime.network.connect(seed.endpoint, {
        signal: new AbortController().signal,
      });
      let hungUp = false;
      stream.open({
        data: () => undefined,
        drain: () => undefined,
        closed: () => {
          hungUp = true;
        },
      });
      stream.write(
        encodeHandshake({
          reserved: Reserved.of('fast', 'extended'),
          infoHash: infoHash ?? swarm.content.metainfo.infoHash?.bytes ?? new Uint8Array(20),
          peerId: new PeerId(new Uint8Array(20).fill(0x66)),
        }),
      );
      await host.sleep(1_000);
      await story(seed, { stream, strangers, isHungUp: () => hungUp }, swarm);
      expect(hungUp).toBe(true);
      expect(seed.torrent.stats()).toMatchObject({ peers: 0, state: 'seeding' });
      await stream[Symbol.asyncDispose]();
      await seed[Symbol.asyncDispose]();
      swarm.world.assertClosed();
    })(),
  );
}

/** How much waits to be sent to the one peer that is connected. */
function queued(seed: Peer): number {
  return Math.max(0, ...[...seed.torrent.swarm.links].map(({ stream }) => stream.queuedBytes));
}

test('who speaks of another torrent is told of with the reason', () =>
  against(async (_, { strangers }) => {
    expect(strangers).toEqual([
      expect.stringMatching(/^a call from [\d.:]+ failed: the peer speaks of another torrent$/),
    ]);
  }, new Uint8Array(20)));

test('who says nothing is dropped after two minutes', () =>
  against(async (seed, caller) => {
    await seed.host.sleep(2 * MINUTE - 5_000);
    expect(caller.isHungUp()).toBe(false);
    await seed.host.sleep(10_000);
    expect(notes(seed)).toContain('the peer has been silent for too long');
  }));

test('who drips a byte a second of a long message is dropped after two minutes', () =>
  against(async (seed, caller) => {
    caller.stream.write(Uint8Array.of(0, 15, 0, 0, 99));
    for (let second = 0; second < 130; second++) {
      caller.stream.write(new Uint8Array(1));
      await seed.host.sleep(1_000);
    }
    expect(notes(seed)).toContain('the peer has been silent for too long');
  }));

test('who asks for everything and reads nothing fills no memory, and is dropped', () =>
  against(async (seed, { stream, isHungUp }) => {
    stream.pause();
    stream.write(said((box) => box.plain('interested')));
    await seed.host.sleep(1_000);
    let most = 0;
    for (let second = 0; second < 200 && !isHungUp(); second++) {
      stream.write(
        said((box) => {
          for (let piece = 0; piece < 91; piece++) box.block('request', piece, 0, 16_384);
        }),
      );
      await seed.host.sleep(1_000);
      most = Math.max(most, queued(seed));
    }
    stream.resume();
    await seed.host.sleep(10_000);
    expect(most).toBeGreaterThan(100_000);
    expect(most).toBeLessThan(MOST_QUEUED);
    expect(notes(seed)).toMatch(/takes nothing of what is sent to it|silent for too long/);
  }));

test('who asks for the metadata again and again and reads nothing fills no memory', () =>
  against(async (seed, { stream }) => {
    stream.pause();
    stream.write(said((box) => box.extended(0, encodeUtf8('d1:md11:ut_metadatai3eee'))));
    const ask = encodeMetadataMessage({ type: 'request', piece: 0 });
    let most = 0;
    for (let second = 0; second < 150; second++) {
      stream.write(
        said((box) => {
          for (let n = 0; n < 500; n++) box.extended(1, ask);
        }),
      );
      await seed.host.sleep(1_000);
      most = Math.max(most, queued(seed));
    }
    stream.resume();
    await seed.host.sleep(10_000);
    expect(most).toBeGreaterThan(100_000);
    expect(most).toBeLessThan(MOST_QUEUED);
  }));

test('who goes on asking while choked is dropped', () =>
  against(async (seed, { stream }) => {
    await seed.host.sleep(2_000);
    const asks = said((box) => {
      for (let n = 0; n < 400; n++) box.block('request', 90, 0, 16_384);
    });
    stream.write(concatBytes(asks));
    await seed.host.sleep(2_000);
    expect(notes(seed)).toContain('the peer goes on asking although it is choked');
  }));
