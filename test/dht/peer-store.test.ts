import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatHex } from '../../src/base/bytes.ts';
import { MAX_PORTS } from '../../src/dht/peer-set.ts';
import {
  LIFETIME_MS,
  MAX_ALL_PEERS,
  MAX_PEERS,
  MAX_PER_HOST,
  MAX_SAMPLE,
  MAX_TORRENTS,
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
    expect([peers.peers, peers.torrents, peers.has(HASH, LIFETIME_MS + 1000)]).toEqual([
      1,
      1,
      true,
    ]);
    peers.sweep(LIFETIME_MS + 61_000);
    expect([peers.peers, peers.torrents, peers.has(HASH, LIFETIME_MS + 61_000)]).toEqual([
      0,
      0,
      false,
    ]);
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
    expect(fresh.filter((one) => !found.has(one))).toEqual([]);
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

describe('hosts', () => {
  /** An address of the internet for each `at`. */
  const host = (at: number, port = 6881): Uint8Array =>
    Uint8Array.of(198, 18, at >>> 8, at & 255, port >>> 8, port & 255);
  const host6 = (network: number, at: number): Uint8Array => {
    const bytes = new Uint8Array(18).fill(1);
    bytes.set([0x20, 0x01, 0x0d, 0xb8, 0, 0, network >>> 8, network & 255]);
    new DataView(bytes.buffer).setUint32(8, at);
    return bytes;
  };

  test(`have at most ${MAX_PORTS} addresses of a /64 in a torrent`, () => {
    const peers = store();
    for (let at = 0; at < 50; at++) peers.announce(HASH, host6(1, at), { seed: false }, at * 1000);
    for (let at = 0; at < 3; at++) peers.announce(HASH, host6(2, at), { seed: false }, 50_000);
    const all = { family: 6, noSeed: false, maxCount: MAX_SAMPLE } as const;
    const found = peers.sample(HASH, all, 50_000).map(formatHex).toSorted();
    const left = [42, 43, 44, 45, 46, 47, 48, 49].map((at) => host6(1, at));
    const others = [0, 1, 2].map((at) => host6(2, at));
    expect(found).toEqual([...left, ...others].map(formatHex));
  });

  test('have a share of the store and no more, until they are forgotten', () => {
    const peers = store({ maxPeersPerHost: 10 });
    const announce = (torrent: number, peerBytes: Uint8Array, now = 0): boolean =>
      peers.announce(hash(torrent), peerBytes, { seed: false }, now);
    for (let at = 0; at < 10; at++) expect(announce(at, host(1, 1000 + at))).toBe(true);
    expect(announce(10, host(1))).toBe(false);
    expect(peers.has(hash(10), 0)).toBe(false);
    // What is there can be renewed, and others have their own share.
    expect(announce(3, host(1, 1003), 60_000)).toBe(true);
    expect(announce(10, host(2), 60_000)).toBe(true);
    expect(announce(10, host(1), LIFETIME_MS)).toBe(false);
    peers.sweep(LIFETIME_MS + 1000);
    for (let at = 20; at < 29; at++) expect(announce(at, host(1), LIFETIME_MS + 1000)).toBe(true);
    expect(announce(29, host(1), LIFETIME_MS + 1000)).toBe(false);
  });

  test('of one /64 have one share', () => {
    const peers = store({ maxPeersPerHost: 10 });
    const stored = Array.from({ length: 30 }, (_, at) =>
      peers.announce(hash(at), host6(7, at), { seed: false }, 0),
    );
    expect(stored.filter(Boolean)).toHaveLength(10);
    expect(peers.announce(hash(1), host6(8, 1), { seed: false }, 0)).toBe(true);
  });

  test('of private networks have no share', () => {
    const peers = store({ maxPeersPerHost: 3 });
    for (let at = 0; at < 20; at++) {
      expect(peers.announce(hash(at), peer(1), { seed: false }, 0)).toBe(true);
    }
  });

  test('that were pushed out may come again', () => {
    const peers = store({ maxPeersPerHost: 4, maxPeersPerTorrent: 2 });
    for (let at = 0; at < 100; at++) {
      const isStored = peers.announce(HASH, host(at % 3, at), { seed: false }, at * 1000);
      expect(isStored).toBe(true);
    }
    expect(peers.peers).toBe(2);
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
    const kept = Array.from({ length: 50 }, (_, at) => peers.has(hash(at), 0)).filter(Boolean);
    // One goes when all of 8 choices hit the 50 of 100: each time with a chance of 1 in 256, until few are left.
    expect(kept.length).toBeGreaterThan(15);
    expect(peers.peers).toBe(kept.length * 5 + (100 - kept.length));
  });

  test('share a limit: the largest gives up its oldest', () => {
    const peers = store({ maxPeers: 60 });
    for (let at = 0; at < 50; at++) peers.announce(HASH, peer(at), { seed: false }, at * 1000);
    for (let at = 0; at < 30; at++) {
      peers.announce(hash(2 + at), peer(at), { seed: false }, 60_000);
      expect(peers.peers).toBe(Math.min(60, 51 + at));
    }
    expect(Array.from({ length: 30 }, (_, at) => peers.has(hash(2 + at), 60_000))).not.toContain(
      false,
    );
    expect(sampled(peers, 60_000)).toEqual(
      Array.from({ length: 30 }, (_, at) => formatHex(peer(20 + at))),
    );
  });

  test('that are old make room before others do', () => {
    const peers = store({ maxTorrents: 10, maxPeers: 30 });
    for (let at = 0; at < 9; at++) peers.announce(hash(at), peer(at), { seed: false }, 0);
    for (let at = 0; at < 21; at++) peers.announce(hash(99), peer(at), { seed: false }, 9000);
    const now = LIFETIME_MS + 1000;
    peers.announce(hash(100), peer(1), { seed: false }, now);
    expect([peers.torrents, peers.peers]).toEqual([2, 22]);
    expect(peers.has(hash(99), now)).toBe(true);
  });

  test('that are old are neither counted nor sampled', () => {
    const peers = store();
    for (let at = 0; at < 30; at++) peers.announce(hash(at), peer(1), { seed: false }, at * 1000);
    const now = LIFETIME_MS + 10_500;
    const { samples, total } = peers.sampleHashes(100, now);
    expect([samples.length, total]).toEqual([20 * 20, 20]);
    expect([peers.has(hash(9), now), peers.has(hash(10), now)]).toEqual([false, true]);
  });

  test('are sampled without order and without repetition', () => {
    const peers = store();
    for (let at = 0; at < 50; at++) peers.announce(hash(at), peer(1), { seed: false }, 0);
    const seen = new Set<string>();
    for (let round = 0; round < 40; round++) {
      const { samples, total } = peers.sampleHashes(20, 0);
      const some = Array.from({ length: 20 }, (_, at) =>
        formatHex(samples.subarray(at * 20, at * 20 + 20)),
      );
      expect(total).toBe(50);
      expect(new Set(some).size).toBe(20);
      for (const one of some) seen.add(one);
    }
    expect(seen.size).toBe(50);
    expect(peers.sampleHashes(99, 0).samples).toHaveLength(1000);
    expect(store().sampleHashes(20, 0)).toEqual({ samples: new Uint8Array(0), total: 0 });
  });
});

describe('limits without options', () => {
  const announceAll = (
    count: number,
    one: (at: number) => readonly [number, Uint8Array],
  ): PeerStore => {
    const peers = store();
    for (let at = 0; at < count; at++) {
      const [torrent, compact] = one(at);
      peers.announce(hash(torrent), compact, { seed: false }, 0);
    }
    return peers;
  };

  test('of torrents', () => {
    const peers = announceAll(MAX_TORRENTS + 10, (at) => [at, peer(1)]);
    expect([peers.torrents, peers.peers]).toEqual([MAX_TORRENTS, MAX_TORRENTS]);
  });

  test('of peers of a torrent, in each family', () => {
    const peers = announceAll(MAX_PEERS + 10, (at) => [1, peer(at)]);
    expect(peers.peers).toBe(MAX_PEERS);
    peers.announce(HASH, peer6(1), { seed: false }, 0);
    expect(peers.peers).toBe(MAX_PEERS + 1);
  });

  test('of all peers', () => {
    const peers = announceAll(MAX_ALL_PEERS + 10, (at) => [at % 1000, peer(at)]);
    expect([peers.torrents, peers.peers]).toEqual([1000, MAX_ALL_PEERS]);
  });

  test('of peers of one host', () => {
    const peers = announceAll(MAX_PER_HOST + 10, (at) => [at, Uint8Array.of(8, 8, 8, 8, 1, 1)]);
    expect(peers.peers).toBe(MAX_PER_HOST);
  });
});

test('samples end at the limit', () => {
  const peers = store();
  for (let at = 0; at < 500; at++) peers.announce(HASH, peer(at), { seed: false }, 0);
  expect(sampled(peers, 0, 10_000)).toHaveLength(MAX_SAMPLE);
  expect(sampled(peers, 0, 0)).toEqual([]);
  expect(sampled(peers, 0, -5)).toEqual([]);
});

interface Step {
  readonly torrent: number;
  readonly peer: number;
  readonly six: boolean;
  readonly seed: boolean;
  readonly wait: number;
  readonly sweep: boolean;
}

/** Mostly seconds, some minutes, sometimes hours. */
const waits = fc.oneof(
  { weight: 6, arbitrary: fc.nat(2_000) },
  { weight: 2, arbitrary: fc.nat(LIFETIME_MS) },
  { weight: 1, arbitrary: fc.nat(1e9) },
);

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({
    torrent: fc.nat(5),
    peer: fc.nat(40),
    six: fc.boolean(),
    seed: fc.boolean(),
    wait: waits,
    sweep: fc.boolean(),
  }),
  { maxLength: 150 },
);

