/** Forgets peers that have not announced themselves for long, a few at a time. @module */

import { acquire, release } from './lock.ts';
import type { PeerChunks } from './peer-chunks.ts';
import type { Swarms } from './swarms.ts';

/** Peers looked at while a shard is locked, about. */
const STRIDE = 256;
/** Above every place in a swarm. */
const TOP = 0x7fff_ffff;

export class Sweep {
  readonly #swarms: Swarms;
  /** Where to continue: shard, record, family, and the place above the next peer to look at. */
  #shard = 0;
  #number = 0;
  #isSix = false;
  #place = TOP;
  #forgotten = 0;
  #finished = 0;

  constructor(swarms: Swarms) {
    this.#swarms = swarms;
  }

  /** Looks at about `budget` peers and at none more than twice. Returns how many it forgot. */
  run(budget: number): number {
    this.#forgotten = 0;
    this.#finished = 0;
    let left = budget;
    // One shard is entered in the middle, and seen as a whole only when all others were.
    while (left > 0 && this.#finished <= this.#swarms.handle.shards) {
      left -= this.#lockedStride(Math.min(left, STRIDE));
    }
    return this.#forgotten;
  }

  #lockedStride(budget: number): number {
    const { handle, words, table } = this.#swarms;
    const shard = table.enter(this.#shard);
    if (!handle.shared) return this.#stride(budget);
    acquire(words, shard);
    try {
      return this.#stride(budget);
    } finally {
      release(words, shard);
    }
  }

  /** Returns how much was looked at: peers and records. */
  #stride(budget: number): number {
    const { handle, table } = this.#swarms;
    let done = 0;
    while (done < budget) {
      if (this.#number >= table.high) {
        this.#nextRecord();
        this.#number = 0;
        this.#shard = (this.#shard + 1) % handle.shards;
        this.#finished++;
        return done + 1;
      }
      done += 1 + this.#sweepRecord(table.recordOf(this.#number), budget - done);
    }
    return done;
  }

  #sweepRecord(record: number, budget: number): number {
    if (record === 0) {
      this.#nextRecord();
      return 0;
    }
    if (this.#swarms.isEmpty(record)) {
      this.#makeRoom();
      this.#nextRecord();
      return 0;
    }
    const { four, six } = this.#swarms;
    let done = 0;
    if (!this.#isSix) done = this.#sweepPeers(record, four, budget);
    if (this.#isSix) done += this.#sweepPeers(record, six, budget - done);
    return done;
  }

  /** From the last one down: what moves to a place that becomes free was looked at before. */
  #sweepPeers(record: number, chunks: PeerChunks, budget: number): number {
    const swarms = this.#swarms;
    let place = Math.min(this.#place, chunks.total(record));
    let done = 0;
    while (place > 0 && done < budget) {
      place--;
      done++;
      if (swarms.ageTicks(record, chunks, place) < swarms.lifetimeTicks) continue;
      swarms.remove(record, chunks, place);
      this.#forgotten++;
    }
    this.#place = place;
    if (place > 0) return done;
    if (this.#isSix) this.#nextRecord();
    else {
      this.#isSix = true;
      this.#place = TOP;
    }
    return done;
  }

  #nextRecord(): void {
    this.#number++;
    this.#isSix = false;
    this.#place = TOP;
  }

  /** For each quiet swarm met in a crowded table, the one that is quiet for longest goes. */
  #makeRoom(): void {
    const swarms = this.#swarms;
    const quiet = swarms.table.oldestQuiet;
    if (quiet !== 0 && swarms.isCrowded) swarms.forget(quiet);
  }
}
