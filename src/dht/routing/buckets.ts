/**
 * The buckets of BEP 5: one for each length of the prefix that ids share with ours; the last one holds
 * our own id and all longer prefixes, and it alone splits. Each has live nodes, which answered us, and
 * spares, which wait for a place: candidates that are still to answer, and a cache of replacements.
 *
 * @module
 */

import { ID_BITS } from '../distance.ts';
import { FIRST, type NodeRecords, OWN, SCRATCH } from './records.ts';
import { isBad, isProven, isSound, rank, VERIFIED_WORTH } from './standing.ts';

/** Nodes in a bucket, k of BEP 5. */
const K = 8;
/** Spares of a bucket that is full; what is free of its size is for spares, too. */
const SPARES = 8;

/** Slots from `start` on: first `live` nodes, then `spare` others. */
export interface Bucket {
  start: number;
  live: number;
  spare: number;
  /** Tick of the last change; 0 for never. */
  changedAt: number;
}

/** Live nodes that a bucket of this depth has place for: the first ones are larger, since most targets fall there. */
function capacityOf(depth: number, extended: boolean): number {
  return K * (extended ? (FIRST_BUCKETS[depth] ?? 1) : 1);
}

/** The buckets and their records: where a node belongs, and who gives way when there is no place. */
export class Buckets {
  readonly records: NodeRecords;
  readonly extended: boolean;
  #list: Bucket[] = [emptyBucket(FIRST)];

  constructor(records: NodeRecords, extended: boolean) {
    this.records = records;
    this.extended = extended;
  }

  get list(): readonly Bucket[] {
    return this.#list;
  }

