/** A lock in one word of shared memory: 0 free, 1 held, 2 held and somebody sleeps. @module */

/** Tries before going to sleep: holders need less than a microsecond mostly. */
const SPINS = 200;

/** Waits until the lock at word `at` is free, and takes it. Not to be taken twice. */
export function acquire(words: Int32Array, at: number): void {
  for (let spin = 0; spin < SPINS; spin++) {
    if (Atomics.compareExchange(words, at, 0, 1) === 0) return;
  }
  while (Atomics.exchange(words, at, 2) !== 0) Atomics.wait(words, at, 2);
}

export function release(words: Int32Array, at: number): void {
  if (Atomics.exchange(words, at, 0) === 2) Atomics.notify(words, at, 1);
}
