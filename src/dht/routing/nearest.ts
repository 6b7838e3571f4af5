/** The nodes closest to a target, without looking at those that cannot be. @module */

import type { Buckets } from './buckets.ts';
import { type NodeRecords, SCRATCH } from './records.ts';

/**
 * Slots of the `count` nodes closest to the id in {@link SCRATCH} of those with a place in the
 * table that are accepted, nearest first.
 *
 * Whoever shares n bits with us is closest to those in bucket n; all in deeper ones are as far as bit
 * n says; and those in each bucket before are farther than all that were named, bucket by bucket.
 */
export function nearest(
  buckets: Buckets,
  count: number,
  isAccepted: (slot: number) => boolean,
): readonly number[] {
  const found = new Nearest(buckets.records, count);
  const seek = (at: number): void => {
    const { start, live } = buckets.at(at);
    found.add(start, start + live, isAccepted);
  };
  const depth = buckets.depthOf(SCRATCH);
  if (!found.isFull) seek(depth);
  if (!found.isFull) {
    for (let at = depth + 1; at < buckets.list.length; at++) seek(at);
  }
  for (let at = depth - 1; at >= 0 && !found.isFull; at--) seek(at);
  return found.slots;
}

/** The best so far, nearest first. */
class Nearest {
  readonly slots: number[] = [];
  /** The first 32 bits of their distances. */
  readonly #distances: number[] = [];
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

  add(from: number, to: number, isAccepted: (slot: number) => boolean): void {
    const records = this.#records;
    let slot = records.seek(from, to, this.#limit);
    while (slot < to) {
      if (isAccepted(slot)) this.#offer(slot, records.distance(slot));
      slot = records.seek(slot + 1, to, this.#limit);
    }
  }

  #offer(slot: number, distance: number): void {
    const { slots } = this;
    const distances = this.#distances;
    let at = slots.length;
    if (at < this.#count) {
      slots.push(slot);
      distances.push(distance);
    } else if (this.#isBehind(at - 1, slot, distance)) at--;
    else return;
    for (; at > 0 && this.#isBehind(at - 1, slot, distance); at--) {
      slots[at] = slots[at - 1] ?? 0;
      distances[at] = distances[at - 1] ?? 0;
    }
    slots[at] = slot;
    distances[at] = distance;
    if (this.isFull) this.#limit = distances[slots.length - 1] ?? 0;
  }

  /** Whether the one at `at` is farther than `slot`. */
  #isBehind(at: number, slot: number, distance: number): boolean {
    const other = this.#distances[at] ?? 0;
    return other === distance
      ? this.#records.isCloser(slot, this.slots[at] ?? 0)
      : other > distance;
  }
}