  /** Depth of the bucket for the id in a slot. */
  depthOf(slot: number): number {
    return Math.min(this.records.sharedBits(slot, OWN), this.#list.length - 1);
  }

  at(depth: number): Bucket {
    return this.#list[depth] ?? emptyBucket(this.records.end);
  }

  capacity(depth: number): number {
    return capacityOf(depth, this.extended);
  }

  /** The slot of the node with the id in {@link SCRATCH}; `undefined` when there is none. */
  find(): number | undefined {
    const { start, live, spare } = this.at(this.depthOf(SCRATCH));
    return this.records.findId(start, start + live + spare);
  }

  /**
   * Takes in the node in {@link SCRATCH}, which is not there yet, if there is a place for it: a free
   * one, that of somebody worse, or one that a split makes.
   */
  admit(tick: number): void {
    if (isProven(this.records, SCRATCH)) this.#splitFor(tick);
    const depth = this.depthOf(SCRATCH);
    const bucket = this.at(depth);
    if (bucket.live + bucket.spare < this.capacity(depth) + SPARES) {
      this.records.verify();
    } else {
      const worst = this.#worst(bucket.start + bucket.live, bucket.spare, tick);
      if (!this.#isBetter(worst, tick)) return;
      this.#drop(depth, worst);
    }
    this.#insert(depth);
    this.settle(depth, tick);
  }

  /** Forgets a node and lets others have its place. */
  remove(slot: number, tick: number): void {
    const depth = this.depthOf(slot);
    this.#drop(depth, slot);
    this.settle(depth, tick);
    this.#prune();
  }

  /** Takes a node out, for the time being: its place stays free until {@link admit} or {@link settle}. */
  take(slot: number): void {
    this.#drop(this.depthOf(slot), slot);
  }

  /** Gives places of the bucket to spares that deserve them. */
  settle(depth: number, tick: number): void {
    while (this.#promote(depth, tick)) this.at(depth).changedAt = tick;
  }

  /** All records, those of live nodes first; the table is empty afterwards, as for a new own id. */
  takeAll(): Uint32Array {
    const live: number[] = [];
    const spare: number[] = [];
    for (const bucket of this.#list) {
      const [from, to] = [bucket.start, bucket.start + bucket.live];
      for (let slot = from; slot < to; slot++) live.push(slot);
      for (let slot = to; slot < to + bucket.spare; slot++) spare.push(slot);
    }
    const all = this.records.cut([...live, ...spare]);
    this.records.clear();
    this.#list = [emptyBucket(FIRST)];
    return all;
  }

  /** Whether one more node that answers could get a place without that anybody fails. */
  hasRoom(depth: number): boolean {
    const isLast = depth === this.#list.length - 1;
    return this.at(depth).live < this.capacity(depth) || (isLast && depth < MAX_DEPTH);
  }

  /** Whether the node in {@link SCRATCH}, whose id is verified if that decides, is better than one. */
  #isBetter(than: number, tick: number): boolean {
    const { records } = this;
    const limit = rank(records, than, tick);
    if (rank(records, SCRATCH, tick) + VERIFIED_WORTH <= limit) return false;
    records.verify();
    return rank(records, SCRATCH, tick) > limit;
  }

  /** Splits the last bucket as long as that makes a place for the node in {@link SCRATCH}. */
  #splitFor(tick: number): void {
    for (;;) {
      const last = this.#list.length - 1;
      const isFull = this.at(last).live >= this.capacity(last);
      if (!isFull || this.depthOf(SCRATCH) !== last || !this.#canSplit(last, true)) return;
      this.#split(tick);
    }
  }

  /**
   * A table that is deep next to us and empty elsewhere is no natural one, but that of somebody who
   * gathers around our id: the bucket before has to be there, and both halves not empty.
   */
  #canSplit(last: number, withScratch: boolean): boolean {
    if (last >= MAX_DEPTH || (last > 0 && this.at(last - 1).live < 2)) return false;
    const { start, live } = this.at(last);
    const { records } = this;
    const isFar = (slot: number): boolean => records.sharedBits(slot, OWN) === last;
    const first = isFar(withScratch ? SCRATCH : start);
    for (let slot = start; slot < start + live; slot++) if (isFar(slot) !== first) return true;
    return false;
  }

  #split(tick: number): void {
    const depth = this.#list.length - 1;
    this.#separate(depth);
    this.#fit(depth, tick);
    const last = this.#list.length - 1;
    const isOver = this.at(last).live > this.capacity(last);
    if (isOver && this.#canSplit(last, false)) this.#split(tick);
    else this.#fit(last, tick);
  }

  /** Makes another last bucket of those in the last one that share one bit more with us. */
  #separate(depth: number): void {
    const bucket = this.at(depth);
    const { start, live, spare, changedAt } = bucket;
    const isNear = (slot: number): boolean => this.records.sharedBits(slot, OWN) > depth;
    const [farLive, nearLive] = divide(start, start + live, isNear);
    const [farSpare, nearSpare] = divide(start + live, start + live + spare, isNear);
    const all = [...farLive, ...farSpare, ...nearLive, ...nearSpare];
    this.records.paste(this.records.cut(all), start);
    bucket.live = farLive.length;
    bucket.spare = farSpare.length;
    const middle = start + bucket.live + bucket.spare;
    this.#list.push({ start: middle, live: nearLive.length, spare: nearSpare.length, changedAt });
  }

