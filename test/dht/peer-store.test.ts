import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatHex } from '../../src/base/bytes.ts';
import { MAX_PORTS } from '../../src/dht/peer-set.ts';
import {
  LIFETIME_MS,
  MAX_SAMPLE,
  PeerStore,
  type PeerStoreOptions,
} from '../../src/dht/peer-store.ts';
import { SeededRandom } from '../../src/runtime/sim/index.ts';
import { TEST_SEED } from '../sim/world.ts';

const HASH = hash(1);

function hash(at: number): Uint8Array {
  const bytes = new Uint8Array(20);
  new DataView(bytes.buffer).setUint32(0, at);
  return bytes;
}

function store(options: Partial<PeerStoreOptions> = {}): PeerStore {
  return new PeerStore({ random: new SeededRandom(TEST_SEED), ...options });
}

/** An address of its own for each `at`. */
function peer(at: number, port = 6881): Uint8Array {
  return Uint8Array.of(10, at >>> 16, (at >>> 8) & 255, at & 255, port >>> 8, port & 255);
}

function peer6(at: number): Uint8Array {
  const bytes = new Uint8Array(18).fill(at);
  bytes[0] = 0x20;
  return bytes;
}

function sampled(peers: PeerStore, now = 0, maxCount = MAX_SAMPLE, noSeed = false): string[] {
  return peers.sample(HASH, { family: 4, noSeed, maxCount }, now).map(formatHex).toSorted();
}

describe('peers', () => {
  test('are there for 45 minutes, and longer when they announce again', () => {
    const peers = store();
    peers.announce(HASH, peer(1), { seed: false }, 0);
    peers.announce(HASH, peer(2), { seed: false }, 0);
    peers.announce(HASH, peer(2), { seed: false }, 60_000);
    expect(sampled(peers, LIFETIME_MS)).toHaveLength(2);
    expect(sampled(peers, LIFETIME_MS + 1000)).toEqual([formatHex(peer(2))]);
    peers.sweep(LIFETIME_MS + 1000);
    expect([peers.peers, peers.torrents, peers.has(HASH)]).toEqual([1, 1, true]);
    peers.sweep(LIFETIME_MS + 61_000);
    expect([peers.peers, peers.torrents, peers.has(HASH)]).toEqual([0, 0, false]);
  });

  test('of each family are given to their own', () => {
    const peers = store();
    peers.announce(HASH, peer(1), { seed: false }, 0);
    peers.announce(HASH, peer6(1), { seed: true }, 0);
    const six = { family: 6, noSeed: false, maxCount: 9 } as const;
    expect(sampled(peers)).toEqual([formatHex(peer(1))]);
    expect(peers.sample(HASH, six, 0).map(formatHex)).toEqual([formatHex(peer6(1))]);
  });

  test('that seed are left out when they are not wanted', () => {
    const peers = store();
    for (let at = 0; at < 20; at++) peers.announce(HASH, peer(at), { seed: at < 15 }, 0);
    expect(sampled(peers, 0, MAX_SAMPLE, true)).toHaveLength(5);
    peers.announce(HASH, peer(19), { seed: true }, 0);
    expect(sampled(peers, 0, MAX_SAMPLE, true)).toHaveLength(4);
  });

  test(`have at most ${MAX_PORTS} ports at an address: the oldest goes`, () => {
    const peers = store();
    for (let port = 1; port <= MAX_PORTS + 3; port++) {
      peers.announce(HASH, peer(1, port), { seed: false }, port * 1000);
    }
    expect(peers.peers).toBe(MAX_PORTS);
    const ports = sampled(peers, 20_000).map((text) => Number.parseInt(text.slice(8), 16));
    expect(ports).toEqual(Array.from({ length: MAX_PORTS }, (_, at) => at + 4));
  });

  test('of a torrent have a limit: old ones make room', () => {
    const peers = store({ maxPeersPerTorrent: 50 });
    for (let at = 0; at < 50; at++) peers.announce(HASH, peer(at), { seed: false }, 0);
    for (let at = 50; at < 80; at++) peers.announce(HASH, peer(at), { seed: false }, 60_000);
    expect(peers.peers).toBe(50);
    const found = new Set(sampled(peers, 60_000));
    const fresh = Array.from({ length: 30 }, (_, at) => formatHex(peer(at + 50)));
    expect(fresh.filter((one) => found.has(one)).length).toBeGreaterThanOrEqual(29);
  });

  test('are chosen with the same chance', () => {
    const peers = store();
    const counts = new Map<string, number>();
    for (let at = 0; at < 100; at++) peers.announce(HASH, peer(at), { seed: false }, 0);
    for (let round = 0; round < 2000; round++) {
      const some = sampled(peers, 0, 10);
      expect(new Set(some).size).toBe(10);
      for (const one of some) counts.set(one, (counts.get(one) ?? 0) + 1);
    }
    // 200 each; five standard deviations are 67.
    const values = [...counts.values()];
    expect(counts.size).toBe(100);
    expect(Math.min(...values)).toBeGreaterThan(130);
    expect(Math.max(...values)).toBeLessThan(270);
  });

  test('are counted by blooms, seeds apart', () => {
    const peers = store();
    for (let at = 0; at < 300; at++) peers.announce(HASH, peer(at), { seed: at < 100 }, 0);
    for (let port = 1; port < 8; port++) peers.announce(HASH, peer(299, port), { seed: false }, 0);
    const { seeds, peers: leechers } = peers.blooms(HASH, 0);
    expect(Math.abs(seeds.estimate() - 100)).toBeLessThan(10);
    expect(Math.abs(leechers.estimate() - 200)).toBeLessThan(20);
    expect(peers.blooms(HASH, LIFETIME_MS + 1000).seeds.estimate()).toBe(0);
    expect(peers.blooms(hash(2), 0).seeds.estimate()).toBe(0);
  });
});

