/**
 * The memory of a store as swarms and peers: everything counted, limits kept. Whoever calls holds the
 * lock of the shard, when there are locks.
 *
 * A swarm without peers is forgotten at once when nobody ever completed it. Others stay for the sake
 * of that number, quiet, until their room is needed.
 *
 * @module
 */

import type { SwarmCounts } from '../model.ts';
import { Arena } from './arena.ts';
import { KeyedHash } from './keyed-hash.ts';
import { HEADER, RECORD, SHARD, type StoreHandle, shardAt } from './layout.ts';
import { PeerChunks } from './peer-chunks.ts';
import { familyShape } from './size-classes.ts';
import { SwarmTable } from './swarm-table.ts';

/** A swarm counts no further, so that no sum of a few can run over. */
const MAX_COMPLETED = 0x7fff_ffff;
/** Part of the table that is kept free of quiet swarms. */
const SPARE = 1 / 16;

export class Swarms {
  readonly handle: StoreHandle;
  readonly words: Int32Array;
  readonly hash: KeyedHash;
  readonly table: SwarmTable;
  readonly arena: Arena;
  readonly four: PeerChunks;
  readonly six: PeerChunks;
  readonly lifetimeTicks: number;
  readonly #shared: boolean;

  constructor(handle: StoreHandle) {
    this.handle = handle;
    this.words = new Int32Array(handle.table);
    this.hash = new KeyedHash(handle.key0, handle.key1);
    this.table = new SwarmTable(handle, this.words, this.hash);
    this.arena = new Arena(handle, this.words);
    const chunks = (family: 4 | 6): PeerChunks =>
      new PeerChunks(familyShape(family, this.arena.units), this.arena, this.words, this.hash);
    this.four = chunks(4);
    this.six = chunks(6);
    this.lifetimeTicks = Math.ceil(handle.peerLifetimeSeconds / handle.tickSeconds);
    this.#shared = handle.shared;
  }

  /** A word of the header. */
  header(at: number): number {
    return this.#shared ? Atomics.load(this.words, at) : (this.words[at] ?? 0);
  }

  /** Seconds since the store began. Ages beyond the lifetime are all the same. */
  setTime(seconds: number): void {
    const { words, handle } = this;
    const time = Math.max(Math.floor(seconds), this.header(HEADER.time));
    const ticks = Math.floor((time - this.header(HEADER.tickedAt)) / handle.tickSeconds);
    const tick = this.header(HEADER.tick) + Math.min(ticks, this.lifetimeTicks);
    Atomics.store(words, HEADER.time, time);
    Atomics.store(
      words,
      HEADER.tickedAt,
      this.header(HEADER.tickedAt) + ticks * handle.tickSeconds,
    );
    Atomics.store(words, HEADER.tick, tick & 0xffff);
  }

  /** Another number for each door to the store. */
  newSeed(): number {
    return this.hash.of(Int32Array.of(Atomics.add(this.words, HEADER.instances, 1)), 1);
  }

  /** How many records were ever used. */
  get records(): number {
    let records = 0;
    for (let shard = 0; shard < this.handle.shards; shard++) {
      records += this.words[shardAt(shard) + SHARD.high] ?? 0;
    }
    return records;
  }

  /** No more peers are taken. */
  get isFull(): boolean {
    return this.header(HEADER.peers) >= this.handle.maxPeers;
  }

  /** True when quiet swarms are to go. */
  get isCrowded(): boolean {
    return this.header(HEADER.swarms) > this.handle.maxSwarms * (1 - SPARE);
  }

  isEmpty(record: number): boolean {
    return this.four.total(record) === 0 && this.six.total(record) === 0;
  }

  /** Ticks since the last announce of the peer at a place. */
  ageTicks(record: number, chunks: PeerChunks, at: number): number {
    return (this.header(HEADER.tick) - chunks.tickAt(record, at)) & 0xffff;
  }