/** Peers as a plain map has them: when they were heard of, and whether they seed. */
class Model {
  readonly #torrents = new Map<number, Map<string, { at: number; seed: boolean }>>();

  announce(torrent: number, compact: Uint8Array, seed: boolean, now: number): void {
    const known = this.#torrents.get(torrent) ?? new Map<string, { at: number; seed: boolean }>();
    this.#torrents.set(torrent, known.set(formatHex(compact), { at: now, seed }));
  }

  alive(torrent: number, now: number, how: { family: 4 | 6; noSeed: boolean }): string[] {
    return [...(this.#torrents.get(torrent) ?? [])]
      .filter(([, { at }]) => Math.floor(now / 1000) - Math.floor(at / 1000) <= LIFETIME_MS / 1000)
      .filter(
        ([key, { seed }]) => key.length === (how.family === 4 ? 12 : 36) && !(how.noSeed && seed),
      )
      .map(([key]) => key)
      .toSorted();
  }
}

const ALL = [
  { family: 4, noSeed: false, maxCount: MAX_SAMPLE },
  { family: 4, noSeed: true, maxCount: MAX_SAMPLE },
  { family: 6, noSeed: false, maxCount: MAX_SAMPLE },
  { family: 6, noSeed: true, maxCount: MAX_SAMPLE },
] as const;

function bytesOf({ six, peer: at }: Step): Uint8Array {
  return six ? peer6(at) : peer(at);
}

test('it gives what a plain map would', () => {
  fc.assert(
    fc.property(steps, fc.integer({ min: -1e9, max: 4e12 }), (all, start) => {
      const peers = store();
      const model = new Model();
      let now = start;
      for (const step of all) {
        now += step.wait;
        if (step.sweep) peers.sweep(now);
        peers.announce(hash(step.torrent), bytesOf(step), { seed: step.seed }, now);
        model.announce(step.torrent, bytesOf(step), step.seed, now);
        for (const how of ALL) {
          const given = peers.sample(hash(step.torrent), how, now).map(formatHex).toSorted();
          expect(given).toEqual(model.alive(step.torrent, now, how));
        }
        const other = (step.torrent + step.peer) % 6;
        const expected = ALL.flatMap((how) => model.alive(other, now, how));
        expect(peers.has(hash(other), now)).toBe(expected.length > 0);
      }
      const left = [0, 1, 2, 3, 4, 5].map((torrent) =>
        [ALL[0], ALL[2]].flatMap((how) => model.alive(torrent, now, how)),
      );
      expect(peers.sampleHashes(9, now).total).toBe(left.filter((keys) => keys.length > 0).length);
      expect(peers.peers).toBe(left.flat().length);
    }),
  );
});

test('it keeps to all its limits, and has who was taken in last', () => {
  const limits = fc.record({
    maxTorrents: fc.integer({ min: 1, max: 5 }),
    maxPeersPerTorrent: fc.integer({ min: 1, max: 6 }),
    maxPeers: fc.integer({ min: 1, max: 15 }),
    maxPeersPerHost: fc.integer({ min: 1, max: 8 }),
  });
  fc.assert(
    fc.property(steps, limits, fc.nat(), (all, given, seed) => {
      const peers = store({ ...given, random: new SeededRandom(seed) });
      let now = 0;
      for (const step of all) {
        now += step.wait;
        // Hosts of the internet, few of them: ports and shares are used up.
        const compact = bytesOf({ ...step, peer: step.peer % 5 });
        if (!step.six) compact[0] = 99;
        compact[compact.length - 1] = step.peer;
        const isStored = peers.announce(hash(step.torrent), compact, step, now);
        const how = { family: step.six ? 6 : 4, noSeed: false, maxCount: MAX_SAMPLE } as const;
        const found = peers.sample(hash(step.torrent), how, now).map(formatHex);
        expect(found.includes(formatHex(compact))).toBe(isStored);
        expect(found.length).toBeLessThanOrEqual(given.maxPeersPerTorrent);
        expect(peers.torrents).toBeLessThanOrEqual(given.maxTorrents);
        expect(peers.peers).toBeLessThanOrEqual(given.maxPeers);
      }
      peers.sweep(now);
      const left = [0, 1, 2, 3, 4, 5].flatMap((torrent) =>
        [ALL[0], ALL[2]].flatMap((how) => peers.sample(hash(torrent), how, now).map(formatHex)),
      );
      expect(peers.peers).toBe(left.length);
      const hosts = left.map((key) => (key.length === 12 ? key.slice(0, 8) : key.slice(0, 16)));
      const perHost = [...new Set(hosts)].map((one) => hosts.filter((key) => key === one).length);
      expect(Math.max(0, ...perHost)).toBeLessThanOrEqual(given.maxPeersPerHost);
      // All of it can be forgotten: nothing is left on any count.
      peers.sweep(now + LIFETIME_MS + 1000);
      expect([peers.peers, peers.torrents]).toEqual([0, 0]);
    }),
  );
});

test('a clock that goes back makes nobody old', () => {
  const peers = store();
  peers.announce(HASH, peer(1), { seed: false }, 1e9);
  peers.announce(HASH, peer(2), { seed: false }, 5);
  expect(sampled(peers, 0)).toHaveLength(2);
  peers.sweep(LIFETIME_MS + 6_000);
  expect(sampled(peers, LIFETIME_MS + 6_000)).toEqual([formatHex(peer(1))]);
});

test('memory is given back when peers are gone', () => {
  const peers = store();
  const empty = peers.bytes;
  for (let at = 0; at < 5_000; at++) {
    peers.announce(hash(at % 1000), peer(at), { seed: false }, 0);
  }
  expect(peers.peers).toBe(5_000);
  expect(peers.bytes / 5_000).toBeLessThan(45);
  peers.sweep(LIFETIME_MS + 1000);
  expect(peers.bytes).toBeLessThan(empty + 200);
});
