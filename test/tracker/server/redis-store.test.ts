import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Clock, Millis } from '../../../src/runtime/ports.ts';
import { SeededRandom } from '../../../src/runtime/sim/index.ts';
import {
  EVENT,
  type EventCode,
  type IncomingAnnounce,
  type RemoteAnswer,
} from '../../../src/tracker/server/model.ts';
import { ANNOUNCE, PROBE } from '../../../src/tracker/server/redis-script.ts';
import { RedisSwarms } from '../../../src/tracker/server/redis-store.ts';
import { SwarmStore } from '../../../src/tracker/server/store/index.ts';
import { makeWorld } from '../../sim/world.ts';
import { FakeRedis, type Fate } from './fake-redis.ts';

const LIFETIME = 3_600;

interface Scene {
  readonly clock: Clock;
  readonly redis: FakeRedis;
  readonly store: SwarmStore;
  readonly swarms: RedisSwarms;
  /** What another thread of the tracker has. Whoever calls disposes it. */
  another(): RedisSwarms;
  readonly changes: string[];
  pass(ms: Millis): Promise<void>;
}

interface SceneOptions {
  /** Several threads have the store. */
  readonly shared?: boolean;
  /** What happens before there are shared swarms. */
  readonly before?: (scene: Pick<Scene, 'redis' | 'store'>) => void;
  readonly prefix?: string;
}

/** In virtual time, with the store's clock going along. */
function play(story: (scene: Scene) => Promise<void>, options: SceneOptions = {}): Promise<void> {
  const world = makeWorld();
  const { clock } = world.host('10.0.0.1').runtime;
  const redis = new FakeRedis(clock);
  const random = new SeededRandom(3);
  const store = new SwarmStore({
    shared: options.shared ?? false,
    maxPeers: 100_000,
    maxSwarms: 1_000,
    maxBytes: 16 * 1024 * 1024,
    random,
    peerLifetimeSeconds: LIFETIME,
  });
  const pass = async (ms: Millis): Promise<void> => {
    await new Promise<void>((resolve) => {
      clock.schedule(clock.now() + ms, resolve);
    });
    store.setTime(Math.floor(clock.now() / 1000));
  };
  options.before?.({ redis, store });
  const changes: string[] = [];
  const about = {
    link: redis,
    clock,
    random,
    peerLifetimeSeconds: LIFETIME,
    ...(options.prefix === undefined ? {} : { prefix: options.prefix }),
  };
  const another = (): RedisSwarms =>
    new RedisSwarms({ ...about, store: SwarmStore.attach(store.handle) });
  const run = async (): Promise<void> => {
    const onChange = (up: boolean, reason?: string): unknown =>
      changes.push(up ? 'up' : `down: ${reason}`);
    await using swarms = new RedisSwarms({ ...about, store, onChange });
    await story({ clock, redis, store, swarms, another, changes, pass });
  };
  return world.run(run());
}

function swarmOf(swarm: number): Uint8Array {
  return new Uint8Array(20).fill(swarm);
}

function announceOf(
  peer: number,
  {
    swarm = 1,
    seeding = false,
    event = EVENT.none,
  }: Partial<IncomingAnnounce> & {
    readonly swarm?: number;
    readonly event?: EventCode;
  } = {},
): IncomingAnnounce {
  return {
    infoHash: swarmOf(swarm),
    peerId: new Uint8Array(20).fill(peer),
    address: Uint8Array.of(10, 0, peer >>> 8, peer),
    port: 6881,
    seeding,
    event,
    numWant: 50,
  };
}

function tell({ swarms }: Scene, ...about: Parameters<typeof announceOf>): Promise<RemoteAnswer> {
  return swarms.announce(announceOf(...about), 'same-family');
}

const numbersOf = ({ seeders, leechers, completed, local }: RemoteAnswer): unknown[] => [
  seeders,
  leechers,
  completed,
  local,
];

test('answers come from Redis', () =>
  play(async (scene) => {
    scene.redis.swarms.set('01'.repeat(20), new Map([['elsewhere', { kind: 's', seen: 0 }]]));
    expect(numbersOf(await tell(scene, 1))).toEqual([1, 1, 0, false]);
    expect(await scene.swarms.scrape([swarmOf(1), swarmOf(2)])).toEqual([
      { seeders: 1, leechers: 1, completed: 0 },
      { seeders: 0, leechers: 0, completed: 0 },
    ]);
    expect(scene.swarms.pending).toBe(0);
  }));

