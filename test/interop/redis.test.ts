/** Swarms in a real Redis: shared, lost, and found again. */

import { expect, test } from 'vitest';
import { formatIp } from '../../src/base/ip.ts';
import { clock } from '../../src/runtime/node/clock.ts';
import { openRedis } from '../../src/runtime/node/redis.ts';
import { SeededRandom } from '../../src/runtime/sim/index.ts';
import {
  EVENT,
  type EventCode,
  type IncomingAnnounce,
  type RemoteAnswer,
  type SwarmCounts,
  type Wanted,
} from '../../src/tracker/server/model.ts';
import { RedisSwarms } from '../../src/tracker/server/redis-store.ts';
import { SwarmStore } from '../../src/tracker/server/store/index.ts';
import { formCluster, RedisServer } from './peers/redis.ts';
import { describeWith } from './require.ts';
import { openScratch } from './scratch.ts';
import { until } from './until.ts';

const LIFETIME = 3_600;
const DEADLINE_MS = 30_000;
const NEVER = new AbortController().signal;

/** One tracker: its own store, and its way to Redis. */
interface Site extends AsyncDisposable {
  readonly store: SwarmStore;
  readonly swarms: RedisSwarms;
  readonly changes: string[];
}

async function openSite(url: string, seed = 1): Promise<Site> {
  const random = new SeededRandom(seed);
  const store = new SwarmStore({
    shared: false,
    maxPeers: 100_000,
    maxSwarms: 10_000,
    maxBytes: 64 * 1024 * 1024,
    random,
    peerLifetimeSeconds: LIFETIME,
  });
  const changes: string[] = [];
  const swarms = new RedisSwarms({
    link: await openRedis(url, { signal: NEVER, clock, commandTimeoutMs: 500 }),
    store,
    clock,
    random,
    peerLifetimeSeconds: LIFETIME,
    onChange: (up, reason) => changes.push(up ? 'up' : `down: ${reason}`),
  });
  return { store, swarms, changes, [Symbol.asyncDispose]: () => swarms[Symbol.asyncDispose]() };
}

interface Told {
  readonly swarm?: number;
  readonly peer: number;
  readonly family?: 4 | 6;
  readonly seeding?: boolean;
  readonly event?: EventCode;
  readonly numWant?: number;
}

function announceOf(told: Told): IncomingAnnounce {
  const { swarm = 1, peer, family = 4, seeding = false, event = EVENT.none, numWant = 50 } = told;
  const address = new Uint8Array(family === 4 ? 4 : 16);
  address[0] = family === 4 ? 10 : 0xfd;
  address.set([peer >>> 16, peer >>> 8, peer], address.length - 3);
  return {
    infoHash: new Uint8Array(20).fill(swarm),
    peerId: new Uint8Array(20).fill(peer),
    address,
    port: 6881,
    seeding,
    event,
    numWant,
  };
}

function tell(
  { swarms }: Site,
  told: Told,
  wanted: Wanted = 'both-families',
): Promise<RemoteAnswer> {
  return swarms.announce(announceOf(told), wanted);
}

/** Numbers of the peers in an answer. */
function peersIn({ peers4, count4, peers6, count6 }: RemoteAnswer): readonly number[] {
  const found: number[] = [];
  const read = (bytes: Uint8Array, size: number): void => {
    for (let at = 0; at < bytes.length; at += size) {
      const [high = 0, middle = 0, low = 0] = bytes.subarray(at + size - 5, at + size - 2);
      found.push((high << 16) | (middle << 8) | low);
    }
  };
  read(peers4.subarray(0, 6 * count4), 6);
  read(peers6.subarray(0, 18 * count6), 18);
  return found.toSorted((a, b) => a - b);
}

const numbers = ({ seeders, leechers, completed }: SwarmCounts): readonly number[] => [
  seeders,
  leechers,
  completed,
];

async function countsIn({ swarms }: Site, swarm = 1): Promise<readonly number[]> {
  const [counts] = await swarms.scrape([new Uint8Array(20).fill(swarm)]);
  return counts === undefined ? [] : numbers(counts);
}

function isUp({ swarms, changes }: Site): Promise<unknown> {
  return until(() => swarms.up, {
    deadlineMs: DEADLINE_MS,
    what: 'Redis to be back',
    log: () => changes.join('\n'),
  });
}

