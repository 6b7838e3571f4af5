/**
 * Swarms and their peers in typed arrays: nothing is allocated for an announce, and several threads
 * may share one store.
 *
 * A peer is its address and port within a swarm. `completed` counts once for a peer that was not a
 * seed of the swarm before. A thread that ends in the middle of a call leaves a shard locked: threads
 * that share a store end by themselves.
 *
 * @module
 */

import {
  EVENT,
  type IncomingAnnounce,
  type SwarmAnswer,
  type SwarmCounts,
  type Wanted,
} from '../model.ts';
import {
  createHandle,
  HEADER,
  RECORD_WORDS,
  type StoreHandle,
  type SwarmStoreOptions,
  UNIT_WORDS,
} from './layout.ts';
import { acquire, release } from './lock.ts';
import type { PeerChunks } from './peer-chunks.ts';
import { Sampler } from './sampler.ts';
import { Swarms } from './swarms.ts';
import { Sweep } from './sweep.ts';
import { type CountedSwarm, type PeerView, SwarmCopy, type SwarmView } from './views.ts';

const NOBODY = new Uint8Array(20);
const BYTES_PER_RECORD = RECORD_WORDS * 4;
/** With its mark. */
const BYTES_PER_UNIT = UNIT_WORDS * 4 + 1;

/** Numbers of all swarms together. */
export interface StoreTotals {
  readonly swarms: number;
  readonly peers4: number;
  readonly peers6: number;
  readonly seeders: number;
  readonly leechers: number;
  /** Downloads ever completed, those of swarms forgotten since among them. */
  readonly completed: number;
  /** Memory of the swarms and peers that there are. */
  readonly bytesUsed: number;
  /** Memory that was ever in use and is kept for new ones. */
  readonly bytesReserved: number;
}

/** Two times 32 bits. */
export interface StoreId {
  readonly high: number;
  readonly low: number;
}

export class SwarmStore {
  readonly handle: StoreHandle;
  readonly #swarms: Swarms;
  readonly #sweep: Sweep;
  readonly #sampler4: Sampler;
  readonly #sampler6: Sampler;
  readonly #sample = { record: 0, self: -1, leechersOnly: false, wanted: 0, withIds: true };
  /** Where samples go: the views of it are made anew only when it is another one. */
  #answer: SwarmAnswer | undefined;

  /** A new store, or one more door to a store that another thread made. */
  constructor(from: SwarmStoreOptions | StoreHandle) {
    const isNew = !('table' in from);
    this.handle = isNew ? createHandle(from) : from;
    const swarms = new Swarms(this.handle);
    this.#swarms = swarms;
    if (isNew) {
      swarms.arena.format();
      this.id = { high: from.random.uint32(), low: from.random.uint32() };
    }
    this.#sweep = new Sweep(swarms);
    const sampler = (chunks: PeerChunks): Sampler =>
      new Sampler(chunks.shape, swarms.arena.words, swarms.words, swarms.newSeed());
    this.#sampler4 = sampler(swarms.four);
    this.#sampler6 = sampler(swarms.six);
  }

  /** The store of another thread. */
  static attach(handle: StoreHandle): SwarmStore {
    return new SwarmStore(handle);
  }

  /** Seconds since the store began, as its owner said last. */
  get time(): number {
    return this.#swarms.header(HEADER.time);
  }

  /** Names the store in all its doors, and again when its swarms come back from a file: 64 random bits. */
  get id(): StoreId {
    const swarms = this.#swarms;
    return { high: swarms.header(HEADER.idHigh) >>> 0, low: swarms.header(HEADER.idLow) >>> 0 };
  }

