import { expect, test } from 'vitest';
import { createAnswer, EVENT } from '../../../../src/tracker/server/model.ts';
import { addressOf, announceOf, contentOf, createStore, hashOf } from './naive.ts';

const answer = createAnswer();

test.each([[false], [true]])('no more peers than allowed: shared %s', (shared) => {
  const store = createStore({ shared, maxPeers: 100 });
  const announce = (peer: number, changes = {}): boolean => {
    const call = { address: addressOf(peer % 2 === 0 ? 4 : 6, peer), infoHash: hashOf(peer % 9) };
    return store.announce(announceOf({ ...call, ...changes }), 'same-family', answer);
  };
  for (let peer = 0; peer < 100; peer++) expect(announce(peer)).toBe(true);
  const before = contentOf(store);
  expect(announce(100)).toBe(false);
  expect(announce(100, { infoHash: hashOf(1000) })).toBe(false);
  expect(contentOf(store)).toEqual(before);
  // Those who are there stay welcome, and who leaves makes room.
  expect(announce(50, { seeding: true })).toBe(true);
  expect(announce(51, { event: EVENT.stopped })).toBe(true);
  expect(announce(100)).toBe(true);
  expect(announce(51)).toBe(false);
});

test.each([[false], [true]])('no more swarms than allowed: shared %s', (shared) => {
  const store = createStore({ shared, maxSwarms: 50 });
  const announce = (swarm: number): boolean =>
    store.announce(announceOf({ infoHash: hashOf(swarm) }), 'same-family', answer);
  for (let swarm = 0; swarm < 50; swarm++) expect(announce(swarm)).toBe(true);
  const before = contentOf(store);
  for (let swarm = 50; swarm < 500; swarm++) expect(announce(swarm)).toBe(false);
  expect(contentOf(store)).toEqual(before);
  store.remove(hashOf(7));
  expect(announce(77)).toBe(true);
  expect(announce(78)).toBe(false);
});

test('no more memory than allowed, and full use of it', () => {
  const store = createStore({ maxBytes: 1024 * 1024 });
  let peers = 0;
  const announce = (): boolean => {
    const call = { address: addressOf(4, peers), infoHash: hashOf(peers % 100) };
    return store.announce(announceOf(call), 'same-family', answer);
  };
  while (announce()) peers++;
  expect(store.totals.bytesReserved).toBeLessThanOrEqual(1024 * 1024);
  expect(peers).toBeGreaterThan((1024 * 1024) / 64);
  const before = contentOf(store);
  expect(announce()).toBe(false);
  expect(contentOf(store)).toEqual(before);
  // Small swarms give their memory to a large one.
  store.setTime(1000);
  store.expire(1e9);
  let large = 0;
  const join = (): boolean =>
    store.announce(announceOf({ address: addressOf(4, large) }), 'same-family', answer);
  while (join()) large++;
  expect(large).toBeGreaterThan(5000);
});

test('one peer and one swarm are the least', () => {
  const store = createStore({ maxPeers: 0, maxSwarms: 0, maxBytes: 0 });
  expect(store.announce(announceOf(), 'same-family', answer)).toBe(true);
  expect(store.announce(announceOf({ port: 2 }), 'same-family', answer)).toBe(false);
});

test('an answer holds no more peers than it has room for', () => {
  const store = createStore();
  for (let peer = 0; peer < 500; peer++) {
    store.announce(announceOf({ address: addressOf(4, peer) }), 'same-family', answer);
  }
  store.announce(announceOf({ numWant: 100_000 }), 'same-family', answer);
  expect(answer.count4).toBe(200);
});
