import { expect, test } from 'vitest';
import { createAnswer, EVENT } from '../../../../src/tracker/server/model.ts';
import { addressOf, announceOf, createStore, hashOf } from './naive.ts';

const answer = createAnswer();

test('a peer is forgotten after its lifetime and not before', () => {
  const store = createStore({ peerLifetimeSeconds: 100 });
  store.announce(announceOf(), 'same-family', answer);
  store.setTime(99);
  expect(store.expire(1000)).toBe(0);
  store.announce(announceOf({ port: 2 }), 'same-family', answer);
  store.setTime(100);
  expect(store.expire(1000)).toBe(1);
  expect(answer.leechers).toBe(2);
  expect(store.totals.leechers).toBe(1);
});

test.each([[false], [true]])('a large swarm is swept in small steps: shared %s', (shared) => {
  const store = createStore({ shared, peerLifetimeSeconds: 100 });
  for (let peer = 0; peer < 5000; peer++) {
    store.setTime(peer < 2500 ? 0 : 50);
    const address = addressOf(peer % 3 === 0 ? 6 : 4, peer);
    store.announce(announceOf({ address, seeding: peer % 2 === 0 }), 'same-family', answer);
  }
  store.setTime(120);
  let forgotten = 0;
  for (let step = 0; step < 400; step++) {
    const now = store.expire(50);
    expect(now).toBeLessThanOrEqual(52);
    forgotten += now;
  }
  expect(forgotten).toBe(2500);
  expect(store.totals.seeders + store.totals.leechers).toBe(2500);
  store.setTime(150);
  for (let step = 0; step < 200; step++) forgotten += store.expire(50);
  expect(forgotten).toBe(5000);
  expect(store.totals).toMatchObject({ swarms: 0, seeders: 0, leechers: 0 });
});

test('memory of what is gone is free again', () => {
  const store = createStore();
  const { bytesUsed } = store.totals;
  for (let peer = 0; peer < 5000; peer++) {
    const call = { address: addressOf(4, peer), infoHash: hashOf(peer % 7) };
    store.announce(announceOf(call), 'same-family', answer);
  }
  expect(store.totals.bytesUsed).toBeGreaterThan(bytesUsed + 5000 * 28);
  store.setTime(1000);
  store.expire(1e9);
  expect(store.totals.bytesUsed).toBe(bytesUsed);
});

test('time does not run backwards', () => {
  const store = createStore();
  store.setTime(50);
  store.announce(announceOf(), 'same-family', answer);
  store.setTime(10);
  expect(store.time).toBe(50);
  store.setTime(149);
  expect(store.expire(1000)).toBe(0);
});

test.each([[101], [65_536], [65_536 + 50], [10_000_000]])(
  'after a jump of %i seconds the old are old and the new are new',
  (seconds) => {
    const store = createStore({ peerLifetimeSeconds: 100 });
    store.announce(announceOf({ port: 1 }), 'same-family', answer);
    store.setTime(seconds);
    store.announce(announceOf({ port: 2 }), 'same-family', answer);
    expect(store.expire(1000)).toBe(1);
    store.setTime(seconds + 99);
    expect(store.expire(1000)).toBe(0);
    store.setTime(seconds + 100);
    expect(store.expire(1000)).toBe(1);
  },
);

test('lifetimes of days are kept in longer ticks', () => {
  const day = 86_400;
  const store = createStore({ peerLifetimeSeconds: 7 * day });
  store.announce(announceOf(), 'same-family', answer);
  for (let now = 0; now < 7 * day - 100; now += 997) store.setTime(now);
  expect(store.expire(1000)).toBe(0);
  store.setTime(7 * day + 200);
  expect(store.expire(1000)).toBe(1);
});

test('a swarm without peers is kept for its downloads, until room is needed', () => {
  const store = createStore({ maxSwarms: 32 });
  const counts = { seeders: 0, leechers: 0, completed: 0 };
  for (let swarm = 0; swarm < 32; swarm++) {
    const infoHash = hashOf(swarm);
    store.announce(announceOf({ infoHash, event: EVENT.completed }), 'same-family', answer);
    store.announce(announceOf({ infoHash, event: EVENT.stopped }), 'same-family', answer);
    expect(answer).toMatchObject({ seeders: 0, completed: 1 });
  }
  expect(store.totals.swarms).toBe(32);
  // The one that was quiet for longest makes room, and the sweep keeps some free.
  store.announce(announceOf({ infoHash: hashOf(100) }), 'same-family', answer);
  expect(store.scrape(hashOf(0), counts)).toBe(false);
  expect(store.scrape(hashOf(1), counts)).toBe(true);
  store.expire(1e9);
  expect(store.totals).toMatchObject({ swarms: 30, leechers: 1, completed: 32 });
  expect(store.scrape(hashOf(2), counts)).toBe(false);
  expect(store.scrape(hashOf(100), counts)).toBe(true);
});
