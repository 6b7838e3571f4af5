/** Copies of small byte strings without a block of memory for each. @module */

const SLAB = 65_536;

export class Slab {
  #slab: Uint8Array = new Uint8Array(SLAB);
  #used = 0;

  /** A copy that nobody else writes to. */
  copy(bytes: Uint8Array): Uint8Array {
    if (bytes.length > SLAB / 8) return bytes.slice();
    if (this.#used + bytes.length > SLAB) {
      this.#slab = new Uint8Array(SLAB);
      this.#used = 0;
    }
    const end = this.#used + bytes.length;
    const copy = this.#slab.subarray(this.#used, end);
    copy.set(bytes);
    this.#used = end;
    return copy;
  }
}