test('without a connection the own store answers at once, with peers and their ids', () =>
  play(async (scene) => {
    await tell(scene, 1);
    scene.redis.connect(false);
    const began = scene.clock.now();
    const answer = await tell(scene, 2, { seeding: true });
    expect(scene.clock.now()).toBe(began);
    expect(numbersOf(answer)).toEqual([1, 1, 0, true]);
    expect(answer.count4).toBe(1);
    expect(answer.peers4).toEqual(Uint8Array.of(10, 0, 0, 1, 26, 225));
    expect(answer.ids4).toEqual(new Uint8Array(20).fill(1));
    expect(await scene.swarms.scrape([swarmOf(1)])).toEqual([
      { seeders: 1, leechers: 1, completed: 0 },
    ]);
    expect(scene.changes).toEqual(['down: the cable was pulled']);
  }));

test('what is asked may change once the call has returned', () =>
  play(async (scene) => {
    const announce = announceOf(1);
    const answer = scene.swarms.announce(announce, 'same-family');
    announce.infoHash.fill(9);
    announce.address.fill(9);
    await answer;
    expect(scene.redis.counts(swarmOf(1))).toEqual([0, 1, 0]);
    expect(scene.redis.counts(swarmOf(9))).toEqual([0, 0, 0]);
  }));

test('the first failure ends the asking, and Redis is tried more and more rarely', () =>
  play(async (scene) => {
    scene.redis.fate = () => 'refused';
    expect((await tell(scene, 1)).local).toBe(true);
    expect(scene.changes).toEqual(['down: Redis refuses']);
    for (let peer = 2; peer < 100; peer++) expect((await tell(scene, peer)).local).toBe(true);
    expect(scene.redis.calls).toEqual(['announce']);
    await scene.pass(600_000);
    const probes = scene.redis.calls.filter((name) => name === 'probe').length;
    expect(probes).toBeGreaterThan(15);
    expect(probes).toBeLessThan(50);
    scene.redis.fate = () => 'done';
    await scene.pass(60_000);
    expect(scene.swarms.up).toBe(true);
    expect(scene.redis.counts(swarmOf(1))).toEqual([0, 99, 0]);
  }));

test('a Redis that lost everything has all peers again, in batches, with their ages', () =>
  play(async (scene) => {
    for (let peer = 0; peer < 250; peer++) {
      await tell(scene, peer, { seeding: peer % 2 === 0, event: EVENT.completed });
    }
    await tell(scene, 1, { swarm: 2 });
    await scene.pass(100_000);
    scene.redis.connect(false);
    scene.redis.loseAll();
    scene.redis.calls.length = 0;
    scene.redis.connect(true);
    await scene.pass(1_000);
    expect(scene.redis.calls).toEqual(['probe', ...Array(4).fill('restore')]);
    expect(scene.redis.counts(swarmOf(1))).toEqual([250, 0, 250]);
    expect(scene.redis.counts(swarmOf(2))).toEqual([0, 1, 0]);
    for (const { seen } of scene.redis.swarms.get('01'.repeat(20))?.values() ?? []) {
      expect(seen).toBeLessThanOrEqual(3);
    }
    expect(scene.changes).toEqual(['down: the cable was pulled', 'up']);
  }));

test('peers from a file are written at the start', () =>
  play(
    async (scene) => {
      await scene.pass(100);
      expect(scene.redis.counts(swarmOf(1))).toEqual([1, 0, 7]);
    },
    {
      before: ({ store }) => {
        const { peerId, address, port, infoHash } = announceOf(1);
        const peer = { family: 4, address, port, peerId, seeding: true, ageSeconds: 5 } as const;
        store.restore({ infoHash, completed: 7, peers: [peer] });
      },
    },
  ));

