/** How long a round trip takes, and when to stop waiting for one (BEP 29 "timeouts"). @module */

import type { Millis } from '../runtime/ports.ts';

/** Before anything is known. */
const FIRST_TIMEOUT: Millis = 1000;
const SHORTEST_TIMEOUT: Millis = 500;
/** Doubling ends here, unless a round trip takes longer. */
const LONGEST_TIMEOUT: Millis = 10_000;

export class RoundTrip {
  #mean: Millis | undefined;
  #variance: Millis = 0;

  /** Of a packet that was sent once only: else nobody knows which of them was acknowledged. */
  sample(taken: Millis): void {
    if (this.#mean === undefined) {
      this.#mean = taken;
      this.#variance = taken / 2;
      return;
    }
    this.#variance += (Math.abs(this.#mean - taken) - this.#variance) / 4;
    this.#mean += (taken - this.#mean) / 8;
  }

  /** Smoothed; `undefined` before the first sample. */
  get mean(): Millis | undefined {
    return this.#mean;
  }

  /** How long to wait for an acknowledgement after `timeouts` of them in a row. */
  timeout(timeouts: number): Millis {
    const base =
      this.#mean === undefined
        ? FIRST_TIMEOUT
        : Math.max(this.#mean + 4 * this.#variance, SHORTEST_TIMEOUT);
    return Math.min(base * 2 ** timeouts, Math.max(base, LONGEST_TIMEOUT));
  }
}
