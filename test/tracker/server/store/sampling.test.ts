import { expect, test } from 'vitest';
import { createAnswer, type IncomingAnnounce } from '../../../../src/tracker/server/model.ts';
import { SwarmStore } from '../../../../src/tracker/server/store/index.ts';
import { addressOf, announceOf, createStore, peersOf } from './naive.ts';

const ROUNDS = 8000;

/** `peers` peers, every third a seed. */
function swarmOf(peers: number): SwarmStore {
  const store = createStore();
  for (let peer = 0; peer < peers; peer++) {
    const call = announceOf({ address: addressOf(4, peer), seeding: peer % 3 === 0 });
    store.announce(call, 'same-family', createAnswer());
  }
  return store;
}

/** How often each peer was given, when `call` was answered {@link ROUNDS} times. */
function tally(store: SwarmStore, call: IncomingAnnounce): readonly number[] {
  const times = new Map<number, number>();
  const answer = createAnswer();
  const view = new DataView(answer.peers4.buffer);
  for (let round = 0; round < ROUNDS; round++) {
    store.announce(call, 'same-family', answer);
    for (let at = 0; at < answer.count4; at++) {
      const peer = view.getUint32(at * 6);
      times.set(peer, (times.get(peer) ?? 0) + 1);
    }
  }
  return [...times.values()];
}

/** Of independent draws it is about `times.length`, and hardly ever above twice that. */
function chiSquare(times: readonly number[]): number {
  const expected = times.reduce((sum, count) => sum + count, 0) / times.length;
  return times.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

test.each([
  [100, 10],
  [100, 1],
  [100, 99],
  [37, 7],
  [37, 30],
  [1000, 50],
])('of %i peers, all are as likely to be among %i', (peers, numWant) => {
  const store = swarmOf(peers);
  const times = tally(store, announceOf({ address: addressOf(4, 50_000), numWant }));
  expect(times).toHaveLength(peers);
  expect(chiSquare(times)).toBeLessThan(peers * 1.6);
});

test('who asks is left out, and all others are as likely', () => {
  const store = swarmOf(60);
  const times = tally(store, announceOf({ address: addressOf(4, 31), numWant: 8 }));
  expect(times).toHaveLength(59);
  expect(chiSquare(times)).toBeLessThan(59 * 1.6);
});

test('seeds get leechers, all as likely', () => {
  const store = swarmOf(90);
  const call = announceOf({ address: addressOf(4, 50_000), numWant: 8, seeding: true });
  const times = tally(store, call);
  expect(times).toHaveLength(60);
  expect(chiSquare(times)).toBeLessThan(60 * 1.6);
});

test('every two peers are given together now and then', () => {
  const store = swarmOf(20);
  const pairs = new Set<string>();
  const answer = createAnswer();
  const call = announceOf({ address: addressOf(4, 50_000), numWant: 2 });
  for (let round = 0; round < ROUNDS; round++) {
    store.announce(call, 'same-family', answer);
    pairs.add(peersOf(answer).toSorted().join(' '));
  }
  expect(pairs.size).toBe((20 * 19) / 2);
});

test('two doors to one store draw differently', () => {
  const store = swarmOf(500);
  const call = announceOf({ address: addressOf(4, 50_000), numWant: 20 });
  const [one, two] = [createAnswer(), createAnswer()];
  store.announce(call, 'same-family', one);
  SwarmStore.attach(store.handle).announce(call, 'same-family', two);
  expect([one.count4, two.count4]).toEqual([20, 20]);
  expect(two.peers4).not.toEqual(one.peers4);
});