describe('torrents', () => {
  test('have a limit: made up ones push out each other, not those with peers', () => {
    const peers = store({ maxTorrents: 100 });
    for (let at = 0; at < 50; at++) {
      for (let one = 0; one < 5; one++) peers.announce(hash(at), peer(one), { seed: false }, 0);
    }
    for (let at = 1000; at < 20_000; at++) peers.announce(hash(at), peer(9), { seed: false }, 0);
    expect(peers.torrents).toBe(100);
    const kept = Array.from({ length: 50 }, (_, at) => peers.has(hash(at))).filter(Boolean);
    // One goes when all of 8 choices hit the 50 of 100: each time with a chance of 1 in 256, until few are left.
    expect(kept.length).toBeGreaterThan(15);
    expect(peers.peers).toBe(kept.length * 5 + (100 - kept.length));
  });

  test('are sampled without order and without repetition', () => {
    const peers = store();
    for (let at = 0; at < 50; at++) peers.announce(hash(at), peer(1), { seed: false }, 0);
    const seen = new Set<string>();
    for (let round = 0; round < 40; round++) {
      const { samples, total } = peers.sampleHashes(20);
      const some = Array.from({ length: 20 }, (_, at) =>
        formatHex(samples.subarray(at * 20, at * 20 + 20)),
      );
      expect(total).toBe(50);
      expect(new Set(some).size).toBe(20);
      for (const one of some) seen.add(one);
    }
    expect(seen.size).toBe(50);
    expect(peers.sampleHashes(99).samples).toHaveLength(1000);
    expect(store().sampleHashes(20)).toEqual({ samples: new Uint8Array(0), total: 0 });
  });
});

test('samples end at the limit', () => {
  const peers = store();
  for (let at = 0; at < 500; at++) peers.announce(HASH, peer(at), { seed: false }, 0);
  expect(sampled(peers, 0, 10_000)).toHaveLength(MAX_SAMPLE);
  expect(sampled(peers, 0, 0)).toEqual([]);
  expect(sampled(peers, 0, -5)).toEqual([]);
});

type Step =
  | {
      readonly do: 'announce';
      readonly torrent: number;
      readonly peer: number;
      readonly seed: boolean;
    }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'sweep' }
  | { readonly do: 'sample'; readonly torrent: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('announce' as const),
      torrent: fc.nat(5),
      peer: fc.nat(40),
      seed: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.nat(LIFETIME_MS) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('sweep' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('sample' as const), torrent: fc.nat(5) }) },
);

test('it gives what a plain map would', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const peers = store();
      const model = new Map<number, Map<number, number>>();
      let now = 0;
      for (const one of steps) {
        if (one.do === 'pass') now += one.ms;
        if (one.do === 'sweep') peers.sweep(now);
        if (one.do === 'announce') {
          const known = model.get(one.torrent) ?? new Map<number, number>();
          model.set(one.torrent, known.set(one.peer, now));
          peers.announce(hash(one.torrent), peer(one.peer), { seed: one.seed }, now);
        }
        if (one.do === 'sample') {
          const how = { family: 4, noSeed: false, maxCount: MAX_SAMPLE } as const;
          const given = peers.sample(hash(one.torrent), how, now).map(formatHex).toSorted();
          expect(given).toEqual(alive(model.get(one.torrent), now));
        }
      }
      peers.sweep(now);
      const left = [...model.values()].map((known) => alive(known, now).length);
      expect(peers.peers).toBe(left.reduce((sum, count) => sum + count, 0));
      expect(peers.torrents).toBe(left.filter((count) => count > 0).length);
    }),
  );
});

function alive(known: ReadonlyMap<number, number> | undefined, now: number): string[] {
  return [...(known ?? [])]
    .filter(([, heard]) => Math.floor(now / 1000) - Math.floor(heard / 1000) <= LIFETIME_MS / 1000)
    .map(([at]) => formatHex(peer(at)))
    .toSorted();
}