  /** Brings a bucket that a split has left with too many nodes into its limits. */
  #fit(depth: number, tick: number): void {
    const bucket = this.at(depth);
    const capacity = this.capacity(depth);
    while (bucket.live > capacity) {
      const worst = this.#worst(bucket.start, bucket.live, tick);
      this.records.swap(worst, bucket.start + bucket.live - 1);
      bucket.live--;
      bucket.spare++;
    }
    while (bucket.live + bucket.spare > capacity + SPARES) {
      this.#drop(depth, this.#worst(bucket.start + bucket.live, bucket.spare, tick));
    }
    this.settle(depth, tick);
  }

  /** Gives one spare a place; false when none deserves it, or nobody gives way. */
  #promote(depth: number, tick: number): boolean {
    const bucket = this.at(depth);
    const spare = this.#bestSpare(depth, tick, false);
    if (spare === undefined) return false;
    if (bucket.live < this.capacity(depth)) {
      const next = this.#bestSpare(depth, tick, true) ?? spare;
      this.records.swap(next, bucket.start + bucket.live);
      bucket.live++;
      bucket.spare--;
      return true;
    }
    const worst = this.#worst(bucket.start, bucket.live, tick);
    if (isBad(this.records, worst)) {
      const next = this.#bestSpare(depth, tick, true) ?? spare;
      this.records.swap(next, worst);
      this.#drop(depth, next);
      return true;
    }
    const victim = this.#unverified(bucket, spare, tick);
    if (victim !== undefined) this.records.swap(spare, victim);
    return victim !== undefined;
  }

  /**
   * Nodes that are long there stay long, so that good ones are not replaced; but one whose id does not
   * follow from its address gives way to one that is as good, and whose id does.
   */
  #unverified({ start, live }: Bucket, spare: number, tick: number): number | undefined {
    const { records } = this;
    if (!records.isVerified(spare)) return undefined;
    let victim: number | undefined;
    let lowest = rank(records, spare, tick);
    for (let slot = start; slot < start + live; slot++) {
      if (records.isVerified(slot)) continue;
      const value = rank(records, slot, tick);
      if (value < lowest) [victim, lowest] = [slot, value];
    }
    return victim;
  }

  /**
   * The spare that is next: of those that answered, the good ones first, then those whose id follows
   * from the address, then (when `spread`) those in a part of the bucket that has nobody, then the fastest.
   */
  #bestSpare(depth: number, tick: number, spread: boolean): number | undefined {
    const { start, live, spare } = this.at(depth);
    const { records } = this;
    let best: number | undefined;
    let highest = -1;
    for (let slot = start + live; slot < start + live + spare; slot++) {
      if (!isSound(records, slot)) continue;
      const value = rank(records, slot, tick);
      const speed = value % VERIFIED_WORTH;
      const wider = spread && this.#isAlone(depth, slot) ? VERIFIED_WORTH : 0;
      const all = 2 * (value - speed) + wider + speed;
      if (all > highest) [best, highest] = [slot, all];
    }
    return best;
  }

  /** No live node shares the part of the bucket (libtorrent's `classify_prefix`) with the spare. */
  #isAlone(depth: number, spare: number): boolean {
    const { start, live } = this.at(depth);
    const part = this.partOf(depth, spare);
    for (let slot = start; slot < start + live; slot++) {
      if (this.partOf(depth, slot) === part) return false;
    }
    return true;
  }

  /**
   * In which part of its bucket an id is, of as many equal ones as there are places: its first bits
   * behind those that all ids of the bucket share. The more parts have somebody, the shorter lookups are.
   */
  partOf(depth: number, slot: number): number {
    const isLast = depth === this.#list.length - 1;
    const bits = 31 - Math.clz32(this.capacity(depth));
    return this.records.idBits(slot, depth + (isLast ? 0 : 1), bits);
  }

  /** The worst of `count` records, which are there, from `start` on. */
  #worst(start: number, count: number, tick: number): number {
    let [worst, lowest] = [start, Number.POSITIVE_INFINITY];
    for (let slot = start; slot < start + count; slot++) {
      const value = rank(this.records, slot, tick);
      if (value < lowest) [worst, lowest] = [slot, value];
    }
    return worst;
  }

  /** Puts {@link SCRATCH} behind the spares. */
  #insert(depth: number): void {
    const bucket = this.at(depth);
    this.records.insert(bucket.start + bucket.live + bucket.spare);
    bucket.spare++;
    this.#shift(depth, 1);
  }

  #drop(depth: number, slot: number): void {
    const bucket = this.at(depth);
    this.records.remove(slot);
    if (slot < bucket.start + bucket.live) bucket.live--;
    else bucket.spare--;
    this.#shift(depth, -1);
  }

  #shift(depth: number, by: number): void {
    for (let at = depth + 1; at < this.#list.length; at++) this.at(at).start += by;
  }

  #prune(): void {
    while (this.#list.length > 1) {
      const { live, spare } = this.at(this.#list.length - 1);
      if (live + spare > 0) return;
      this.#list.pop();
    }
  }
}

/** The slots from `from` to before `to`, those that are not near and those that are. */
function divide(
  from: number,
  to: number,
  isNear: (slot: number) => boolean,
): readonly [number[], number[]] {
  const [far, near]: [number[], number[]] = [[], []];
  for (let slot = from; slot < to; slot++) (isNear(slot) ? near : far).push(slot);
  return [far, near];
}

function emptyBucket(start: number): Bucket {
  return { start, live: 0, spare: 0, changedAt: 0 };
}

/** Times K, of the first buckets, as in libtorrent's extended routing table. */
const FIRST_BUCKETS: readonly number[] = [16, 8, 4, 2];
/** The last bucket of a table that could not be deeper. */
const MAX_DEPTH = ID_BITS - 1;