  /** For its owner only, before others use the store. */
  set id({ high, low }: StoreId) {
    Atomics.store(this.#swarms.words, HEADER.idHigh, high);
    Atomics.store(this.#swarms.words, HEADER.idLow, low);
  }

  /**
   * Tells the time, in seconds since the store began; for its owner only, once a second or so. Time
   * never runs backwards. After a jump of more than the lifetime of peers, all are old.
   */
  setTime(seconds: number): void {
    this.#swarms.setTime(seconds);
  }

  get totals(): StoreTotals {
    const swarms = this.#swarms;
    const peers = swarms.header(HEADER.peers);
    const peers4 = swarms.header(HEADER.peers4);
    const seeders = swarms.header(HEADER.seeders);
    const count = swarms.header(HEADER.swarms);
    const low = swarms.header(HEADER.completedLow) >>> 0;
    const slots = 4 * this.handle.shards * this.handle.slotsPerShard;
    return {
      swarms: count,
      peers4,
      peers6: peers - peers4,
      seeders,
      leechers: peers - seeders,
      completed: swarms.header(HEADER.completedHigh) * 0x1_0000_0000 + low,
      bytesUsed: slots + count * BYTES_PER_RECORD + swarms.arena.used * BYTES_PER_UNIT,
      bytesReserved: slots + swarms.records * BYTES_PER_RECORD + swarms.arena.held * BYTES_PER_UNIT,
    };
  }

  /**
   * Applies an announce and fills `answer`. False when a limit is reached: the peer was not added
   * then, and the answer says nothing.
   */
  announce(announce: IncomingAnnounce, wanted: Wanted, answer: SwarmAnswer): boolean {
    const swarms = this.#swarms;
    if (answer !== this.#answer) this.#bind(answer);
    const shard = swarms.table.aim(announce.infoHash);
    if (!this.handle.shared) return this.#announce(announce, wanted, answer);
    acquire(swarms.words, shard);
    try {
      return this.#announce(announce, wanted, answer);
    } finally {
      release(swarms.words, shard);
    }
  }

  /** Fills `counts`, with zeros when the swarm is unknown. Returns whether it is known. */
  scrape(infoHash: Uint8Array, counts: SwarmCounts): boolean {
    const swarms = this.#swarms;
    const shard = swarms.table.aim(infoHash);
    if (!this.handle.shared) return this.#count(swarms.table.find(), counts);
    acquire(swarms.words, shard);
    try {
      return this.#count(swarms.table.find(), counts);
    } finally {
      release(swarms.words, shard);
    }
  }

  /** Whether the peer, of an address of 4 or 16 bytes, is in the swarm. */
  has(
    infoHash: Uint8Array,
    { address, port }: { readonly address: Uint8Array; readonly port: number },
  ): boolean {
    const swarms = this.#swarms;
    return this.#locked(swarms.table.aim(infoHash), () => {
      const record = swarms.table.find();
      const chunks = address.length === 4 ? swarms.four : swarms.six;
      chunks.tell({ address, port, peerId: NOBODY }, 0);
      return record !== 0 && chunks.find(record) >= 0;
    });
  }

  /**
   * Looks at about `budget` peers, continuing where it stopped, and forgets those that are too old.
   * Returns how many these were. For the owner only.
   */
  expire(budget: number): number {
    return this.#sweep.run(budget);
  }

  /** Forgets a swarm and its peers. */
  remove(infoHash: Uint8Array): void {
    this.#locked(this.#swarms.table.aim(infoHash), () => {
      const record = this.#swarms.table.find();
      if (record !== 0) this.#swarms.forget(record);
    });
  }

  /**
   * Adds what a view says, `elapsedSeconds` after it was made: peers that are not too old and not
   * known from a later announce, and the number of downloads when it is larger. Returns false when a
   * limit was reached.
   */
  restore(view: SwarmView, elapsedSeconds: number = 0): boolean {
    return this.#locked(this.#swarms.table.aim(view.infoHash), () =>
      this.#restore(view, elapsedSeconds),
    );
  }

  /** Every swarm with its peers; large ones in several views. Others wait for one copy at a time. */
  *swarms(): Generator<SwarmView> {
    for (const copy of this.copies()) yield* copy.views();
  }

  /** The numbers of every swarm. */
  *counts(): Generator<CountedSwarm> {
    for (const copy of this.copies()) yield copy.counts();
  }

  /**
   * Every swarm that is there all the while, and perhaps those that come and go meanwhile. The copy
   * is good until the next one.
   */
  *copies(): Generator<SwarmCopy> {
    const copy = new SwarmCopy(this.#swarms);
    const { shards } = this.handle;
    for (let shard = 0; shard < shards; shard++) {
      for (let number = 0; this.#copy(copy, shard, number); number++) {
        if (copy.isThere) yield copy;
      }
    }
  }

  /** False when there are no more records. */
  #copy(copy: SwarmCopy, shard: number, number: number): boolean {
    const { table } = this.#swarms;
    return this.#locked(table.enter(shard), () => {
      if (number >= table.high) return false;
      copy.fill(this.#swarms, table.recordOf(number));
      return true;
    });
  }

  #locked<T>(shard: number, work: () => T): T {
    if (!this.handle.shared) return work();
    acquire(this.#swarms.words, shard);
    try {
      return work();
    } finally {
      release(this.#swarms.words, shard);
    }
  }

  #bind(answer: SwarmAnswer): void {
    this.#answer = answer;
    this.#sampler4.bind(answer.peers4, answer.ids4);
    this.#sampler6.bind(answer.peers6, answer.ids6);
  }

  #announce(announce: IncomingAnnounce, wanted: Wanted, answer: SwarmAnswer): boolean {
    const swarms = this.#swarms;
    const { event } = announce;
    const chunks = announce.address.length === 4 ? swarms.four : swarms.six;
    chunks.tell(announce, swarms.header(HEADER.tick));
    answer.count4 = 0;
    answer.count6 = 0;
    if (event === EVENT.stopped) {
      this.#stop(chunks, answer);
      return true;
    }
    const seeding = announce.seeding || event === EVENT.completed;
    const record = this.#put(chunks, seeding, event === EVENT.completed);
    if (record === 0) return false;
    const sample = this.#sample;
    sample.record = record;
    sample.leechersOnly = seeding;
    sample.wanted = announce.numWant;
    sample.withIds = announce.withIds !== false;
    this.#fill(chunks === swarms.four, wanted, answer);
    return this.#count(record, answer);
  }

  #stop(chunks: PeerChunks, answer: SwarmAnswer): void {
    const swarms = this.#swarms;
    const record = swarms.table.find();
    const at = record === 0 ? -1 : chunks.find(record);
    if (at >= 0) swarms.remove(record, chunks, at);
    // The last one may have taken the swarm along.
    this.#count(at < 0 ? record : swarms.table.find(), answer);
  }

  /** Adds or refreshes the peer that `chunks` was told of. Returns the swarm's record; 0 for no room. */
  #put(chunks: PeerChunks, seeding: boolean, completed: boolean): number {
    const swarms = this.#swarms;
    let record = swarms.table.find();
    let at = record === 0 ? -1 : chunks.find(record);
    let wasSeed = false;
    if (at < 0) {
      if (swarms.isFull) return 0;
      record = swarms.obtain();
      if (record === 0) return 0;
      if (!swarms.add(record, chunks, seeding)) {
        swarms.settle(record);
        return 0;
      }
      at = seeding ? chunks.seeds(record) - 1 : chunks.total(record) - 1;
    } else {
      wasSeed = at < chunks.seeds(record);
      if (wasSeed !== seeding) at = swarms.turn(record, chunks, at);
      chunks.refresh(at);
    }
    if (completed && !wasSeed) swarms.complete(record, 1);
    this.#sample.self = at;
    return record;
  }

  #fill(isFour: boolean, wanted: Wanted, answer: SwarmAnswer): void {
    const sample = this.#sample;
    const own = (isFour ? this.#sampler4 : this.#sampler6).take(sample);
    let others = 0;
    if (wanted === 'both-families') {
      sample.self = -1;
      sample.wanted -= own;
      others = (isFour ? this.#sampler6 : this.#sampler4).take(sample);
    }
    answer.count4 = isFour ? own : others;
    answer.count6 = isFour ? others : own;
  }

  #count(record: number, counts: SwarmCounts): boolean {
    if (record !== 0) {
      this.#swarms.count(record, counts);
      return true;
    }
    counts.seeders = 0;
    counts.leechers = 0;
    counts.completed = 0;
    return false;
  }

  #restore(view: SwarmView, elapsedSeconds: number): boolean {
    const swarms = this.#swarms;
    const isNews = view.completed > 0 || view.peers.length > 0;
    const record = isNews ? swarms.obtain() : 0;
    if (record === 0) return !isNews;
    swarms.complete(record, Math.max(0, view.completed - swarms.completed(record)));
    const isWhole = view.peers.every((peer) => this.#restorePeer(record, peer, elapsedSeconds));
    swarms.settle(record);
    return isWhole;
  }

  #restorePeer(record: number, peer: PeerView, elapsedSeconds: number): boolean {
    const swarms = this.#swarms;
    const age = Math.floor((peer.ageSeconds + elapsedSeconds) / this.handle.tickSeconds);
    if (age >= swarms.lifetimeTicks) return true;
    const chunks = peer.family === 4 ? swarms.four : swarms.six;
    chunks.tell(peer, swarms.header(HEADER.tick) - age);
    const at = chunks.find(record);
    if (at < 0) return swarms.add(record, chunks, peer.seeding);
    if (swarms.ageTicks(record, chunks, at) <= age) return true;
    const wasSeed = at < chunks.seeds(record);
    chunks.refresh(wasSeed === peer.seeding ? at : swarms.turn(record, chunks, at));
    return true;
  }
}
