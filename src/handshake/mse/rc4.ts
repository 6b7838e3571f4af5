/** RC4, the cipher of message stream encryption. Broken as a cipher, good enough as a disguise. @module */

import { invariant } from '../../base/errors.ts';

/** One direction of a connection. What is written to it and what is read from it has its own. */
export class Rc4 {
  readonly #state = new Uint8Array(256);
  #i = 0;
  #j = 0;

  constructor(key: Uint8Array) {
    invariant(key.length > 0, 'an RC4 key of some length');
    const state = this.#state;
    for (let at = 0; at < 256; at++) state[at] = at;
    let j = 0;
    for (let at = 0; at < 256; at++) {
      const value = state[at] ?? 0;
      j = (j + value + (key[at % key.length] ?? 0)) & 255;
      state[at] = state[j] ?? 0;
      state[j] = value;
    }
  }

  /** Drops `count` bytes of the key stream. */
  skip(count: number): void {
    this.apply(new Uint8Array(count));
  }

  /**
   * Encrypts or decrypts in place, and returns the same bytes. Four bytes at a time where they lie on
   * a word of their buffer, which is a third faster (test/bench/rc4.ts).
   */
  apply(bytes: Uint8Array): Uint8Array {
    const words = IS_LITTLE_ENDIAN && bytes.byteOffset % 4 === 0 ? bytes.length >>> 2 : 0;
    if (words > 0) this.#applyWords(new Int32Array(bytes.buffer, bytes.byteOffset, words));
    this.#applyBytes(bytes, words * 4);
    return bytes;
  }

  #applyBytes(bytes: Uint8Array, from: number): void {
    const state = this.#state;
    let i = this.#i;
    let j = this.#j;
    for (let at = from; at < bytes.length; at++) {
      i = (i + 1) & 255;
      const x = state[i] ?? 0;
      j = (j + x) & 255;
      const y = state[j] ?? 0;
      state[i] = y;
      state[j] = x;
      bytes[at] = (bytes[at] ?? 0) ^ (state[(x + y) & 255] ?? 0);
    }
    this.#i = i;
    this.#j = j;
  }

  /** The same, unrolled, with four bytes of key stream for a word, the first of them lowest. */
  // oxlint-disable-next-line complexity -- a loop in the loop takes a fifth longer
  #applyWords(words: Int32Array): void {
    const state = this.#state;
    let i = this.#i;
    let j = this.#j;
    for (let at = 0; at < words.length; at++) {
      const i1 = (i + 1) & 255;
      const i2 = (i + 2) & 255;
      const i3 = (i + 3) & 255;
      i = (i + 4) & 255;
      let x = state[i1] ?? 0;
      j = (j + x) & 255;
      let y = state[j] ?? 0;
      state[i1] = y;
      state[j] = x;
      let stream = state[(x + y) & 255] ?? 0;
      x = state[i2] ?? 0;
      j = (j + x) & 255;
      y = state[j] ?? 0;
      state[i2] = y;
      state[j] = x;
      stream |= (state[(x + y) & 255] ?? 0) << 8;
      x = state[i3] ?? 0;
      j = (j + x) & 255;
      y = state[j] ?? 0;
      state[i3] = y;
      state[j] = x;
      stream |= (state[(x + y) & 255] ?? 0) << 16;
      x = state[i] ?? 0;
      j = (j + x) & 255;
      y = state[j] ?? 0;
      state[i] = y;
      state[j] = x;
      stream |= (state[(x + y) & 255] ?? 0) << 24;
      words[at] = (words[at] ?? 0) ^ stream;
    }
    this.#i = i;
    this.#j = j;
  }
}

/** Whether the first byte of a word in memory is its lowest, as on all machines that matter. */
const IS_LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;
