/** Chooses the peers of an answer, and writes them to it. @module */

import { MAX_PEERS_IN_ANSWER } from '../model.ts';
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
  /** Peer ids are wanted, too. */
  withIds: boolean;
}

export class Sampler {
  readonly #shape: FamilyShape;
  readonly #words: Int32Array;
  readonly #table: Int32Array;
  /** The state of the row of random numbers. */
  readonly #random: Int32Array;
  /** Places of the peers that were chosen. */
  readonly #places = new Int32Array(MAX_PEERS_IN_ANSWER);
  /** Where samples go, and how many peers fit. */
  #peers: DataView = new DataView(new ArrayBuffer(0));
  #peerIds: DataView = new DataView(new ArrayBuffer(0));
  #room = 0;
  /** The chunk that is chosen from: where it begins, its ids, its first candidate, who is left out. */
  #start = 0;
  #ids = 0;
  #first = 0;
  #self = NOBODY;

  constructor(shape: FamilyShape, words: Int32Array, table: Int32Array, seed: number) {
    this.#shape = shape;
    this.#words = words;
    this.#table = table;
    this.#random = Int32Array.of(seed);
  }

  /** Samples go to `peers`, in compact form, and to `ids`. */
  bind(peers: Uint8Array, ids: Uint8Array): void {
    this.#peers = new DataView(peers.buffer, peers.byteOffset, peers.byteLength);
    this.#peerIds = new DataView(ids.buffer, ids.byteOffset, ids.byteLength);
    const room = Math.floor(peers.length / (this.#shape.addressLength + 2));
    this.#room = Math.min(room, MAX_PEERS_IN_ANSWER);
  }

  /** Writes a random sample and returns how many peers there are in it. */
  take(of: SampleOf): number {
    const candidates = this.#open(of);
    const count = Math.max(0, Math.min(of.wanted, candidates, this.#room));
    if (count === candidates)
      for (let index = 0; index < count; index++) this.#places[index] = index;
    else this.#choose(candidates, count);
    this.#mapToPlaces(count);
    if (this.#shape.addressLength === 4) this.#write4(count);
    else this.#write6(count);
    if (of.withIds) this.#writeIds(count);
    return count;
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

  /**
   * The candidates are cut into as many equal parts as peers are wanted, beginning at a random place,
   * and one is drawn from each: all are equally likely, none comes twice, and nothing has to be
   * remembered. Random numbers are those of mulberry32.
   */
  #choose(candidates: number, count: number): void {
    const places = this.#places;
    let state = this.#random[0] ?? 0;
    let turn = -1;
    let from = 0;
    for (let index = -1; index < count; index++) {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      const part = ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
      // The first number says where the parts begin.
      if (index < 0) turn = Math.floor(part * candidates);
      else {
        const to = Math.floor(((index + 1) * candidates) / count);
        const at = turn + from + Math.floor(part * (to - from));
        places[index] = at < candidates ? at : at - candidates;
        from = to;
      }
    }
    this.#random[0] = state;
  }

  /** Numbers of candidates become places in the swarm. */
  #mapToPlaces(count: number): void {
    const places = this.#places;
    const first = this.#first;
    const self = this.#self;
    for (let index = 0; index < count; index++) {
      const place = first + (places[index] ?? 0);
      places[index] = place < self ? place : place + 1;
    }
  }

  #write4(count: number): void {
    const words = this.#words;
    const places = this.#places;
    const peers = this.#peers;
    const start = this.#start;
    for (let index = 0; index < count; index++) {
      const word = start + (places[index] ?? 0) * 2;
      peers.setInt32(index * 6, words[word] ?? 0);
      peers.setUint16(index * 6 + 4, (words[word + 1] ?? 0) >>> 16);
    }
  }

  #write6(count: number): void {
    const words = this.#words;
    const places = this.#places;
    const peers = this.#peers;
    for (let index = 0; index < count; index++) {
      const word = this.#start + (places[index] ?? 0) * 5;
      const at = index * 18;
      for (let part = 0; part < 4; part++) peers.setInt32(at + part * 4, words[word + part] ?? 0);
      peers.setUint16(at + 16, (words[word + 4] ?? 0) >>> 16);
    }
  }

  #writeIds(count: number): void {
    const words = this.#words;
    const places = this.#places;
    const ids = this.#peerIds;
    for (let index = 0; index < count; index++) {
      const word = this.#ids + (places[index] ?? 0) * PEER_ID_WORDS;
      const at = index * PEER_ID_BYTES;
      for (let part = 0; part < PEER_ID_WORDS; part++) {
        ids.setInt32(at + part * 4, words[word + part] ?? 0);
      }
    }
  }
}