test('a connection that is not there yet is waited for', () =>
  play(
    async (scene) => {
      expect(scene.swarms.up).toBe(false);
      await tell(scene, 1);
      expect(scene.redis.calls).toEqual([]);
      scene.redis.connect(true);
      await scene.pass(100);
      expect(scene.redis.counts(swarmOf(1))).toEqual([0, 1, 0]);
    },
    { before: ({ redis }) => redis.connect(false) },
  ));

test('new announces do not wait for what is written again, and are not overwritten', () =>
  play(async (scene) => {
    await Promise.all(Array.from({ length: 5_000 }, (_, peer) => tell(scene, peer)));
    scene.redis.connect(false);
    scene.redis.connect(true);
    await scene.pass(11);
    expect(scene.swarms.up).toBe(true);
    const news = [
      tell(scene, 4_998, { event: EVENT.completed }),
      tell(scene, 4_999, { event: EVENT.stopped }),
    ];
    for (const answer of await Promise.all(news)) expect(answer.local).toBe(false);
    expect(scene.redis.calls.at(-1)).toBe('restore');
    await scene.pass(5_000);
    expect(scene.redis.counts(swarmOf(1))).toEqual([1, 4_998, 1]);
  }));

test('who leaves while Redis is away is gone afterwards; who comes back is there', () =>
  play(async (scene) => {
    for (let peer = 0; peer < 4; peer++) await tell(scene, peer);
    await scene.pass(5_000);
    scene.redis.connect(false);
    await tell(scene, 0, { event: EVENT.stopped });
    await tell(scene, 1, { event: EVENT.stopped });
    await tell(scene, 1, { event: EVENT.started });
    await scene.pass(5_000);
    scene.redis.connect(true);
    await scene.pass(1_000);
    expect(scene.redis.counts(swarmOf(1))).toEqual([0, 3, 0]);
  }));

test('only so many that left are remembered', () =>
  play(async (scene) => {
    await Promise.all(Array.from({ length: 10_100 }, (_, peer) => tell(scene, peer)));
    scene.redis.connect(false);
    await scene.pass(2_000);
    for (let peer = 0; peer < 10_100; peer++) await tell(scene, peer, { event: EVENT.stopped });
    scene.redis.connect(true);
    await scene.pass(10_000);
    expect(scene.redis.counts(swarmOf(1))).toEqual([0, 100, 0]);
  }));

test('threads of one tracker write its downloads once', () =>
  play(
    async (scene) => {
      await using second = scene.another();
      for (let peer = 0; peer < 6; peer++) {
        const done = announceOf(peer, { event: EVENT.completed });
        await (peer % 2 === 0 ? scene.swarms : second).announce(done, 'same-family');
      }
      expect(scene.redis.counts(swarmOf(1))).toEqual([6, 0, 6]);
      scene.redis.connect(false);
      scene.redis.loseAll();
      scene.redis.connect(true);
      await scene.pass(1_000);
      expect(scene.redis.calls.filter((name) => name === 'restore')).toHaveLength(2);
      expect(scene.redis.counts(swarmOf(1))).toEqual([6, 0, 6]);
    },
    { shared: true },
  ));

test('a download that overtakes what another thread writes again is not lost', () =>
  play(
    async (scene) => {
      await using second = scene.another();
      const done = (by: RedisSwarms, peer: number): Promise<unknown> =>
        by.announce(announceOf(peer, { event: EVENT.completed }), 'same-family');
      for (let peer = 0; peer < 6; peer++) await done(scene.swarms, peer);
      scene.redis.connect(false);
      scene.redis.loseAll();
      scene.redis.scripts.add(PROBE.digest).add(ANNOUNCE.digest);
      const overtaking: Promise<unknown>[] = [];
      scene.redis.fate = (name) => {
        // The second thread is still on its way, and has one of its own when it comes.
        if (name === 'restore' && overtaking.length === 0) overtaking.push(done(second, 6));
        else if (name === 'restore') overtaking.push(done(scene.swarms, 7));
        return 'done';
      };
      scene.redis.connect(true);
      await scene.pass(1_000);
      await Promise.all(overtaking);
      expect(scene.redis.counts(swarmOf(1))).toEqual([8, 0, 8]);
    },
    { shared: true },
  ));

