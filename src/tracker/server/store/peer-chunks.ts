/**
 * The peers of swarms, of one family of addresses: a dense array for each swarm, seeds first, then
 * leechers.
 *
 * A chunk of the arena holds, for as many peers as fit: what is looked at often (address, port, tick
 * of the last announce), then the peer ids, then, in large chunks, an index: a hash table of places in
 * the array plus 1, open addressing, one step at a time.
 *
 * @module
 */

import type { Arena } from './arena.ts';
import type { KeyedHash } from './keyed-hash.ts';
import { CHUNK, PEER_ID_WORDS, UNIT_WORDS } from './layout.ts';
import type { FamilyShape } from './size-classes.ts';
import { readWords } from './swarm-table.ts';

interface TellablePeer {
  readonly address: Uint8Array;
  readonly port: number;
  readonly peerId: Uint8Array;
}

export class PeerChunks {
  readonly shape: FamilyShape;
  /** The peer that the next calls are about, as it lies in a chunk. */
  readonly #peer: Int32Array;
  readonly #peerId = new Int32Array(PEER_ID_WORDS);
  readonly #arena: Arena;
  readonly #words: Int32Array;
  readonly #table: Int32Array;
  readonly #hash: KeyedHash;
  /** The peer that is hashed. */
  readonly #hashed: Int32Array;
  readonly #hot: number;
  readonly #field: number;
  /** The chunk that is worked on: words where its parts begin, and the slots of its index. */
  #start = 0;
  #ids = 0;
  #index = 0;
  #slots = 0;

  constructor(shape: FamilyShape, arena: Arena, table: Int32Array, hash: KeyedHash) {
    this.shape = shape;
    this.#peer = new Int32Array(shape.hot);
    this.#arena = arena;
    this.#words = arena.words;
    this.#table = table;
    this.#hash = hash;
    this.#hashed = new Int32Array(shape.hot);
    this.#hot = shape.hot;
    this.#field = shape.field;
  }

