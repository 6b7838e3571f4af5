import { expect, test } from 'vitest';
import { SeededRandom } from '../../../../src/runtime/sim/index.ts';
import {
  createAnswer,
  EVENT,
  type IncomingAnnounce,
} from '../../../../src/tracker/server/model.ts';
import type { SwarmStore } from '../../../../src/tracker/server/store/index.ts';
import { announceOf, createStore, hashOf } from './naive.ts';

const EVENTS = [EVENT.none, EVENT.started, EVENT.completed, EVENT.stopped];

/** Announces of some thousands of peers in a hundred swarms, without garbage of its own. */
class Crowd {
  readonly #random = new SeededRandom(5);
  readonly #call: IncomingAnnounce = announceOf({ infoHash: hashOf(0), withIds: true });
  readonly #answer = createAnswer();
  readonly #infoHash = new DataView(this.#call.infoHash.buffer);
  readonly #addresses = [new Uint8Array(4), new Uint8Array(16)].map((bytes) => ({
    bytes,
    view: new DataView(bytes.buffer),
  }));
  readonly #store: SwarmStore;
  seconds = 0;

  constructor(store: SwarmStore) {
    this.#store = store;
  }

  announce(times: number): void {
    const call = this.#call;
    for (let time = 0; time < times; time++) {
      const random = this.#random.uint32();
      const address = this.#addresses[random % 3 === 0 ? 1 : 0];
      if (address === undefined) return;
      // Low numbers are drawn more often: there are large swarms and small ones.
      const swarm = (((random & 0xff) * ((random >>> 8) & 0xff)) / 650) | 0;
      this.#infoHash.setUint32(8, swarm);
      address.view.setUint32(address.bytes.length - 4, (random >>> 16) & 0x3ff);
      call.address = address.bytes;
      call.seeding = (random & 0x4000_0000) !== 0;
      call.event = EVENTS[random >>> 29] ?? EVENT.none;
      this.#store.announce(call, 'both-families', this.#answer);
      if (time % 500 === 0) this.#store.setTime(++this.seconds);
      if (time % 20 === 0) this.#store.expire(40);
    }
  }
}

test.each([[false], [true]])(
  'a million announces later, no more is in use: shared %s',
  (shared) => {
    const store = createStore({ shared, peerLifetimeSeconds: 60 });
    const crowd = new Crowd(store);
    crowd.announce(200_000);
    const { bytesReserved } = store.totals;
    crowd.announce(shared ? 200_000 : 1_000_000);
    expect(store.totals.peers4 + store.totals.peers6).toBeGreaterThan(5000);
    expect(store.totals.bytesReserved).toBeLessThan(bytesReserved * 1.1);
    store.setTime(crowd.seconds + 1000);
    store.expire(1e9);
    expect(store.totals).toMatchObject({ peers4: 0, peers6: 0, seeders: 0, leechers: 0 });
  },
);

test('announces leave no garbage', () => {
  const store = createStore({ peerLifetimeSeconds: 60 });
  const crowd = new Crowd(store);
  crowd.announce(200_000);
  const before = process.memoryUsage().heapUsed;
  const times = 400_000;
  crowd.announce(times);
  // An object is 16 bytes or more; what compilers leave comes once.
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(times * 8);
});
