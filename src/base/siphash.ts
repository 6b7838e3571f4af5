/**
 * SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed hash of short inputs. Who does not know the key
 * can neither forge it nor make inputs collide on purpose.
 *
 * @module
 */

import { InvariantError } from './errors.ts';
import { readUint32LittleEndian } from './uint32.ts';

/** One key, used again and again; a hash takes no memory. */
export class SipHash {
  /** The upper and lower half of the last hash, unsigned. */
  high = 0;
  low = 0;
  readonly #key: Uint32Array;

  /** `key` has 16 bytes. */
  constructor(key: Uint8Array) {
    if (key.length !== KEY_LENGTH) throw new InvariantError(`a SipHash key of ${key.length} bytes`);
    this.#key = Uint32Array.from([0, 4, 8, 12], (at) => readUint32LittleEndian(key, at));
  }

  /** Hashes `bytes` from `from` on, `length` of them, into {@link high} and {@link low}. */
  hash(bytes: Uint8Array, from: number, length: number): void {
    const key = this.#key;
    const [key0 = 0, key1 = 0, key2 = 0, key3 = 0] = [key[0], key[1], key[2], key[3]];
    // Four words of 64 bits, as halves; `int32` throughout.
    let a1 = key1 ^ 0x736f6d65;
    let a0 = key0 ^ 0x70736575;
    let b1 = key3 ^ 0x646f7261;
    let b0 = key2 ^ 0x6e646f6d;
    let c1 = key1 ^ 0x6c796765;
    let c0 = key0 ^ 0x6e657261;
    let d1 = key3 ^ 0x74656462;
    let d0 = key2 ^ 0x79746573;
    const blocks = (length >>> 3) + 1;
    // One step a block, and one to finish.
    for (let step = 0; step <= blocks; step++) {
      const finishing = step === blocks;
      const low = word(bytes, from, length, step * 8);
      const high = word(bytes, from, length, step * 8 + 4);
      d1 ^= high;
      d0 ^= low;
      if (finishing) c0 ^= 0xff;
      for (let round = finishing ? FINISHING_ROUNDS : ROUNDS; round > 0; round--) {
        let sum = (a0 + b0) | 0;
        a1 = (a1 + b1 + carry(a0, b0, sum)) | 0;
        a0 = sum;
        let moved = (b1 << 13) | (b0 >>> 19);
        b0 = ((b0 << 13) | (b1 >>> 19)) ^ a0;
        b1 = moved ^ a1;
        moved = a0;
        a0 = a1;
        a1 = moved;
        sum = (c0 + d0) | 0;
        c1 = (c1 + d1 + carry(c0, d0, sum)) | 0;
        c0 = sum;
        moved = (d1 << 16) | (d0 >>> 16);
        d0 = ((d0 << 16) | (d1 >>> 16)) ^ c0;
        d1 = moved ^ c1;
        sum = (a0 + d0) | 0;
        a1 = (a1 + d1 + carry(a0, d0, sum)) | 0;
        a0 = sum;
        moved = (d1 << 21) | (d0 >>> 11);
        d0 = ((d0 << 21) | (d1 >>> 11)) ^ a0;
        d1 = moved ^ a1;
        sum = (c0 + b0) | 0;
        c1 = (c1 + b1 + carry(c0, b0, sum)) | 0;
        c0 = sum;
        moved = (b1 << 17) | (b0 >>> 15);
        b0 = ((b0 << 17) | (b1 >>> 15)) ^ c0;
        b1 = moved ^ c1;
        moved = c0;
        c0 = c1;
        c1 = moved;
      }
      a1 ^= high;
      a0 ^= low;
    }
    this.high = (a1 ^ b1 ^ c1 ^ d1) >>> 0;
    this.low = (a0 ^ b0 ^ c0 ^ d0) >>> 0;
  }
}

/** What the sum of two halves carries into the upper ones. */
function carry(a: number, b: number, sum: number): number {
  return ((a & b) | ((a | b) & ~sum)) >>> 31;
}

/** 4 bytes of the padded input, whose last byte is the length; 0 beyond it. */
function word(bytes: Uint8Array, from: number, length: number, at: number): number {
  if (at + 4 <= length) return readUint32LittleEndian(bytes, from + at);
  let value = at + 4 === (length & ~7) + 8 ? length << 24 : 0;
  for (let next = at; next < length; next++)
    value |= (bytes[from + next] ?? 0) << (8 * (next - at));
  return value;
}

const KEY_LENGTH = 16;
const ROUNDS = 2;
const FINISHING_ROUNDS = 4;