  /** Makes all calls that follow be about a peer, whose last announce was at `tick`. */
  tell(peer: TellablePeer, tick: number): void {
    readWords(peer.address, this.#peer);
    readWords(peer.peerId, this.#peerId);
    this.#peer[this.#hot - 1] = (peer.port << 16) | (tick & 0xffff);
  }

  total(record: number): number {
    return this.#table[record + this.#field + CHUNK.total] ?? 0;
  }

  seeds(record: number): number {
    return this.#table[record + this.#field + CHUNK.seeds] ?? 0;
  }

  /** The place of the peer in the swarm; −1 when it is not there. */
  find(record: number): number {
    const total = this.total(record);
    if (total === 0) return -1;
    this.#open(record);
    if (this.#slots > 0) {
      const slot = this.#slotOf(this.#peer);
      return (this.#words[this.#index + slot] ?? 0) - 1;
    }
    let word = this.#start;
    for (let at = 0; at < total; at++) {
      if (this.#isAt(word, this.#peer)) return at;
      word += this.#hot;
    }
    return -1;
  }

  /** Adds the peer, which is not there. False when there is no memory; nothing is changed then. */
  add(record: number, seeding: boolean): boolean {
    const total = this.total(record);
    if (!this.#makeRoom(record, total)) return false;
    const seeds = this.seeds(record);
    let at = total;
    if (seeding) {
      if (seeds < total) this.#move(seeds, total);
      at = seeds;
      this.#table[record + this.#field + CHUNK.seeds] = seeds + 1;
    }
    this.#table[record + this.#field + CHUNK.total] = total + 1;
    this.refresh(at);
    if (this.#slots > 0) this.#words[this.#index + this.#slotOf(this.#peer)] = at + 1;
    return true;
  }

  /** Writes the peer to a place, after {@link find} or {@link add}. */
  refresh(at: number): void {
    const words = this.#words;
    const peer = this.#peer;
    const peerId = this.#peerId;
    const hot = this.#start + at * this.#hot;
    for (let word = 0; word < this.#hot; word++) words[hot + word] = peer[word] ?? 0;
    const id = this.#ids + at * PEER_ID_WORDS;
    for (let word = 0; word < PEER_ID_WORDS; word++) words[id + word] = peerId[word] ?? 0;
  }

  /** Removes the peer at a place; the last ones of the regions take the places that become free. */
  remove(record: number, at: number): void {
    this.#open(record);
    const last = this.total(record) - 1;
    const seeds = this.seeds(record);
    if (this.#slots > 0) this.#forget(at);
    let hole = at;
    if (at < seeds) {
      if (at !== seeds - 1) this.#move(seeds - 1, at);
      hole = seeds - 1;
      this.#table[record + this.#field + CHUNK.seeds] = seeds - 1;
    }
    if (hole !== last) this.#move(last, hole);
    this.#table[record + this.#field + CHUNK.total] = last;
    this.#shrink(record, last);
  }

  /** Makes a seed of the leecher at a place, or the other way round. Returns its new place. */
  turn(record: number, at: number): number {
    this.#open(record);
    const seeds = this.seeds(record);
    const isSeed = at < seeds;
    const place = isSeed ? seeds - 1 : seeds;
    if (place !== at) this.#swap(at, place);
    this.#table[record + this.#field + CHUNK.seeds] = isSeed ? seeds - 1 : seeds + 1;
    return place;
  }

  /** The tick of the last announce of the peer at a place. */
  tickAt(record: number, at: number): number {
    const start = (this.#table[record + this.#field] ?? 0) * UNIT_WORDS;
    return (this.#words[start + (at + 1) * this.#hot - 1] ?? 0) & 0xffff;
  }

  /** Copies all peers: hot words to `hot`, ids to `ids`. Both have room for {@link total}. */
  copy(record: number, hot: Int32Array, ids: Int32Array): void {
    const total = this.total(record);
    if (total === 0) return;
    this.#open(record);
    hot.set(this.#words.subarray(this.#start, this.#start + total * this.#hot));
    ids.set(this.#words.subarray(this.#ids, this.#ids + total * PEER_ID_WORDS));
  }

  /** Forgets all peers of the swarm. */
  clear(record: number): void {
    if (this.total(record) > 0) this.#release(record);
  }

  #release(record: number): void {
    const at = record + this.#field;
    this.#arena.release(this.#table[at + CHUNK.unit] ?? 0, this.#table[at + CHUNK.class] ?? 0);
    this.#table.fill(0, at, at + 4);
  }

  #open(record: number): void {
    const at = record + this.#field;
    this.#openChunk(this.#table[at + CHUNK.unit] ?? 0, this.#table[at + CHUNK.class] ?? 0);
  }

  #openChunk(unit: number, sizeClass: number): void {
    const capacity = this.shape.capacity[sizeClass] ?? 0;
    this.#start = unit * UNIT_WORDS;
    this.#ids = this.#start + capacity * this.#hot;
    this.#index = this.#ids + capacity * PEER_ID_WORDS;
    this.#slots = this.shape.slots[sizeClass] ?? 0;
  }

  /** Makes sure that one more peer fits, and opens the chunk. */
  #makeRoom(record: number, total: number): boolean {
    const { capacity, maxClass } = this.shape;
    const current = this.#table[record + this.#field + CHUNK.class] ?? 0;
    let sizeClass = current;
    while (sizeClass <= maxClass && (capacity[sizeClass] ?? 0) <= total) sizeClass++;
    if (sizeClass > maxClass) return false;
    if (total > 0 && sizeClass === current) {
      this.#open(record);
      return true;
    }
    return this.#resize(record, total, sizeClass);
  }

  /** Two classes too large, and a chunk becomes one class smaller: never to and fro. */
  #shrink(record: number, total: number): void {
    if (total === 0) {
      this.#release(record);
      return;
    }
    const sizeClass = this.#table[record + this.#field + CHUNK.class] ?? 0;
    const { capacity } = this.shape;
    if (sizeClass < 2 || total > (capacity[sizeClass - 2] ?? 0)) return;
    this.#resize(record, total, sizeClass - 1);
  }

  /** Moves the peers to a chunk of another class, and opens it. False when there is no memory. */
  #resize(record: number, total: number, sizeClass: number): boolean {
    const unit = this.#arena.allocate(sizeClass);
    if (unit < 0) return false;
    const words = this.#words;
    const at = record + this.#field;
    const oldUnit = this.#table[at + CHUNK.unit] ?? 0;
    const oldClass = this.#table[at + CHUNK.class] ?? 0;
    const oldStart = oldUnit * UNIT_WORDS;
    const oldIds = oldStart + (this.shape.capacity[oldClass] ?? 0) * this.#hot;
    this.#openChunk(unit, sizeClass);
    if (total > 0) {
      words.copyWithin(this.#start, oldStart, oldStart + total * this.#hot);
      words.copyWithin(this.#ids, oldIds, oldIds + total * PEER_ID_WORDS);
      this.#arena.release(oldUnit, oldClass);
    }
    this.#table[at + CHUNK.unit] = unit;
    this.#table[at + CHUNK.class] = sizeClass;
    if (this.#slots > 0) this.#indexAll(total);
    return true;
  }

  #indexAll(total: number): void {
    const words = this.#words;
    const mask = this.#slots - 1;
    words.fill(0, this.#index, this.#index + this.#slots);
    for (let at = 0; at < total; at++) {
      let slot = this.#homeOf(at);
      while (words[this.#index + slot] !== 0) slot = (slot + 1) & mask;
      words[this.#index + slot] = at + 1;
    }
  }

  /** Where the chain of the peer at a place begins in the index. */
  #homeOf(at: number): number {
    const hashed = this.#hashed;
    const hot = this.#start + at * this.#hot;
    for (let word = 0; word < this.#hot; word++) hashed[word] = this.#words[hot + word] ?? 0;
    return this.#hashOf(hashed);
  }

  #hashOf(peer: Int32Array): number {
    const hashed = this.#hashed;
    const last = this.#hot - 1;
    if (hashed !== peer) for (let word = 0; word < last; word++) hashed[word] = peer[word] ?? 0;
    hashed[last] = (peer[last] ?? 0) >>> 16;
    return this.#hash.of(hashed, this.#hot) & (this.#slots - 1);
  }

  /** The slot with the place of `peer`, or the empty one where it belongs. */
  #slotOf(peer: Int32Array): number {
    const words = this.#words;
    const mask = this.#slots - 1;
    for (let slot = this.#hashOf(peer); ; slot = (slot + 1) & mask) {
      const entry = words[this.#index + slot] ?? 0;
      if (entry === 0 || this.#isAt(this.#start + (entry - 1) * this.#hot, peer)) return slot;
    }
  }

  /** The slot that says `at`. */
  #slotSaying(at: number): number {
    const words = this.#words;
    const mask = this.#slots - 1;
    let slot = this.#homeOf(at);
    while (words[this.#index + slot] !== at + 1) slot = (slot + 1) & mask;
    return slot;
  }

  /** Whether the peer at a word is `peer`, whatever the ticks. */
  #isAt(word: number, peer: Int32Array): boolean {
    const words = this.#words;
    const last = this.#hot - 1;
    if (((words[word + last] ?? 0) ^ (peer[last] ?? 0)) >>> 16 !== 0) return false;
    for (let at = 0; at < last; at++) if (words[word + at] !== peer[at]) return false;
    return true;
  }

  /** Takes a place out of the index, and closes the gap in its chain. */
  #forget(at: number): void {
    const words = this.#words;
    const mask = this.#slots - 1;
    let gap = this.#slotSaying(at);
    for (let slot = (gap + 1) & mask; ; slot = (slot + 1) & mask) {
      const entry = words[this.#index + slot] ?? 0;
      if (entry === 0) break;
      const home = this.#homeOf(entry - 1);
      if (((slot - home) & mask) < ((slot - gap) & mask)) continue;
      words[this.#index + gap] = entry;
      gap = slot;
    }
    words[this.#index + gap] = 0;
  }

  /** Moves a peer to a place whose own peer is not needed any more. */
  #move(from: number, to: number): void {
    const words = this.#words;
    if (this.#slots > 0) words[this.#index + this.#slotSaying(from)] = to + 1;
    const hot = this.#hot;
    for (let word = 0; word < hot; word++) {
      words[this.#start + to * hot + word] = words[this.#start + from * hot + word] ?? 0;
    }
    for (let word = 0; word < PEER_ID_WORDS; word++) {
      words[this.#ids + to * PEER_ID_WORDS + word] =
        words[this.#ids + from * PEER_ID_WORDS + word] ?? 0;
    }
  }

  #swap(a: number, b: number): void {
    if (this.#slots > 0) {
      const slotA = this.#slotSaying(a);
      const slotB = this.#slotSaying(b);
      this.#words[this.#index + slotA] = b + 1;
      this.#words[this.#index + slotB] = a + 1;
    }
    this.#swapWords(this.#start + a * this.#hot, this.#start + b * this.#hot, this.#hot);
    const ids = this.#ids;
    this.#swapWords(ids + a * PEER_ID_WORDS, ids + b * PEER_ID_WORDS, PEER_ID_WORDS);
  }

  #swapWords(a: number, b: number, length: number): void {
    const words = this.#words;
    for (let word = 0; word < length; word++) {
      const kept = words[a + word] ?? 0;
      words[a + word] = words[b + word] ?? 0;
      words[b + word] = kept;
    }
  }
}
