/** Chance that keeps no secret: which of many peers to tell, which of many torrents to forget. @module */

/** mulberry32 by Tommy Ettinger: a few nanoseconds a number, from a seed. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** A whole number at least 0 and below `end`, which is at most 2^32. */
  below(end: number): number {
    const state = (this.#state + 0x6d2b79f5) | 0;
    this.#state = state;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000) * end);
  }
}
