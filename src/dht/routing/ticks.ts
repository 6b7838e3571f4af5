/** The time of a table: tenths of a second that fit 32 bits and never go back. @module */

import type { Millis } from '../../runtime/ports.ts';

/** Ticks in a minute. */
export const MINUTE = 600;

/** Counts from the first time that it is told; a clock that is set back stands still until the next call. */
export class Ticks {
  #origin: Millis | undefined;
  #latest: Millis = 0;

  /** The tick at `now`, 1 or more. */
  at(now: Millis): number {
    if (this.#origin === undefined) this.#origin = now;
    else if (now < this.#latest) this.#origin -= this.#latest - now;
    this.#latest = now;
    return Math.min(Math.floor((now - this.#origin) / TICK_MS) + 1, MAX_TICK);
  }
}

const TICK_MS = 100;
/** After 13 years. */
const MAX_TICK = 0xffff_ffff;