/** Waits until `site` sees these numbers; what was lost is written again beside all else. */
function counted(site: Site, expected: readonly number[], swarm = 1): Promise<unknown> {
  return until(async () => String(await countsIn(site, swarm)) === String(expected), {
    deadlineMs: DEADLINE_MS,
    what: `the counts ${expected.join(' ')} of swarm ${swarm}`,
  });
}

describeWith(['redis'], 'two trackers on one Redis', () => {
  test('peers of one find those of the other', async () => {
    await using scratch = await openScratch();
    await using redis = await RedisServer.start({ state: scratch.path });
    await using a = await openSite(redis.url, 1);
    await using b = await openSite(redis.url, 2);

    expect(peersIn(await tell(a, { peer: 1 }))).toEqual([]);
    const second = await tell(b, { peer: 2, seeding: true });
    expect(peersIn(second)).toEqual([1]);
    expect(second).toMatchObject({ seeders: 1, leechers: 1, completed: 0, local: false });
    expect(peersIn(await tell(a, { peer: 3, seeding: true }))).toEqual([1]);
    expect(peersIn(await tell(b, { peer: 1 }))).toEqual([2, 3]);
    expect(peersIn(await tell(b, { peer: 4, family: 6 }))).toEqual([1, 2, 3]);
    expect(peersIn(await tell(b, { peer: 4, family: 6 }, 'same-family'))).toEqual([]);
    expect(peersIn(await tell(a, { peer: 5, numWant: 2 }))).toHaveLength(2);
    expect(await countsIn(a)).toEqual([2, 3, 0]);

    const gone = await tell(b, { peer: 1, event: EVENT.stopped });
    expect(peersIn(gone)).toEqual([]);
    expect(numbers(gone)).toEqual([2, 2, 0]);
    expect(await countsIn(a, 2)).toEqual([0, 0, 0]);
  });

  test('a download counts once, whoever hears of it and how often', async () => {
    await using scratch = await openScratch();
    await using redis = await RedisServer.start({ state: scratch.path });
    await using a = await openSite(redis.url, 1);
    await using b = await openSite(redis.url, 2);
    await tell(a, { peer: 1 });
    for (const site of [a, b, a]) {
      const answer = await tell(site, { peer: 1, seeding: true, event: EVENT.completed });
      expect(numbers(answer)).toEqual([1, 0, 1]);
    }
    await tell(b, { peer: 2, event: EVENT.completed });
    expect(await countsIn(a)).toEqual([2, 0, 2]);
  });

  test('whoever is too old is neither counted nor given out, and all keys expire', async () => {
    await using scratch = await openScratch();
    await using redis = await RedisServer.start({ state: scratch.path });
    await using site = await openSite(redis.url);
    const stem = `bip:{${'01'.repeat(20)}}`;
    const now = Number((await redis.ask('TIME')).split('\r\n')[2]);
    for (const [name, age] of [
      ['old', LIFETIME],
      ['new', LIFETIME - 60],
    ] as const) {
      await redis.ask(`ZADD ${stem}:4l ${now - age} "\\x0a\\x00\\x00${name}"`);
    }
    expect(await countsIn(site)).toEqual([0, 1, 0]);
    const answer = await tell(site, { peer: 1, event: EVENT.completed });
    expect(answer).toMatchObject({ seeders: 1, leechers: 1, completed: 1, count4: 1 });
    expect(formatIp(answer.peers4.subarray(0, 4))).toBe('10.0.0.110');
    expect(await redis.ask(`ZCARD ${stem}:4l`)).toBe('1');
    for (const [key, seconds] of [
      [':4s', LIFETIME],
      [':c', 86_400],
    ] as const) {
      expect(Number(await redis.ask(`TTL ${stem}${key}`))).toBeGreaterThanOrEqual(seconds);
    }
  });

  test('every peer is given as often as any other', async () => {
    await using scratch = await openScratch();
    await using redis = await RedisServer.start({ state: scratch.path });
    await using site = await openSite(redis.url);
    // More than fit into the short form of a sorted set.
    const peers = 400;
    await Promise.all(
      Array.from({ length: peers }, (_, peer) => tell(site, { peer, seeding: peer % 3 === 0 })),
    );
    const rounds = 1_000;
    const wanted = 40;
    const seen = new Uint32Array(peers);
    for (let round = 0; round < rounds; round++) {
      const found = peersIn(await tell(site, { peer: peers, numWant: wanted }));
      expect(new Set(found).size).toBe(wanted);
      for (const peer of found) seen[peer] = (seen[peer] ?? 0) + 1;
    }
    const expected = (rounds * wanted) / peers;
    // Seven standard deviations of a binomial distribution, and no bias between seeds and leechers.
    for (const count of seen) expect(Math.abs(count - expected)).toBeLessThan(70);
    const seeds = seen.filter((_, peer) => peer % 3 === 0);
    const mean = seeds.reduce((sum, count) => sum + count, 0) / seeds.length;
    expect(Math.abs(mean - expected)).toBeLessThan(expected / 20);
  });

  test('Redis counts as the store of one tracker does, whatever is announced', async () => {
    await using scratch = await openScratch();
    await using redis = await RedisServer.start({ state: scratch.path });
    await using site = await openSite(redis.url);
    const random = new SeededRandom(4);
    const events = Object.values(EVENT);
    for (let round = 0; round < 2_000; round++) {
      const swarm = random.below(3);
      const seeding = random.chance(0.3);
      const answer = await tell(site, {
        swarm,
        peer: random.below(12),
        family: random.chance(0.5) ? 4 : 6,
        seeding,
        event: events[random.below(events.length)] ?? EVENT.none,
        numWant: random.below(8),
      });
      const counts = { seeders: 0, leechers: 0, completed: 0 };
      site.store.scrape(new Uint8Array(20).fill(swarm), counts);
      expect(answer.local).toBe(false);
      expect(numbers(answer)).toEqual(numbers(counts));
    }
  });
});

