/** A set of piece indices in the form of the wire (BEP 3 "bitfield"): high bit first. @module */

import { invariant } from './errors.ts';

export class Bitfield {
  /** How many bits there are. */
  readonly length: number;
  /** The wire form: ceil(length / 8) bytes, spare bits zero. A live view; do not write to it. */
  readonly bytes: Uint8Array;
  #count = 0;

  /** All bits clear. */
  constructor(length: number) {
    this.length = length;
    this.bytes = new Uint8Array(Math.ceil(length / 8));
  }

  /**
   * From the wire form, which is copied; `undefined` when the length is not exactly right or a
   * spare bit is set (BEP 3: such a connection is to be dropped).
   */
  static fromBytes(bytes: Uint8Array, length: number): Bitfield | undefined {
    if (bytes.length !== Math.ceil(length / 8)) return undefined;
    const spare = bytes.length * 8 - length;
    if (spare > 0 && ((bytes.at(-1) ?? 0) & ((1 << spare) - 1)) !== 0) return undefined;
    const field = new Bitfield(length);
    field.bytes.set(bytes);
    for (const byte of bytes) field.#count += BITS_IN_BYTE[byte] ?? 0;
    return field;
  }

  /** How many bits are set. */
  get count(): number {
    return this.#count;
  }
  get isFull(): boolean {
    return this.#count === this.length;
  }
  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** False outside of 0 … length − 1. */
  has(index: number): boolean {
    // The first check keeps 2^32 and beyond from wrapping to small numbers.
    return index < this.length && ((this.bytes[index >>> 3] ?? 0) & (0x80 >>> (index & 7))) !== 0;
  }

  /** True when the bit was clear before. */
  add(index: number): boolean {
    invariant(index >= 0 && index < this.length, `bit ${index} of ${this.length}`);
    if (this.has(index)) return false;
    this.bytes[index >>> 3] = (this.bytes[index >>> 3] ?? 0) | (0x80 >>> (index & 7));
    this.#count++;
    return true;
  }

  /** True when the bit was set before. */
  delete(index: number): boolean {
    if (!this.has(index)) return false;
    this.bytes[index >>> 3] = (this.bytes[index >>> 3] ?? 0) & ~(0x80 >>> (index & 7));
    this.#count--;
    return true;
  }

  fill(): void {
    this.bytes.fill(0xff);
    const spare = this.bytes.length * 8 - this.length;
    if (spare > 0) this.bytes[this.bytes.length - 1] = (0xff << spare) & 0xff;
    this.#count = this.length;
  }

  /** The indices that are set, ascending. */
  *[Symbol.iterator](): Generator<number, void, undefined> {
    for (let byte = 0; byte < this.bytes.length; byte++) {
      if (this.bytes[byte] === 0) continue;
      for (let index = byte * 8; index < byte * 8 + 8; index++) if (this.has(index)) yield index;
    }
  }
}

const BITS_IN_BYTE: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => {
  let count = 0;
  for (let rest = byte; rest > 0; rest &= rest - 1) count++;
  return count;
});
