import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { acquire, release } from '../../../../src/tracker/server/store/lock.ts';
import { contentOf, createStore } from './naive.ts';
import type { ThreadResult, ThreadTask } from './store-thread.ts';

const THREADS = 3;
const ANNOUNCES = 40_000;

function start(task: ThreadTask): Promise<ThreadResult> {
  const worker = new Worker(new URL('store-thread.ts', import.meta.url), { workerData: task });
  return new Promise((resolve, reject) => {
    worker.once('message', resolve).once('error', reject);
  });
}

test('threads that share a store lose nothing and disturb nobody', async () => {
  const store = createStore({ shared: true, peerLifetimeSeconds: 1000 });
  const working = Array.from({ length: THREADS }, (_, thread) =>
    start({ handle: store.handle, thread, announces: ANNOUNCES }),
  );
  const done = new AbortController();
  const results = Promise.all(working).finally(() => done.abort());
  let sweeps = 0;
  while (!done.signal.aborted) {
    // The owner sweeps, reads and removes meanwhile; nobody is too old, nothing is on the list.
    expect(store.expire(1000)).toBe(0);
    for (const { peers } of store.swarms()) expect(peers.length).toBeLessThanOrEqual(1000);
    sweeps++;
    await new Promise((resolve) => setImmediate(resolve));
  }
  const all = await results;
  expect(sweeps).toBeGreaterThan(0);
  expect(all.map(({ refused, wrong }) => refused + wrong)).toEqual([0, 0, 0]);
  const isPeer = (line: string): boolean => !line.includes(' completed ');
  const expected = all.flatMap(({ content }) => content.filter(isPeer)).toSorted();
  expect(contentOf(store).filter(isPeer)).toEqual(expected);
  const { totals } = store;
  expect(totals.peers4 + totals.peers6).toBe(expected.length);
  expect(totals.seeders).toBe(expected.filter((line) => line.includes(' seed ')).length);
  expect(totals.completed).toBe(all.reduce((sum, { completed }) => sum + completed, 0));
  store.setTime(5000);
  expect(store.expire(1e9)).toBe(expected.length);
}, 60_000);

test('a lock that is held is waited for', async () => {
  const words = new Int32Array(new SharedArrayBuffer(8));
  acquire(words, 0);
  const source = `
    const { workerData: words } = require('node:worker_threads');
    const wait = (at, before) => { while (Atomics.load(words, at) === before) Atomics.wait(words, at, before, 1); };
    wait(1, 0);
    while (Atomics.load(words, 0) !== 2) Atomics.wait(words, 1, 9, 1);
    Atomics.store(words, 0, 0);
    Atomics.notify(words, 0, 1);
  `;
  // The other thread holds the lock for us, until we sleep.
  const worker = new Worker(source, { eval: true, workerData: words });
  const exit = new Promise((resolve) => worker.once('exit', resolve));
  Atomics.store(words, 1, 1);
  Atomics.notify(words, 1);
  acquire(words, 0);
  expect(words[0]).toBe(2);
  release(words, 0);
  expect(words[0]).toBe(0);
  await exit;
});
