/** Clocks that do what clocks of real machines do to a program, in a simulated world. @module */

import type { Clock, Millis, WallClock } from '../../src/runtime/ports.ts';

interface Waiting {
  readonly at: Millis;
  readonly wake: () => void;
  cancel: () => void;
}

/**
 * A monotonic clock that can stand still and never runs back. What is due meanwhile happens when it
 * goes on: soon when the time was only missed (a process that was stopped), later when it did not
 * count (a machine that slept: Linux leaves that out of CLOCK_MONOTONIC).
 */
export class HaltingClock implements Clock {
  readonly #base: Clock;
  readonly #waiting = new Set<Waiting>();
  #behind: Millis = 0;
  /** What was shown last to somebody who waited for it: sums of fractions may fall short of it. */
  #shown: Millis = 0;
  #haltedAt: Millis | undefined;

  constructor(base: Clock) {
    this.#base = base;
  }

  now(): Millis {
    return this.#haltedAt ?? Math.max(this.#shown, this.#base.now() - this.#behind);
  }

  schedule(at: Millis, wake: () => void): () => void {
    const waiting: Waiting = { at, wake, cancel: () => undefined };
    this.#waiting.add(waiting);
    this.#arm(waiting);
    return () => {
      this.#waiting.delete(waiting);
      waiting.cancel();
    };
  }

  halt(): void {
    this.#haltedAt ??= this.now();
    for (const waiting of this.#waiting) waiting.cancel();
  }

  /** Goes on, at the time at which it was halted or at that of the world. */
  resume(from: 'where-it-was' | 'where-the-world-is'): void {
    if (this.#haltedAt === undefined) return;
    if (from === 'where-it-was') this.#behind = this.#base.now() - this.#haltedAt;
    this.#haltedAt = undefined;
    for (const waiting of this.#waiting) this.#arm(waiting);
  }

  #arm(waiting: Waiting): void {
    if (this.#haltedAt !== undefined) return;
    waiting.cancel = this.#base.schedule(waiting.at + this.#behind, () => {
      this.#waiting.delete(waiting);
      this.#shown = Math.max(this.#shown, waiting.at);
      waiting.wake();
    });
  }
}

/** A calendar that people and time servers set, forward and back. */
export class SettableWallClock implements WallClock {
  readonly #base: WallClock;
  offsetMs: Millis = 0;

  constructor(base: WallClock) {
    this.#base = base;
  }

  now(): number {
    return this.#base.now() + this.offsetMs;
  }
}
