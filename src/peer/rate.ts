/** How fast bytes go by: an exponential average that is quick to start. @module */

import type { Millis } from '../runtime/ports.ts';

/** Time constant of the average: after it, 63 % of a step are seen. */
const TIME_CONSTANT: Millis = 3_000;
/** Bytes are gathered this long before they enter the average. */
const WINDOW: Millis = 250;

export class RateMeter {
  #total = 0;
  #pending = 0;
  #rate = 0;
  #started: Millis | undefined;
  #since: Millis = 0;
  #last: Millis | undefined;

  /** All bytes ever. */
  get total(): number {
    return this.#total;
  }

  /** When bytes went by last; `undefined` when none ever did. */
  get last(): Millis | undefined {
    return this.#last;
  }

  add(bytes: number, now: Millis): void {
    this.#last = now;
    if (this.#started === undefined) {
      this.#started = now;
      this.#since = now;
    }
    this.#total += bytes;
    this.#pending += bytes;
    if (now - this.#since >= WINDOW) this.#fold(now);
  }

  /** Bytes per second. */
  rate(now: Millis): number {
    if (this.#started === undefined) return 0;
    if (now - this.#since >= WINDOW) this.#fold(now);
    return this.#rate;
  }

  #fold(now: Millis): void {
    const elapsed = now - this.#since;
    const current = (this.#pending * 1000) / elapsed;
    const age = now - (this.#started ?? now);
    // While young, the average is that of the whole life; later it forgets.
    const weight = Math.max(
      1 - Math.exp(-elapsed / TIME_CONSTANT),
      elapsed / Math.max(age, elapsed),
    );
    this.#rate += (current - this.#rate) * Math.min(1, weight);
    this.#pending = 0;
    this.#since = now;
  }
}
