/** Swarms whose peers tell each other of others (BEP 11), and peers that lie about them, in virtual time. */

import { expect, test } from 'vitest';
import { concatBytes } from '../../src/base/bytes.ts';
import { PeerId } from '../../src/base/ids.ts';
import { encodeHandshake, Reserved } from '../../src/handshake/index.ts';
import { encodeExtendedHandshake, encodePex, Outbox } from '../../src/peer/index.ts';
import type { ByteStream } from '../../src/runtime/ports.ts';
import type { HostOptions } from '../../src/runtime/sim/index.ts';
import { makeContent, type Peer, PORT, SwarmWorld } from './swarm-world.ts';

const MINUTE = 60_000;
const LINE: Partial<HostOptions> = { latencyMs: 20, upload: 500_000, download: 2_000_000 };
/** So slow that nothing is complete while the swarm comes together. */
const SLOW: Partial<HostOptions> = { ...LINE, upload: 5_000 };

function notes({ events }: Peer): string {
  return events.flatMap((event) => (event.type === 'note' ? [event.message] : [])).join('\n');
}
function links({ torrent }: Peer): number {
  return torrent.swarm.links.size;
}
async function finish(swarm: SwarmWorld, peers: readonly Peer[]): Promise<void> {
  for (const peer of peers) await peer[Symbol.asyncDispose]();
  swarm.world.assertClosed();
}

/** A seed, and leechers each of whom knows the one before it alone. */
async function chain(
  swarm: SwarmWorld,
  count: number,
  options: Parameters<SwarmWorld['start']>[1] = {},
  line: Partial<HostOptions> = SLOW,
): Promise<Peer[]> {
  const peers = [await swarm.seed(line)];
  for (let n = 1; n < count; n++) {
    const before = peers.at(-1);
    const known = before === undefined ? [] : [before.endpoint];
    peers.push(await swarm.start(swarm.host(line), { peers: known, ...options }));
  }
  return peers;
}

test('a swarm of 30 in which each knows one other comes together by PEX alone', async () => {
  const swarm = new SwarmWorld(makeContent(8_000_000, 262_144));
  await swarm.world.run(
    (async () => {
      const peers = await chain(swarm, 30, {}, { ...SLOW, upload: 20_000 });
      const [first] = peers;
      await first?.host.sleep(5_000);
      expect(links(peers.at(-1) ?? peers[0] ?? raise())).toBeLessThan(5);
      await first?.host.sleep(5 * MINUTE);
      for (const peer of peers) expect(links(peer)).toBeGreaterThanOrEqual(25);
      expect(notes(peers[15] ?? raise())).toMatch(/named \d+ peers? that we did not know/);
      await finish(swarm, peers);
    })(),
  );
});

test.each([
  ['of a private torrent', makeContent(1_000_000, 32_768, { private: true }), {}],
  ['with PEX switched off', makeContent(1_000_000, 32_768), { pex: false }],
])('peers %s are told of nobody', async (_name, content, options) => {
  const swarm = new SwarmWorld(content);
  await swarm.world.run(
    (async () => {
      const peers = await chain(swarm, 3, options);
      await peers[0]?.host.sleep(3 * MINUTE);
      expect(peers.map(links)).toEqual([1, 2, 1]);
      await finish(swarm, peers);
    })(),
  );
});

