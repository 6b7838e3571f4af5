/**
 * HalfSipHash-1-3 over 32-bit words: short keyed hashes for tables whose keys strangers choose, so
 * that nobody can choose many that fall together. The Linux kernel uses the same for its tables.
 *
 * @module
 */

export class KeyedHash {
  readonly #key0: number;
  readonly #key1: number;

  constructor(key0: number, key1: number) {
    this.#key0 = key0 | 0;
    this.#key1 = key1 | 0;
  }

  /** The hash of `length` words of `words`, as a signed 32-bit integer. */
  of(words: Int32Array, length: number): number {
    let v0 = this.#key0;
    let v1 = this.#key1;
    let v2 = 0x6c796765 ^ v0;
    let v3 = 0x74656462 ^ v1;
    // The word after the last one is the length in bytes; then three rounds with nothing new.
    for (let at = 0; at < length + 4; at++) {
      const word = at < length ? (words[at] ?? 0) : at === length ? length << 26 : 0;
      if (at === length + 1) v2 ^= 0xff;
      v3 ^= word;
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= word;
    }
    return v1 ^ v3;
  }
}
