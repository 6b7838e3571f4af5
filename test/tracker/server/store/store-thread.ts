/** One of several threads that announce to one store: `threads.test.ts` starts it. */

import { parentPort, workerData } from 'node:worker_threads';
import { SeededRandom } from '../../../../src/runtime/sim/index.ts';
import { createAnswer, EVENT } from '../../../../src/tracker/server/model.ts';
import { type StoreHandle, SwarmStore } from '../../../../src/tracker/server/store/index.ts';
import { addressOf, announceOf, hashOf, NaiveStore } from './naive.ts';

export interface ThreadTask {
  readonly handle: StoreHandle;
  readonly thread: number;
  readonly announces: number;
}

export interface ThreadResult {
  readonly content: readonly string[];
  readonly completed: number;
  readonly refused: number;
  /** Answers with more peers than counted, or with the peer itself. */
  readonly wrong: number;
}

const EVENTS = [EVENT.none, EVENT.none, EVENT.completed, EVENT.stopped];
const PEERS = 120;
const SWARMS = 40;

/** Peers of a thread are its own, swarms are everybody's. */
function run({ handle, thread, announces }: ThreadTask): ThreadResult {
  const store = SwarmStore.attach(handle);
  const random = new SeededRandom(thread);
  const naive = new NaiveStore(handle.peerLifetimeSeconds);
  const answer = createAnswer();
  let refused = 0;
  let wrong = 0;
  for (let round = 0; round < announces; round++) {
    const any = random.uint32();
    const call = announceOf({
      infoHash: hashOf(any % SWARMS),
      address: addressOf(any & 0x100 ? 4 : 6, thread * 1000 + ((any >>> 9) % PEERS)),
      seeding: (any & 0x1_0000) !== 0,
      event: EVENTS[any >>> 30] ?? EVENT.none,
      numWant: 10,
    });
    if (store.announce(call, 'both-families', answer)) naive.announce(call);
    else refused++;
    if (answer.count4 + answer.count6 > answer.seeders + answer.leechers) wrong++;
  }
  return { content: naive.content(), completed: naive.completed, refused, wrong };
}

const task: ThreadTask = workerData;
parentPort?.postMessage(run(task));