  count(record: number, counts: SwarmCounts): void {
    counts.seeders = this.four.seeds(record) + this.six.seeds(record);
    counts.leechers = this.four.total(record) + this.six.total(record) - counts.seeders;
    counts.completed = this.completed(record);
  }

  completed(record: number): number {
    return this.words[record + RECORD.completed] ?? 0;
  }

  /** Counts downloads, of the swarm and of all. */
  complete(record: number, times: number): void {
    const before = this.completed(record);
    const added = Math.min(times, MAX_COMPLETED - before);
    this.words[record + RECORD.completed] = before + added;
    const low = this.#add(HEADER.completedLow, added) >>> 0;
    if (low + added > 0xffff_ffff) this.#add(HEADER.completedHigh, 1);
  }

  /** The record of the swarm aimed at, made when there is none; 0 when there is no room. */
  obtain(): number {
    const found = this.table.find();
    if (found !== 0) return found;
    if (!this.#makeRoom()) return 0;
    const record = this.table.create();
    this.table.rest(record);
    return record;
  }

  /** Adds the peer that `chunks` is told of, which is not there. False when a limit is reached. */
  add(record: number, chunks: PeerChunks, seeding: boolean): boolean {
    const wasEmpty = this.isEmpty(record);
    const isOver = this.#add(HEADER.peers, 1) >= this.handle.maxPeers;
    if (isOver || !chunks.add(record, seeding)) {
      this.#add(HEADER.peers, -1);
      return false;
    }
    if (wasEmpty) this.table.wake(record);
    if (chunks === this.four) this.#add(HEADER.peers4, 1);
    if (seeding) this.#add(HEADER.seeders, 1);
    return true;
  }

  /** Removes a peer; of an empty swarm its number of downloads is all that stays. */
  remove(record: number, chunks: PeerChunks, at: number): void {
    const wasSeed = at < chunks.seeds(record);
    chunks.remove(record, at);
    this.#add(HEADER.peers, -1);
    if (chunks === this.four) this.#add(HEADER.peers4, -1);
    if (wasSeed) this.#add(HEADER.seeders, -1);
    if (this.isEmpty(record)) this.table.rest(record);
    this.settle(record);
  }

  /** Makes a seed of a leecher or the other way round. Returns the new place. */
  turn(record: number, chunks: PeerChunks, at: number): number {
    this.#add(HEADER.seeders, at < chunks.seeds(record) ? -1 : 1);
    return chunks.turn(record, at);
  }

  /** Forgets a swarm without peers that nobody completed. */
  settle(record: number): void {
    if (this.completed(record) === 0 && this.isEmpty(record)) this.forget(record);
  }

  /** Forgets a swarm and its peers. */
  forget(record: number): void {
    const seeds = this.four.seeds(record) + this.six.seeds(record);
    const peers4 = this.four.total(record);
    if (this.isEmpty(record)) this.table.wake(record);
    this.#add(HEADER.peers, -peers4 - this.six.total(record));
    this.#add(HEADER.peers4, -peers4);
    this.#add(HEADER.seeders, -seeds);
    this.four.clear(record);
    this.six.clear(record);
    this.table.drop(record);
    this.#add(HEADER.swarms, -1);
  }

  /** Counts a swarm more, in place of the one quiet for longest when need be. */
  #makeRoom(): boolean {
    if (this.table.hasRoom) {
      if (this.#add(HEADER.swarms, 1) < this.handle.maxSwarms) return true;
      this.#add(HEADER.swarms, -1);
    }
    const quiet = this.table.oldestQuiet;
    if (quiet === 0) return false;
    this.forget(quiet);
    this.#add(HEADER.swarms, 1);
    return true;
  }

  /** Adds to a word of the header. Returns what was there before. */
  #add(at: number, amount: number): number {
    if (this.#shared) return Atomics.add(this.words, at, amount);
    const before = this.words[at] ?? 0;
    this.words[at] = before + amount;
    return before;
  }
}