describeWith(['redis'], 'a Redis that goes away', () => {
  test('killed under load and restarted empty, it has all peers again', async () => {
    await using scratch = await openScratch();
    await using redis = await RedisServer.start({ state: scratch.path });
    await using a = await openSite(redis.url, 1);
    await using b = await openSite(redis.url, 2);
    const enough = new AbortController();
    let next = 0;
    let answers = 0;
    const load = async (site: Site): Promise<void> => {
      while (!enough.signal.aborted) {
        const peer = next++;
        const told: Told = { swarm: peer % 7, peer, seeding: peer % 2 === 0 };
        const batch = Array.from({ length: 4 }, () => tell(site, told));
        answers += (await Promise.all(batch)).length;
        await new Promise(setImmediate);
      }
    };
    const loads = [load(a), load(b), load(a), load(b)];
    const reach = (count: number): Promise<unknown> =>
      until(() => answers >= count, { deadlineMs: DEADLINE_MS, what: `${count} answers` });
    await reach(2_000);
    await redis.kill();
    await until(() => !a.swarms.up && !b.swarms.up, {
      deadlineMs: DEADLINE_MS,
      what: 'both to notice',
    });
    // Each of them goes on with what it knows itself.
    const told = { swarm: 100, peer: 1 };
    expect(await tell(a, told)).toMatchObject({ leechers: 1, local: true });
    expect(await tell(b, { ...told, peer: 2 })).toMatchObject({ leechers: 1, local: true });
    await reach(answers + 2_000);
    await redis.start();
    await Promise.all([isUp(a), isUp(b)]);
    await reach(answers + 500);
    enough.abort();
    await Promise.all(loads);

    await counted(a, [0, 2, 0], 100);
    for (let swarm = 0; swarm < 7; swarm++) {
      const peers = Array.from({ length: next }, (_, peer) => peer).filter(
        (peer) => peer % 7 === swarm,
      );
      const seeds = peers.filter((peer) => peer % 2 === 0).length;
      await counted(b, [seeds, peers.length - seeds, 0], swarm);
    }
    expect(a.changes.at(-1)).toBe('up');
    expect(a.changes[0]).toMatch(/^down: Redis at 127[.]0[.]0[.]1:\d+ (?:is away|does not)/);
    expect([a.swarms.pending, b.swarms.pending]).toEqual([0, 0]);
  });

  test('who left meanwhile is gone, and downloads are counted', async () => {
    await using scratch = await openScratch();
    await using redis = await RedisServer.start({ state: scratch.path });
    await using a = await openSite(redis.url, 1);
    await using b = await openSite(redis.url, 2);
    for (let peer = 0; peer < 4; peer++) await tell(a, { peer });
    await tell(b, { peer: 9, event: EVENT.completed });
    // Frozen, it keeps what it has: so that the stop is needed.
    redis.freeze();
    const left = await tell(a, { peer: 0, event: EVENT.stopped });
    expect(left).toMatchObject({ leechers: 3, local: true });
    await tell(a, { peer: 1, event: EVENT.completed, seeding: true });
    await tell(a, { peer: 2, event: EVENT.stopped });
    await tell(a, { peer: 2, event: EVENT.started });
    redis.thaw();
    await isUp(a);
    await counted(b, [2, 2, 2]);
  });

  test('a Redis that takes no writes is away, and says why', async () => {
    await using scratch = await openScratch();
    await using redis = await RedisServer.start({ state: scratch.path });
    await using site = await openSite(redis.url);
    await tell(site, { peer: 1 });
    await redis.ask('CONFIG SET maxmemory 1');
    expect(await tell(site, { peer: 2 })).toMatchObject({ leechers: 2, local: true });
    expect(site.changes).toEqual([expect.stringMatching(/refuses: .*OOM/)]);
    await redis.ask('CONFIG SET maxmemory 0');
    await isUp(site);
    await counted(site, [0, 2, 0]);
  });

  test('who may not enter is told so, without the password', async () => {
    await using scratch = await openScratch();
    await using redis = await RedisServer.start({
      state: scratch.path,
      password: 'open@sesame',
    });
    await using site = await openSite(redis.url);
    expect(await tell(site, { peer: 1 })).toMatchObject({ local: false });
    const wrong = redis.url.replace('sesame', 'barley');
    await expect(openSite(wrong)).rejects.toThrow(
      /^Redis at 127[.]0[.]0[.]1:\d+ refuses: WRONGPASS/,
    );
    await expect(openSite(wrong)).rejects.not.toThrow(/barley/);
    await expect(openSite(`redis://127.0.0.1:${redis.port}`)).rejects.toThrow(/NOAUTH/);
    await redis.kill();
    await expect(openSite(redis.url)).rejects.toThrow(
      `cannot connect to Redis at 127.0.0.1:${redis.port}: the connection was refused`,
    );
  });
});