test('a download right behind what is written again adds to it', () =>
  play(async (scene) => {
    for (let peer = 0; peer < 6; peer++) await tell(scene, peer, { event: EVENT.completed });
    scene.redis.connect(false);
    scene.redis.loseAll();
    // Others were here before.
    scene.redis.scripts.add(PROBE.digest).add(ANNOUNCE.digest);
    scene.redis.connect(true);
    await scene.pass(6);
    expect(scene.redis.calls.at(-1)).toBe('restore');
    await tell(scene, 6, { event: EVENT.completed });
    await scene.pass(100);
    expect(scene.redis.counts(swarmOf(1))).toEqual([7, 0, 7]);
  }));

test('a call that fails late says nothing of a Redis that went and came back', () =>
  play(async (scene) => {
    scene.redis.fate = (name) => (name === 'announce' ? 'lost' : 'done');
    const late = [tell(scene, 1), tell(scene, 2, { event: EVENT.stopped })];
    const scrapes = scene.swarms.scrape([swarmOf(1)]);
    await scene.pass(100);
    scene.redis.connect(false);
    scene.redis.connect(true);
    for (const answer of await Promise.all(late)) expect(answer.local).toBe(true);
    await scrapes;
    await scene.pass(5_000);
    expect(scene.changes).toEqual(['down: the cable was pulled', 'up']);
    expect(scene.redis.counts(swarmOf(1))).toEqual([0, 1, 0]);
  }));

test('a disposal waits for what is under way, and ends all further attempts', () =>
  play(async (scene) => {
    const answer = tell(scene, 1);
    await scene.swarms[Symbol.asyncDispose]();
    await scene.swarms[Symbol.asyncDispose]();
    expect(scene.redis.disposals).toBe(1);
    expect(scene.swarms.pending).toBe(0);
    expect((await answer).local).toBe(false);
    scene.redis.connect(false);
    scene.redis.connect(true);
    await scene.pass(60_000);
    expect(scene.redis.calls).toEqual(['announce']);
  }));

test('a prefix with braces would tear the keys of a swarm apart', async () => {
  await expect(play(() => Promise.resolve(), { prefix: 'a{b}' })).rejects.toThrow(
    /has braces in it/,
  );
});

test('whatever fails and when, in the end Redis knows what the tracker knows', async () => {
  const step = fc.record({
    peer: fc.nat(7),
    swarm: fc.nat(1),
    event: fc.constantFrom(...Object.values(EVENT)),
    seeding: fc.boolean(),
    before: fc.constantFrom<Millis>(0, 3, 1_200, 40_000),
    after: fc.constantFrom('nothing', 'down', 'up', 'loss'),
  });
  const fates = fc.array(fc.constantFrom<Fate>('done', 'done', 'unanswered', 'refused', 'lost'), {
    minLength: 1,
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), fates, (steps, failures) =>
      play(async (scene) => {
        scene.redis.fate = (_, call) => failures[call % failures.length] ?? 'done';
        const answers: Promise<RemoteAnswer>[] = [];
        // Within a second or so who has all pieces counts as a seed, and nobody loses pieces so fast.
        const seeds = new Set<string>();
        for (const { peer, before, after, swarm, event, seeding } of steps) {
          await scene.pass(before);
          const name = `${swarm} ${peer}`;
          if (seeding || event === EVENT.completed) seeds.add(name);
          answers.push(tell(scene, peer, { swarm, event, seeding: seeds.has(name) }));
          if (after === 'loss') {
            scene.redis.connect(false);
            scene.redis.loseAll();
          }
          if (after === 'down') scene.redis.connect(false);
          if (after === 'up') scene.redis.connect(true);
        }
        await Promise.all(answers);
        scene.redis.fate = () => 'done';
        scene.redis.connect(false);
        scene.redis.connect(true);
        await scene.pass(120_000);
        expect(scene.swarms.up).toBe(true);
        expect(scene.swarms.pending).toBe(0);
        for (const swarm of [0, 1]) {
          const counts = { seeders: 0, leechers: 0, completed: 0 };
          scene.store.scrape(swarmOf(swarm), counts);
          const [seeders, leechers] = scene.redis.counts(swarmOf(swarm));
          expect([seeders, leechers]).toEqual([counts.seeders, counts.leechers]);
        }
      }),
    ),
    { numRuns: 300 },
  );
});
