/** The parts of bip's tracker without sockets: what is left of a packet's cost is the system's and Node's. @module */

import { SeededRandom } from '../../../src/runtime/sim/seeded-random.ts';
import { createAnswer, EVENT, type IncomingAnnounce } from '../../../src/tracker/server/model.ts';
import { SwarmStore } from '../../../src/tracker/server/store/index.ts';
import { median } from '../download/statistics.ts';
import type { Arena } from './measure.ts';
import { Population } from './population.ts';
import { cells, rule } from './tables.ts';

const WANTED = [0, 1, 50, 200];

/** Announces to stores, and what a peer takes there. */
export async function storeOnly({ options, say }: Arena): Promise<string> {
  const population = new Population(options);
  const announces = Array.from({ length: population.peers }, (_, at) => announceOf(population, at));
  const rows = [false, true].map((shared) => {
    const store = filled(population, announces, shared);
    return {
      shared,
      store,
      samples: new Map(WANTED.map((wanted) => [wanted, new Array<number>()])),
    };
  });
  for (let round = 1; round <= options.runs; round++) {
    for (const { store, shared, samples } of rows) {
      for (const [wanted, micros] of samples) {
        const each = announceFor(options.seconds, store, announces, wanted);
        micros.push(each);
        say(
          `round ${round}: ${shared ? 'shared' : 'own'}, ${wanted} wanted: ${each.toFixed(2)} us`,
        );
      }
    }
  }
  const lines = rows.map(({ shared, store, samples }) => {
    const { bytesUsed } = store.totals;
    const empty = emptyStore(population, shared).totals.bytesUsed;
    return cells([
      shared ? 'shared by threads' : 'of one thread',
      ...[...samples.values()].map((micros) => median(micros).toFixed(2)),
      ((bytesUsed - empty) / population.peers).toFixed(1),
    ]);
  });
  const titles = ['store', ...WANTED.map((wanted) => `µs, ${wanted} wanted`), 'bytes a peer'];
  return [cells(titles), rule(titles.length), ...lines].join('\n');
}

function emptyStore({ peers, swarms }: Population, shared: boolean): SwarmStore {
  return new SwarmStore({
    shared,
    maxPeers: peers,
    maxSwarms: swarms,
    maxBytes: 2 ** 32,
    random: new SeededRandom(1),
    peerLifetimeSeconds: 4500,
  });
}

/** @throws {Error} when not all peers find room. */
function filled(
  population: Population,
  announces: readonly IncomingAnnounce[],
  shared: boolean,
): SwarmStore {
  const store = emptyStore(population, shared);
  const answer = createAnswer();
  for (const announce of announces) {
    announce.numWant = 0;
    if (!store.announce(announce, 'same-family', answer)) throw new Error('the store is full');
  }
  return store;
}

/** Microseconds of one announce. */
function announceFor(
  seconds: number,
  store: SwarmStore,
  announces: readonly IncomingAnnounce[],
  wanted: number,
): number {
  const answer = createAnswer();
  const began = performance.now();
  const end = began + seconds * 1000;
  let count = 0;
  let at = 0;
  while (performance.now() < end) {
    for (let turn = 0; turn < 1000; turn++) {
      const announce = announces[at];
      at = at + 1 < announces.length ? at + 1 : 0;
      if (announce === undefined) continue;
      announce.numWant = wanted;
      store.announce(announce, 'same-family', answer);
      count++;
    }
  }
  return ((performance.now() - began) * 1000) / count;
}

function announceOf(population: Population, index: number): IncomingAnnounce {
  const { swarm, address, port, seeding, id } = population.peer(index);
  return {
    infoHash: population.infoHash(swarm),
    peerId: Buffer.from(id, 'latin1'),
    address: Uint8Array.of(127, 0, 0, 2 + address),
    port,
    seeding,
    event: EVENT.none,
    numWant: 0,
    withIds: false,
  };
}
