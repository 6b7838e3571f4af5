/** The nodes closest to a target, without looking at those that cannot be. @module */

import type { Bucket, Buckets } from './buckets.ts';
import { type NodeRecords, SCRATCH } from './records.ts';

/** Which part of each bucket is looked through. */
export type Part = 'live' | 'spare';

/**
 * Slots of the `count` nodes closest to the id in {@link SCRATCH} of those in that part of the buckets
 * that are accepted, nearest first.
 *
 * Whoever shares n bits with us is closest to those in bucket n; all in deeper ones are as far as bit
 * n says; and those in each bucket before are farther than all that were named, bucket by bucket.
 */
export function nearest(
  buckets: Buckets,
  part: Part,
  count: number,
  isAccepted: (slot: number) => boolean,
): readonly number[] {
  const found = new Nearest(buckets.records, count);
  const seek = (at: number): void => found.add(range(buckets.at(at), part), isAccepted);
  const depth = buckets.depthOf(SCRATCH);
  if (!found.isFull) seek(depth);
  if (!found.isFull) {
    for (let at = depth + 1; at < buckets.list.length; at++) seek(at);
  }
  for (let at = depth - 1; at >= 0 && !found.isFull; at--) seek(at);
  return found.slots;
}

/** Both lists, which are sorted by distance to the id in {@link SCRATCH}, as one. */
export function merge(
  { records }: Buckets,
  one: readonly number[],
  other: readonly number[],
): readonly number[] {
  if (other.length === 0) return one;
  return [...one, ...other].toSorted((a, b) => (records.isCloser(a, b) ? -1 : 1));
}

interface Range {
  readonly from: number;
  readonly to: number;
}

function range({ start, live, spare }: Bucket, part: Part): Range {
  const middle = start + live;
  return part === 'live' ? { from: start, to: middle } : { from: middle, to: middle + spare };
}

/** The best so far, nearest first. */
class Nearest {
  readonly slots: number[] = [];
  readonly #records: NodeRecords;
  readonly #count: number;
  /** Whoever is farther has no place. */
  #limit = Number.POSITIVE_INFINITY;

  constructor(records: NodeRecords, count: number) {
    this.#records = records;
    this.#count = count;
  }

  get isFull(): boolean {
    return this.slots.length >= this.#count;
  }

  add({ from, to }: Range, isAccepted: (slot: number) => boolean): void {
    for (let slot = from; slot < to; slot++) {
      if (this.#records.distance(slot) <= this.#limit && isAccepted(slot)) this.#offer(slot);
    }
  }

  #offer(slot: number): void {
    const { slots } = this;
    let at = slots.length;
    while (at > 0 && this.#records.isCloser(slot, slots[at - 1] ?? 0)) at--;
    if (at >= this.#count) return;
    if (this.isFull) slots.pop();
    slots.push(slot);
    slots.copyWithin(at + 1, at, slots.length - 1);
    slots[at] = slot;
    if (this.isFull) this.#limit = this.#records.distance(slots[slots.length - 1] ?? 0);
  }
}