test('a torrent that turns out to be private forgets whom peers named', async () => {
  const swarm = new SwarmWorld(makeContent(1_000_000, 32_768, { private: true }));
  await swarm.world.run(
    (async () => {
      const seed = await swarm.seed(SLOW);
      const { infoHash } = swarm.content.metainfo;
      if (infoHash === undefined) throw new Error('the torrent is of v1');
      const nothing = { trackers: [], webSeeds: [], nodes: [], peers: [] };
      const byMagnet = { type: 'magnet', magnet: { infoHash, ...nothing } } as const;
      // These two know each other, and neither can learn yet that the torrent is private.
      const first = await swarm.start(swarm.host(LINE), { source: byMagnet });
      const other = await swarm.start(swarm.host(LINE), {
        source: byMagnet,
        peers: [first.endpoint],
      });
      await first.host.sleep(10_000);
      const third = await swarm.start(swarm.host(LINE), {
        source: byMagnet,
        peers: [first.endpoint],
      });
      await first.host.sleep(10_000);
      expect(links(third)).toBe(2);
      const pool = third.torrent.swarm.dialer.pool;
      expect(pool.size).toBe(2);
      third.torrent.swarm.dialer.add([seed.endpoint], 'user');
      await first.host.sleep(20_000);
      expect(third.torrent.metainfo?.private).toBe(true);
      // `other` was named by a peer; `first` and the seed were not.
      expect(pool.size).toBe(2);
      await finish(swarm, [seed, first, other, third]);
    })(),
  );
});

test('a swarm that falls apart grows together again by itself', async () => {
  const swarm = new SwarmWorld(makeContent(3_000_000, 32_768));
  await swarm.world.run(
    (async () => {
      const peers = await chain(swarm, 8);
      const [left, right] = [peers.slice(0, 4), peers.slice(4)];
      await peers[0]?.host.sleep(2 * MINUTE);
      expect(peers.map(links)).toEqual(peers.map(() => 7));
      const heal = swarm.world.partition(
        left.map(({ host }) => host),
        right.map(({ host }) => host),
      );
      for (const { host } of left) host.resetConnections();
      await peers[0]?.host.sleep(5 * MINUTE);
      for (const peer of peers) expect(links(peer)).toBeLessThanOrEqual(3);
      heal();
      await peers[0]?.host.sleep(5 * MINUTE);
      expect(peers.map(links)).toEqual(peers.map(() => 7));
      await finish(swarm, peers);
    })(),
  );
});

/** Names made-up peers, `perMessage` in each message, one message in so many milliseconds. */
async function liar(
  swarm: SwarmWorld,
  how: { readonly perMessage: number; readonly everyMs: number },
): Promise<{ readonly endpoint: Peer['endpoint']; close(): Promise<void>; hungUp: number }> {
  const host = swarm.host(LINE);
  const { infoHash } = swarm.content.metainfo;
  let made = 0;
  let open = true;
  const streams = new Set<ByteStream>();
  const it = {
    endpoint: { host: host.address, port: PORT },
    hungUp: 0,
    close: async (): Promise<void> => {
      open = false;
      await listener[Symbol.asyncDispose]();
      for (const stream of streams) await stream[Symbol.asyncDispose]();
    },
  };
  const listener = await host.runtime.network.listen(
    (stream) => {
      let connected = true;
      streams.add(stream);
      stream.open({
        data: () => undefined,
        drain: () => undefined,
        closed: () => {
          connected = false;
          it.hungUp++;
        },
      });
      const say = (speak: (box: Outbox) => void): void => {
        const box = new Outbox();
        speak(box);
        stream.write(box.take());
      };
      const handshake = encodeHandshake({
        reserved: Reserved.of('fast', 'extended'),
        infoHash: infoHash?.bytes ?? new Uint8Array(20),
        peerId: new PeerId(new Uint8Array(20).fill(0x66)),
      });
      const box = new Outbox();
      box.plain('haveNone');
      box.extended(0, encodeExtendedHandshake({ messages: new Map([['ut_pex', 9]]) }));
      stream.write(concatBytes(handshake, box.take()));
      const lie = (): void => {
        if (!connected || !open) return;
        const added = Array.from({ length: how.perMessage }, () => ({
          endpoint: {
            host: `198.${18 + (made >> 16)}.${(made >> 8) & 255}.${made++ & 255}`,
            port: 80,
          },
          flags: 0,
        }));
        // The id by which bip wants to be addressed.
        say((out) => out.extended(2, encodePex({ added, dropped: [] })));
        say((out) => out.keepAlive());
        swarm.world.timeline.after(how.everyMs, lie);
      };
      swarm.world.timeline.after(1_000, lie);
    },
    { port: PORT, signal: new AbortController().signal },
  );
  return it;
}

