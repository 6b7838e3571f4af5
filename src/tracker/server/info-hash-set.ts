/** A set of infohashes that takes 20 bytes each and as much to spare, and can go to another thread. @module */

import { readUint32, writeUint32 } from '../../base/uint32.ts';

/** Does not change once it is made. Lists are the tracker's own: nobody makes their hashes collide. */
export class InfoHashSet {
  /** How many there are. */
  readonly size: number;
  /** Slots of five words, all 0 when free; then one word that is 1 when the hash of zeros is in. */
  readonly #words: Uint32Array;

  private constructor({ words, size }: InfoHashSetHandle) {
    this.#words = words;
    this.size = size;
  }

  /** Of hashes of 20 bytes; longer ones are cut (BEP 52). */
  static of(infoHashes: readonly Uint8Array[]): InfoHashSet {
    const words = new Uint32Array(WORDS * slotsFor(infoHashes.length) + 1);
    let size = 0;
    for (const infoHash of infoHashes) if (insert(words, infoHash)) size++;
    return new InfoHashSet({ words, size });
  }

  /** The set that another thread posted. */
  static attach(handle: InfoHashSetHandle): InfoHashSet {
    return new InfoHashSet(handle);
  }

  /** What can be posted to another thread. */
  get handle(): InfoHashSetHandle {
    return { words: this.#words, size: this.size };
  }

  /** Whether the 20 bytes from `offset` on are in. */
  has(bytes: Uint8Array, offset = 0): boolean {
    const words = this.#words;
    const at = slotOf(words, bytes, offset);
    return !isFree(words, at) || (words.at(-1) === 1 && isZero(bytes, offset));
  }

  /** Every hash once, in no order. */
  *[Symbol.iterator](): Generator<Uint8Array<ArrayBuffer>, void, undefined> {
    const words = this.#words;
    for (let at = 0; at + WORDS < words.length; at += WORDS) {
      if (isFree(words, at)) continue;
      const infoHash = new Uint8Array(LENGTH);
      for (let word = 0; word < WORDS; word++)
        writeUint32(infoHash, 4 * word, words[at + word] ?? 0);
      yield infoHash;
    }
    if (words.at(-1) === 1) yield new Uint8Array(LENGTH);
  }
}

export interface InfoHashSetHandle {
  readonly words: Uint32Array;
  readonly size: number;
}

/** At most half of the slots are taken. */
function slotsFor(size: number): number {
  let slots = 8;
  while (slots < 2 * size) slots *= 2;
  return slots;
}

/** False when it was in already. */
function insert(words: Uint32Array, infoHash: Uint8Array): boolean {
  if (isZero(infoHash, 0)) {
    if (words.at(-1) === 1) return false;
    words[words.length - 1] = 1;
    return true;
  }
  const at = slotOf(words, infoHash, 0);
  if (!isFree(words, at)) return false;
  for (let word = 0; word < WORDS; word++) words[at + word] = readUint32(infoHash, 4 * word);
  return true;
}

/** Where the hash stands; the free slot where it would stand when it is not in. */
function slotOf(words: Uint32Array, bytes: Uint8Array, offset: number): number {
  const [first, second] = [readUint32(bytes, offset), readUint32(bytes, offset + 4)];
  const slots = (words.length - 1) / WORDS;
  let slot = Math.imul(first ^ (second >>> 15), 0x9e3779b1) >>> 7;
  for (; ; slot++) {
    const at = WORDS * (slot & (slots - 1));
    if (isFree(words, at) || isAt(words, at, bytes, offset)) return at;
  }
}

function isAt(words: Uint32Array, at: number, bytes: Uint8Array, offset: number): boolean {
  for (let word = 0; word < WORDS; word++) {
    if (words[at + word] !== readUint32(bytes, offset + 4 * word)) return false;
  }
  return true;
}

function isFree(words: Uint32Array, at: number): boolean {
  for (let word = 0; word < WORDS; word++) if (words[at + word] !== 0) return false;
  return true;
}

function isZero(bytes: Uint8Array, offset: number): boolean {
  for (let word = 0; word < WORDS; word++) {
    if (readUint32(bytes, offset + 4 * word) !== 0) return false;
  }
  return true;
}

const WORDS = 5;
const LENGTH = 4 * WORDS;
