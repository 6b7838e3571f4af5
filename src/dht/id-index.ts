/** Many ids of 20 bytes, each with a place among them, in about 36 bytes each. @module */

import { SipHash } from '../base/siphash.ts';
import type { Random } from '../runtime/ports.ts';
import { ID_BYTES } from './distance.ts';

/**
 * Ids stand in places 0 to {@link size} − 1 without gaps, so that one of them can be drawn. A hash table
 * finds them: open addressing, one step at a time, at most half full. The hash has a key, since strangers
 * choose infohashes.
 */
export class IdIndex {
  /** How many ids there are. */
  size = 0;
  readonly #hash: SipHash;
  #ids = new Uint8Array(0);
  /** Places plus 1; 0 is free. A power of two. */
  #slots = new Int32Array(2);

  constructor(random: Random) {
    this.#hash = new SipHash(random.bytes(KEY_BYTES));
  }

  /** Bytes of memory, about. */
  get bytes(): number {
    return this.#ids.length + 4 * this.#slots.length;
  }

  /** The place of an id; −1 when it is not there. */
  find(id: Uint8Array): number {
    return (this.#slots[this.#slotOf(id, 0)] ?? 0) - 1;
  }

  /** Adds an id that is not there. Returns its place, the last. */
  add(id: Uint8Array): number {
    if ((this.size + 1) * ID_BYTES > this.#ids.length) this.#resize(Math.max(4, 2 * this.size));
    const place = this.size++;
    this.#ids.set(id.subarray(0, ID_BYTES), place * ID_BYTES);
    this.#slots[this.#slotOf(id, 0)] = place + 1;
    return place;
  }

  /** Removes the id at a place; the one at the last place, {@link size} after the call, takes it. */
  remove(place: number): void {
    const ids = this.#ids;
    const last = this.size - 1;
    this.#free(this.#slotOf(ids, place * ID_BYTES));
    if (place !== last) {
      this.#slots[this.#slotOf(ids, last * ID_BYTES)] = place + 1;
      ids.copyWithin(place * ID_BYTES, last * ID_BYTES, (last + 1) * ID_BYTES);
    }
    this.size = last;
    const capacity = ids.length / ID_BYTES;
    if (capacity > 4 && last * 4 <= capacity) this.#resize(capacity / 2);
  }

  /** Copies the id at a place to `out`, from `at` on. */
  write(place: number, out: Uint8Array, at: number): void {
    const from = place * ID_BYTES;
    for (let byte = 0; byte < ID_BYTES; byte++) out[at + byte] = this.#ids[from + byte] ?? 0;
  }

  /** The slot of the id at `from` of `bytes`; the free one where it would be when it is not there. */
  #slotOf(bytes: Uint8Array, from: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = this.#home(bytes, from); ; slot = (slot + 1) & mask) {
      const place = (slots[slot] ?? 0) - 1;
      if (place < 0 || this.#isAt(place, bytes, from)) return slot;
    }
  }

  /** Where the search for an id begins. */
  #home(bytes: Uint8Array, from: number): number {
    this.#hash.hash(bytes, from, ID_BYTES);
    return this.#hash.low & (this.#slots.length - 1);
  }

  #isAt(place: number, bytes: Uint8Array, from: number): boolean {
    const ids = this.#ids;
    const start = place * ID_BYTES;
    for (let byte = 0; byte < ID_BYTES; byte++) {
      if (ids[start + byte] !== bytes[from + byte]) return false;
    }
    return true;
  }

  /** Frees a slot, and moves those behind it that would not be found any more. */
  #free(slot: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let hole = slot;
    for (let next = (slot + 1) & mask; ; next = (next + 1) & mask) {
      const entry = slots[next] ?? 0;
      if (entry === 0) break;
      const home = this.#home(this.#ids, (entry - 1) * ID_BYTES);
      // It stays when its home lies behind the hole.
      if (((next - home) & mask) < ((next - hole) & mask)) continue;
      slots[hole] = entry;
      hole = next;
    }
    slots[hole] = 0;
  }

  #resize(capacity: number): void {
    const ids = new Uint8Array(capacity * ID_BYTES);
    ids.set(this.#ids.subarray(0, this.size * ID_BYTES));
    this.#ids = ids;
    this.#slots = new Int32Array(2 * capacity);
    for (let place = 0; place < this.size; place++) {
      this.#slots[this.#slotOf(ids, place * ID_BYTES)] = place + 1;
    }
  }
}

const KEY_BYTES = 16;