test('who names made-up peers costs few calls, and is believed no more', async () => {
  const swarm = new SwarmWorld(makeContent(3_000_000, 32_768));
  await swarm.world.run(
    (async () => {
      // It speaks first, and in plain text.
      swarm.session = { encryption: 'off' };
      const fibber = await liar(swarm, { perMessage: 50, everyMs: MINUTE });
      const seed = await swarm.seed(SLOW);
      const leecher = await swarm.start(swarm.host(SLOW), {
        peers: [fibber.endpoint, seed.endpoint],
      });
      await leecher.host.sleep(9 * MINUTE);
      const text = notes(leecher);
      const inVain = text.match(/no connection with 198\./g)?.length ?? 0;
      expect(inVain).toBeGreaterThanOrEqual(20);
      // 450 were named; up to 30 are called at once before the first answer is there.
      expect(inVain).toBeLessThanOrEqual(60);
      expect(text).toContain(
        `nobody whom ${fibber.endpoint.host} names is there: its word counts no more for a while`,
      );
      expect(leecher.torrent.swarm.dialer.pool.size).toBeLessThan(10);
      expect(fibber.hungUp).toBe(0);
      await fibber.close();
      await finish(swarm, [leecher, seed]);
    })(),
  );
});

test('who floods us with PEX messages is hung up on, and the reason is told', async () => {
  const swarm = new SwarmWorld(makeContent(300_000));
  await swarm.world.run(
    (async () => {
      const flood = await liar(swarm, { perMessage: 50, everyMs: 100 });
      const seed = await swarm.seed(LINE);
      const leecher = await swarm.start(swarm.host(LINE), {
        peers: [flood.endpoint, seed.endpoint],
      });
      await leecher.host.sleep(10_000);
      expect(flood.hungUp).toBeGreaterThanOrEqual(1);
      expect(notes(leecher)).toContain(
        `${flood.endpoint.host}:${PORT}: the peer sends PEX messages too often`,
      );
      expect(await swarm.digests(leecher.host)).toEqual(swarm.expected);
      await flood.close();
      await finish(swarm, [leecher, seed]);
    })(),
  );
});

test('two seeds part with a reason, and do not call each other again and again (BEP 21)', async () => {
  const swarm = new SwarmWorld();
  await swarm.world.run(
    (async () => {
      const seed = await swarm.seed(LINE);
      const other = await swarm.seed(LINE);
      other.torrent.swarm.dialer.add([seed.endpoint], 'tracker');
      await seed.host.sleep(10 * MINUTE);
      const text = notes(other);
      expect(text).toContain(`${seed.host.address}:${PORT}: neither side has anything left`);
      expect(text.match(/connected to/g)).toHaveLength(1);
      await finish(swarm, [seed, other]);
    })(),
  );
});

test('what cannot be read is taken back (BEP 54), and offered again when it can be', async () => {
  const swarm = new SwarmWorld();
  await swarm.world.run(
    (async () => {
      const seed = await swarm.seed(LINE);
      seed.host.disk.fail({ operation: 'read', path: /first\.bin$/, error: 'EIO', times: 1 });
      const leecher = await swarm.start(swarm.host(LINE), { peers: [seed.endpoint] });
      await leecher.host.sleep(30_000);
      // All the rest has come, by the same connection.
      expect(leecher.torrent.stats()).toMatchObject({ piecesDone: 30, peers: 1, seeds: 0 });
      await leecher.torrent.completed;
      expect(swarm.world.now).toBeLessThan(100_000);
      expect(notes(leecher).match(/connected to/g)).toHaveLength(1);
      expect(await swarm.digests(leecher.host)).toEqual(swarm.expected);
      await finish(swarm, [leecher, seed]);
    })(),
  );
});

function raise(): never {
  throw new Error('there is no such peer');
}