describeWith(['redis'], 'a cluster', () => {
  test('swarms are spread over the nodes, and come back to one that lost them', async () => {
    await using scratch = await openScratch();
    await using one = await RedisServer.start({ state: scratch.path, cluster: true });
    await using two = await RedisServer.start({ state: scratch.path, cluster: true });
    await using three = await RedisServer.start({ state: scratch.path, cluster: true });
    const nodes = [one, two, three];
    await formCluster(nodes);
    await expect(openSite(one.url)).rejects.toThrow(/belongs to a cluster/);
    const hosts = nodes.map(({ port }) => `127.0.0.1:${port}`);
    await using a = await openSite(`redis+cluster://${hosts.join(',')}`, 1);
    await using b = await openSite(`redis://${hosts[2] ?? ''}?cluster=true`, 2);
    const swarms = 60;
    for (let swarm = 0; swarm < swarms; swarm++) {
      await tell(a, { swarm, peer: 1 });
      const answer = await tell(b, { swarm, peer: 2, family: 6, event: EVENT.completed });
      expect(answer).toMatchObject({ seeders: 1, leechers: 1, completed: 1, local: false });
      expect(peersIn(answer)).toEqual([1]);
    }
    for (const node of nodes) {
      expect(Number(await node.ask('DBSIZE'))).toBeGreaterThan(swarms / 10);
    }
    await two.kill();
    await until(() => !a.swarms.up, { deadlineMs: DEADLINE_MS, what: 'the loss to be seen' });
    await two.start();
    await Promise.all([isUp(a), isUp(b)]);
    for (let swarm = 0; swarm < swarms; swarm++) await counted(a, [1, 1, 1], swarm);
  });
});
