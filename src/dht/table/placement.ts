/** Who gets a place in a bucket, who waits for one, and how the last bucket is divided. @module */

import { type Buckets, MAX_SPARES, roomAt } from './buckets.ts';
import { type NodeRecords, OWN, SCRATCH } from './records.ts';
import { slotsFrom } from './slots.ts';
import { isBad, rank } from './standing.ts';

export class Placement {
  readonly #records: NodeRecords;
  readonly #buckets: Buckets;

  constructor(records: NodeRecords, buckets: Buckets) {
    this.#records = records;
    this.#buckets = buckets;
  }

  /** The bucket that a node belongs to. */
  bucketOf(slot: number): number {
    return this.#buckets.indexOf(this.#records.sharedBits(slot, OWN));
  }

  /** Gives the proven node in the scratch record a place, or lets it wait. */
  place(tick: number): void {
    const records = this.#records;
    for (;;) {
      const index = this.bucketOf(SCRATCH);
      const bucket = this.#buckets.at(index);
      bucket.touched = tick;
      if (this.#buckets.hasRoom(index)) {
        records.insert(this.#buckets.start(index) + bucket.live++);
        return;
      }
      if (index === this.#buckets.last && this.#buckets.mayDivide) {
        this.#divide();
        continue;
      }
      const worst = this.#worstLive(index, tick);
      if (!this.#isWorthReplacing(worst)) {
        this.keepSpare(index, tick);
        return;
      }
      records.swap(worst, SCRATCH);
      // Who lost the place for its id alone is still good: it waits.
      if (!isBad(records, SCRATCH)) this.keepSpare(index, tick);
      return;
    }
  }

  /** A bad node, or one without a right id when the one in the scratch record has one. */
  #isWorthReplacing(slot: number): boolean {
    const records = this.#records;
    if (isBad(records, slot)) return true;
    return records.isVerified(SCRATCH) && !records.isVerified(slot);
  }

  #worstLive(index: number, tick: number): number {
    const records = this.#records;
    const start = this.#buckets.start(index);
    const { live } = this.#buckets.at(index);
    let worst = start;
    for (let slot = start; slot < start + live; slot++) {
      if (isBad(records, slot) && !isBad(records, worst)) worst = slot;
      if (isBad(records, slot) === isBad(records, worst) && this.#isWorse(slot, worst, tick)) {
        worst = slot;
      }
    }
    return worst;
  }

  #isWorse(slot: number, than: number, tick: number): boolean {
    const records = this.#records;
    if (records.isVerified(slot) !== records.isVerified(than)) return records.isVerified(than);
    return rank(records, slot, tick) < rank(records, than, tick);
  }

  /** Lets the node in the scratch record wait for a place, when it is better than the worst that waits. */
  keepSpare(index: number, tick: number): void {
    const records = this.#records;
    const bucket = this.#buckets.at(index);
    const first = this.#buckets.start(index) + bucket.live;
    if (bucket.spare < MAX_SPARES) {
      records.insert(first + bucket.spare++);
      return;
    }
    let worst = first;
    for (let slot = first; slot < first + bucket.spare; slot++) {
      if (rank(records, slot, tick) < rank(records, worst, tick)) worst = slot;
    }
    if (rank(records, SCRATCH, tick) > rank(records, worst, tick)) records.swap(worst, SCRATCH);
  }

  /** The best that waits; `undefined` when nobody does. */
  bestSpare(index: number, tick: number): number | undefined {
    const { live, spare } = this.#buckets.at(index);
    const first = this.#buckets.start(index) + live;
    let best: number | undefined;
    for (let slot = first; slot < first + spare; slot++) {
      const isBetter =
        best === undefined || rank(this.#records, slot, tick) > rank(this.#records, best, tick);
      if (isBetter) best = slot;
    }
    return best;
  }

  /** A replacement takes the place of a bad node, which is forgotten. */
  promote(index: number, bad: number, spare: number): void {
    this.#records.swap(bad, spare);
    this.remove(index, spare);
  }

  /** Divides the last bucket until it is not too full: those that share one bit more form the next one. */
  #divide(): void {
    do {
      const index = this.#buckets.last;
      const bucket = this.#buckets.at(index);
      const start = this.#buckets.start(index);
      const stays = (slot: number): boolean => this.#records.sharedBits(slot, OWN) === index;
      const live = slotsFrom(start, bucket.live);
      const spare = slotsFrom(start + bucket.live, bucket.spare);
      const parts = [
        live.filter(stays),
        spare.filter(stays),
        live.filter((slot) => !stays(slot)),
        spare.filter((slot) => !stays(slot)),
      ] as const;
      const [liveHere, spareHere, liveNext, spareNext] = parts;
      this.#records.paste(this.#records.cut(parts.flat()), start);
      bucket.live = liveHere.length;
      bucket.spare = spareHere.length;
      this.#buckets.append({
        live: liveNext.length,
        spare: spareNext.length,
        touched: bucket.touched,
      });
    } while (this.#buckets.mayDivide && this.#isTooFull(this.#buckets.last));
  }

  #isTooFull(index: number): boolean {
    return this.#buckets.at(index).live > roomAt(index);
  }

  /** Forgets a node of a bucket. */
  remove(index: number, slot: number): void {
    const bucket = this.#buckets.at(index);
    if (this.isLive(index, slot)) bucket.live--;
    else bucket.spare--;
    this.#records.remove(slot);
  }

  /** Whether a node of a bucket has a place. */
  isLive(index: number, slot: number): boolean {
    return slot < this.#buckets.start(index) + this.#buckets.at(index).live;
  }
}
