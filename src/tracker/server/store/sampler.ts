/** Chooses the peers of an answer, and writes them to it. @module */

import { CHUNK, PEER_ID_WORDS, UNIT_WORDS } from './layout.ts';
import type { FamilyShape } from './size-classes.ts';

const PEER_ID_BYTES = PEER_ID_WORDS * 4;
/** A place that is above all others. */
const NOBODY = 0x7fff_ffff;

/** What of a swarm is to be chosen from. */
export interface SampleOf {
  /** Word of the swarm's record. */
  record: number;
  /** The place of who asks, which is left out; −1 when it is not of this family. */
  self: number;
  /** Seeds have no use for seeds. */
  leechersOnly: boolean;
  /** How many are wanted, at most. */
  wanted: number;
}

/** Draws from one thread's own row of random numbers (mulberry32). */
export class Draw {
  readonly #state: Int32Array;

  constructor(seed: number) {
    this.#state = Int32Array.of(seed);
  }

  /** 0 … `range` − 1, each as likely as the other. */
  below(range: number): number {
    const state = ((this.#state[0] ?? 0) + 0x6d2b79f5) | 0;
    this.#state[0] = state;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000) * range);
  }
}

export class Sampler {
  readonly #shape: FamilyShape;
  readonly #words: Int32Array;
  readonly #table: Int32Array;
  readonly #draw: Draw;
  /** Where samples go, and how many peers fit. */
  #peers: DataView = new DataView(new ArrayBuffer(0));
  #peerIds: DataView = new DataView(new ArrayBuffer(0));
  #room = 0;
  #hasIds = false;
  /** The chunk that is chosen from: where it begins, its ids, its first candidate, who is left out. */
  #start = 0;
  #ids = 0;
  #first = 0;
  #self = NOBODY;

  constructor(shape: FamilyShape, words: Int32Array, table: Int32Array, draw: Draw) {
    this.#shape = shape;
    this.#words = words;
    this.#table = table;
    this.#draw = draw;
  }

  /** Samples go to `peers`, in compact form, and to `ids`, when there is room in it. */
  bind(peers: Uint8Array, ids: Uint8Array): void {
    this.#peers = new DataView(peers.buffer, peers.byteOffset, peers.byteLength);
    this.#peerIds = new DataView(ids.buffer, ids.byteOffset, ids.byteLength);
    this.#room = Math.floor(peers.length / (this.#shape.addressLength + 2));
    this.#hasIds = ids.length >= this.#room * PEER_ID_BYTES;
  }

  /**
   * Writes a random sample and returns how many peers there are in it. The candidates are cut into as
   * many equal parts as peers are wanted, beginning at a random place, and one is drawn from each: all
   * are equally likely, none comes twice, and nothing has to be remembered.
   */
  take(of: SampleOf): number {
    const candidates = this.#open(of);
    const count = Math.min(of.wanted, candidates, this.#room);
    if (count === candidates) {
      for (let index = 0; index < count; index++) this.#write(index, index);
      return count;
    }
    const turn = this.#draw.below(candidates);
    let from = 0;
    for (let index = 0; index < count; index++) {
      const to = Math.floor(((index + 1) * candidates) / count);
      const at = from + this.#draw.below(to - from) + turn;
      this.#write(index, at < candidates ? at : at - candidates);
      from = to;
    }
    return Math.max(0, count);
  }

  /** How many candidates there are. */
  #open(of: SampleOf): number {
    const table = this.#table;
    const { field, hot, capacity } = this.#shape;
    const chunk = of.record + field;
    this.#first = of.leechersOnly ? (table[chunk + CHUNK.seeds] ?? 0) : 0;
    this.#start = (table[chunk + CHUNK.unit] ?? 0) * UNIT_WORDS;
    this.#ids = this.#start + (capacity[table[chunk + CHUNK.class] ?? 0] ?? 0) * hot;
    const isIn = of.self >= this.#first;
    this.#self = isIn ? of.self : NOBODY;
    return (table[chunk + CHUNK.total] ?? 0) - this.#first - (isIn ? 1 : 0);
  }

  /** Writes a candidate to a place of the answer. */
  #write(index: number, candidate: number): void {
    const words = this.#words;
    const peers = this.#peers;
    const { hot, addressLength } = this.#shape;
    const place = this.#first + candidate;
    const from = place < this.#self ? place : place + 1;
    let word = this.#start + from * hot;
    let at = index * (addressLength + 2);
    for (const end = at + addressLength; at < end; at += 4) {
      peers.setInt32(at, words[word++] ?? 0);
    }
    peers.setUint16(at, (words[word] ?? 0) >>> 16);
    if (this.#hasIds) this.#writeId(index * PEER_ID_BYTES, this.#ids + from * PEER_ID_WORDS);
  }

  #writeId(at: number, from: number): void {
    const ids = this.#peerIds;
    for (let word = 0; word < PEER_ID_WORDS; word++) {
      ids.setInt32(at + word * 4, this.#words[from + word] ?? 0);
    }
  }
}
