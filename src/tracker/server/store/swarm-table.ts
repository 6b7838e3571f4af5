/**
 * Swarms by infohash: in each shard an open-addressing table of slots, each with the number of a record
 * plus 1 and eight bits of its hash, and the records themselves, which never move.
 *
 * Records of swarms without peers are quiet: chained by age, so that the one that has been quiet for
 * longest makes room for a new swarm when there is no other.
 *
 * @module
 */

import type { KeyedHash } from './keyed-hash.ts';
import {
  FREE,
  INFO_HASH_WORDS,
  RECORD,
  RECORD_WORDS,
  recordsAt,
  SHARD,
  type StoreHandle,
  shardAt,
  slotsAt,
} from './layout.ts';

const NUMBER = 0xff_ffff;

export class SwarmTable {
  /** The infohash that the next call is about; set by {@link aim}. */
  readonly #infoHash = new Int32Array(INFO_HASH_WORDS);
  readonly #hashed = new Int32Array(INFO_HASH_WORDS);
  readonly #words: Int32Array;
  readonly #hash: KeyedHash;
  readonly #handle: StoreHandle;
  readonly #mask: number;
  /** The hash of the infohash, and where its shard lies. */
  #aim = 0;
  #shard = 0;
  #slots = 0;
  #records = 0;

  constructor(handle: StoreHandle, words: Int32Array, hash: KeyedHash) {
    this.#handle = handle;
    this.#words = words;
    this.#hash = hash;
    this.#mask = handle.slotsPerShard - 1;
  }

