import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SeededRandom } from '../../../../src/runtime/sim/index.ts';
import {
  createAnswer,
  EVENT,
  type IncomingAnnounce,
} from '../../../../src/tracker/server/model.ts';
import {
  addressOf,
  announceOf,
  announceToBoth,
  contentOf,
  createStore,
  hashOf,
  NaiveStore,
} from './naive.ts';

const LIFETIME = 100;
const EVENTS = [EVENT.none, EVENT.started, EVENT.completed, EVENT.stopped];

const anAnnounce = fc
  .record({
    infoHash: fc.nat(2).map(hashOf),
    peerId: fc.nat(3).map(hashOf),
    address: fc.tuple(fc.constantFrom<(4 | 6)[]>(4, 4, 6), fc.nat(30)),
    port: fc.constantFrom(1, 6881, 65_535),
    seeding: fc.boolean(),
    event: fc.constantFrom(...EVENTS),
    numWant: fc.constantFrom(0, 1, 5, 50, 200),
  })
  .map(({ address, ...rest }) => ({ ...rest, address: addressOf(...address) }));

const anOperation = fc.oneof(
  { arbitrary: fc.record({ announce: anAnnounce, wide: fc.boolean() }), weight: 20 },
  { arbitrary: fc.record({ later: fc.nat(3 * LIFETIME) }), weight: 2 },
  { arbitrary: fc.constant('expire' as const), weight: 1 },
  { arbitrary: fc.record({ remove: fc.nat(2) }), weight: 1 },
);

test('answers and keeps what a store of plain maps would, whatever happens', () => {
  fc.assert(
    fc.property(fc.boolean(), fc.array(anOperation, { maxLength: 150 }), (shared, operations) => {
      const store = createStore({ shared, peerLifetimeSeconds: LIFETIME });
      const naive = new NaiveStore(LIFETIME);
      for (const operation of operations) {
        if (operation === 'expire') expect(store.expire(1e9)).toBe(naive.expire());
        else if ('later' in operation) store.setTime((naive.time += operation.later));
        else if ('remove' in operation) {
          store.remove(hashOf(operation.remove));
          naive.swarms.delete(Buffer.from(hashOf(operation.remove)).toString('hex'));
        } else {
          const { announce, wide } = operation;
          const wanted = wide ? 'both-families' : 'same-family';
          expect(announceToBoth(store, naive, { announce, wanted })).toBeUndefined();
        }
      }
      store.expire(1e9);
      naive.expire();
      expect(contentOf(store)).toEqual(naive.content());
      expectTotals(store, naive);
    }),
    { numRuns: 300 },
  );
});

function expectTotals(store: ReturnType<typeof createStore>, naive: NaiveStore): void {
  const all = [...naive.swarms.values()].flatMap(({ peers }) => [...peers.values()]);
  const peers4 = all.filter(({ isFour }) => isFour).length;
  const seeders = all.filter(({ seeding }) => seeding).length;
  expect(store.totals).toMatchObject({
    swarms: naive.swarms.size,
    peers4,
    peers6: all.length - peers4,
    seeders,
    leechers: all.length - seeders,
    completed: naive.completed,
  });
}

test.each([[false], [true]])('a long life of large swarms: shared %s', (shared) => {
  const random = new SeededRandom(11);
  const store = createStore({ shared, peerLifetimeSeconds: LIFETIME });
  const naive = new NaiveStore(LIFETIME);
  const any = (below: number): number => random.uint32() % below;
  let most = 0;
  for (let round = 0; round < 6000; round++) {
    const kind = any(100);
    const announce: IncomingAnnounce = announceOf({
      infoHash: hashOf(any(3)),
      peerId: hashOf(any(1000)),
      address: addressOf(kind < 70 ? 4 : 6, any(200)),
      seeding: any(3) === 0,
      // There are times of growth and times of decline.
      event: any(20) < (round % 3000 < 1500 ? 1 : 12) ? EVENT.stopped : EVENT.none,
      numWant: any(20),
    });
    const fault = announceToBoth(store, naive, { announce, wanted: 'both-families' });
    if (fault !== undefined) expect.fail(`round ${round}: ${fault}`);
    if (round % 100 === 0) store.setTime(++naive.time);
    if (round % 1000 === 999) expect(store.expire(1e9)).toBe(naive.expire());
    most = Math.max(most, store.totals.peers4);
  }
  expect(most).toBeGreaterThan(200);
  expect(contentOf(store)).toEqual(naive.content());
  expectTotals(store, naive);
});

test('a replayed `completed` counts once, and the peer is a seed from then on', () => {
  const store = createStore();
  const answer = createAnswer();
  const call = announceOf({ event: EVENT.completed });
  store.announce(call, 'same-family', answer);
  store.announce(call, 'same-family', answer);
  expect(answer).toMatchObject({ seeders: 1, leechers: 0, completed: 1 });
  store.announce(announceOf(), 'same-family', answer);
  store.announce(call, 'same-family', answer);
  expect(answer).toMatchObject({ seeders: 1, leechers: 0, completed: 2 });
});

test('the same address with another port is another peer', () => {
  const store = createStore();
  const answer = createAnswer();
  store.announce(announceOf({ port: 1 }), 'same-family', answer);
  store.announce(announceOf({ port: 2 }), 'same-family', answer);
  expect(answer).toMatchObject({ leechers: 2, count4: 1 });
  expect([...answer.peers4.subarray(0, 6)]).toEqual([10, 0, 0, 1, 0, 1]);
});

test('peer ids are left out when they are not wanted', () => {
  const store = createStore();
  const answer = createAnswer();
  store.announce(announceOf({ port: 1 }), 'same-family', answer);
  store.announce(announceOf({ port: 2, withIds: false }), 'same-family', answer);
  expect([answer.count4, answer.ids4[0]]).toEqual([1, 0]);
  store.announce(announceOf({ port: 2 }), 'same-family', answer);
  expect(answer.ids4.subarray(0, 20)).toEqual(hashOf(7));
});

test('`stopped` of a stranger makes no swarm', () => {
  const store = createStore();
  const answer = createAnswer();
  expect(store.announce(announceOf({ event: EVENT.stopped }), 'same-family', answer)).toBe(true);
  expect(answer).toMatchObject({ seeders: 0, leechers: 0, completed: 0, count4: 0, count6: 0 });
  expect(store.totals.swarms).toBe(0);
});

test('scrapes say whether the swarm is known', () => {
  const store = createStore();
  const counts = { seeders: 9, leechers: 9, completed: 9 };
  expect(store.scrape(hashOf(0), counts)).toBe(false);
  expect(counts).toEqual({ seeders: 0, leechers: 0, completed: 0 });
  store.announce(announceOf({ seeding: true }), 'same-family', createAnswer());
  expect(store.scrape(hashOf(0), counts)).toBe(true);
  expect(counts).toEqual({ seeders: 1, leechers: 0, completed: 0 });
});

test('the numbers of all swarms come without their peers', () => {
  const store = createStore({ shared: true });
  for (let number = 0; number < 50; number++) {
    const call = announceOf({ infoHash: hashOf(number), seeding: number % 2 === 0 });
    store.announce(call, 'same-family', createAnswer());
  }
  const counts = [...store.counts()];
  expect(counts).toHaveLength(50);
  expect(counts.filter(({ seeders }) => seeders === 1)).toHaveLength(25);
  expect(counts.filter(({ leechers }) => leechers === 1)).toHaveLength(25);
});
