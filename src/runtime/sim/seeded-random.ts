/** Randomness that one seed repeats. @module */

import type { Random } from '../ports.ts';

/** sfc32 by Chris Doty-Humphrey (PractRand): small, fast, of good quality; not for secrets. */
export class SeededRandom implements Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;
  readonly #seed: number;

  constructor(seed: number, stream = 0) {
    this.#seed = seed;
    this.#a = seed | 0;
    this.#b = stream | 0;
    this.#c = 0x9e3779b9 | 0;
    // The author's advice: let the seed spread first.
    for (let round = 0; round < 15; round++) this.uint32();
  }

  uint32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    this.#c |= 0;
    return sum >>> 0;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.uint32() & 0xff);
  }

  /** At least 0 and below 1. */
  fraction(): number {
    return this.uint32() / 2 ** 32;
  }

  /** A whole number at least 0 and below `end`. */
  below(end: number): number {
    return Math.floor(this.fraction() * end);
  }

  /** True with this probability; draws nothing for 0 and 1. */
  chance(probability: number): boolean {
    if (probability <= 0) return false;
    return probability >= 1 || this.fraction() < probability;
  }

  /** Another sequence of the same seed, unmoved by how much is drawn here. */
  fork(stream: number): SeededRandom {
    return new SeededRandom(this.#seed, Math.imul(stream + 1, 0x85ebca6b));
  }
}