  /** Makes all calls that follow be about a swarm. Returns the word of its shard, which is to be locked. */
  aim(infoHash: Uint8Array): number {
    const words = this.#infoHash;
    readWords(infoHash, words);
    this.#aim = this.#hash.of(words, INFO_HASH_WORDS);
    return this.enter(this.#aim & (this.#handle.shards - 1));
  }

  /** Makes all calls that follow be about a shard. Returns its word. */
  enter(shard: number): number {
    this.#shard = shardAt(shard);
    this.#slots = slotsAt(this.#handle, shard);
    this.#records = recordsAt(this.#handle, shard);
    return this.#shard;
  }

  /** How many records of the shard were ever used. */
  get high(): number {
    return this.#words[this.#shard + SHARD.high] ?? 0;
  }

  /** The word of a record of the shard by its number; 0 when it is free. */
  recordOf(number: number): number {
    const record = this.#records + number * RECORD_WORDS;
    return this.#words[record + RECORD.prev] === FREE ? 0 : record;
  }

  /** The word of the record of the swarm; 0 when there is none. */
  find(): number {
    const words = this.#words;
    const tag = this.#aim & ~NUMBER;
    for (let slot = this.#homeOf(this.#aim); ; slot = (slot + 1) & this.#mask) {
      const entry = words[this.#slots + slot] ?? 0;
      if (entry === 0) return 0;
      if ((entry & ~NUMBER) !== tag) continue;
      const record = this.#records + ((entry & NUMBER) - 1) * RECORD_WORDS;
      if (this.#isAt(record)) return record;
    }
  }

  /** Whether {@link create} finds a free record. */
  get hasRoom(): boolean {
    return this.#words[this.#shard + SHARD.free] !== 0 || this.high < this.#handle.recordsPerShard;
  }

  /** The word of the record of the swarm quiet for longest; 0 when there is none in this shard. */
  get oldestQuiet(): number {
    const number = this.#words[this.#shard + SHARD.oldest] ?? 0;
    return number === 0 ? 0 : this.#records + (number - 1) * RECORD_WORDS;
  }

  /** A new record for the swarm, which is not there, all zeros and not quiet. */
  create(): number {
    const words = this.#words;
    const free = words[this.#shard + SHARD.free] ?? 0;
    const number = free === 0 ? this.high : free - 1;
    const record = this.#records + number * RECORD_WORDS;
    if (free === 0) words[this.#shard + SHARD.high] = number + 1;
    else words[this.#shard + SHARD.free] = words[record + RECORD.next] ?? 0;
    words.fill(0, record, record + RECORD_WORDS);
    for (let at = 0; at < INFO_HASH_WORDS; at++) words[record + at] = this.#infoHash[at] ?? 0;
    let slot = this.#homeOf(this.#aim);
    while (words[this.#slots + slot] !== 0) slot = (slot + 1) & this.#mask;
    words[this.#slots + slot] = (this.#aim & ~NUMBER) | (number + 1);
    return record;
  }

  /** Frees a record of this shard that is not quiet. */
  drop(record: number): void {
    const words = this.#words;
    const number = this.#numberOf(record);
    let slot = this.#homeOf(this.#hashAt(record));
    while (((words[this.#slots + slot] ?? 0) & NUMBER) !== number) slot = (slot + 1) & this.#mask;
    this.#closeGap(slot);
    words[record + RECORD.prev] = FREE;
    words[record + RECORD.next] = words[this.#shard + SHARD.free] ?? 0;
    words[this.#shard + SHARD.free] = number;
  }

  /** Appends a record to the quiet ones. */
  rest(record: number): void {
    const words = this.#words;
    const newest = words[this.#shard + SHARD.newest] ?? 0;
    const number = this.#numberOf(record);
    words[record + RECORD.prev] = newest;
    words[record + RECORD.next] = 0;
    if (newest === 0) words[this.#shard + SHARD.oldest] = number;
    else words[this.#records + (newest - 1) * RECORD_WORDS + RECORD.next] = number;
    words[this.#shard + SHARD.newest] = number;
  }

  /** Takes a record from the quiet ones. */
  wake(record: number): void {
    const words = this.#words;
    const prev = words[record + RECORD.prev] ?? 0;
    const next = words[record + RECORD.next] ?? 0;
    if (prev === 0) words[this.#shard + SHARD.oldest] = next;
    else words[this.#records + (prev - 1) * RECORD_WORDS + RECORD.next] = next;
    if (next === 0) words[this.#shard + SHARD.newest] = prev;
    else words[this.#records + (next - 1) * RECORD_WORDS + RECORD.prev] = prev;
    words[record + RECORD.prev] = 0;
    words[record + RECORD.next] = 0;
  }

  /** By bits that do not choose the shard. */
  #homeOf(hash: number): number {
    return (hash >>> 6) & this.#mask;
  }

  #numberOf(record: number): number {
    return (record - this.#records) / RECORD_WORDS + 1;
  }

  #hashAt(record: number): number {
    for (let at = 0; at < INFO_HASH_WORDS; at++) this.#hashed[at] = this.#words[record + at] ?? 0;
    return this.#hash.of(this.#hashed, INFO_HASH_WORDS);
  }

  #isAt(record: number): boolean {
    for (let at = 0; at < INFO_HASH_WORDS; at++) {
      if (this.#words[record + at] !== this.#infoHash[at]) return false;
    }
    return true;
  }

  #closeGap(emptied: number): void {
    const words = this.#words;
    let gap = emptied;
    for (let slot = (gap + 1) & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const entry = words[this.#slots + slot] ?? 0;
      if (entry === 0) break;
      const home = this.#homeOf(
        this.#hashAt(this.#records + ((entry & NUMBER) - 1) * RECORD_WORDS),
      );
      if (((slot - home) & this.#mask) < ((slot - gap) & this.#mask)) continue;
      words[this.#slots + gap] = entry;
      gap = slot;
    }
    words[this.#slots + gap] = 0;
  }
}

/** Big-endian words of bytes. */
export function readWords(bytes: Uint8Array, words: Int32Array): void {
  for (let word = 0, at = 0; at < bytes.length; word++, at += 4) {
    words[word] =
      ((bytes[at] ?? 0) << 24) |
      ((bytes[at + 1] ?? 0) << 16) |
      ((bytes[at + 2] ?? 0) << 8) |
      (bytes[at + 3] ?? 0);
  }
}
