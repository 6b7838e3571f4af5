/** The nodes closest to a target. @module */

import type { Buckets } from './buckets.ts';
import { type NodeRecords, OWN, SCRATCH } from './records.ts';
import { isBad } from './standing.ts';

export class Closest {
  readonly #records: NodeRecords;
  readonly #buckets: Buckets;

  constructor(records: NodeRecords, buckets: Buckets) {
    this.#records = records;
    this.#buckets = buckets;
  }

  /**
   * Slots of the closest that are not bad, nearest first. The buckets are looked at from the nearest on:
   * the target's own, then those deeper than that, then the others upwards; all of one are closer than
   * all of the next.
   */
  find(target: Uint8Array, count: number): number[] {
    const records = this.#records;
    const found: number[] = [];
    if (count <= 0) return found;
    records.loadId(SCRATCH, target);
    const own = this.#buckets.indexOf(records.sharedBits(SCRATCH, OWN));
    this.#collect(own, own, { found, count });
    if (found.length < count) this.#collect(own + 1, this.#buckets.last, { found, count });
    for (let index = own - 1; index >= 0 && found.length < count; index--) {
      this.#collect(index, index, { found, count });
    }
    return found;
  }

  /** Adds those of the buckets `from` to `to` behind what was found, nearest first. */
  #collect(
    from: number,
    to: number,
    { found, count }: { readonly found: number[]; readonly count: number },
  ): void {
    const records = this.#records;
    const before = found.length;
    let slot = this.#buckets.start(from);
    for (let index = from; index <= to; index++) {
      const { live, spare } = this.#buckets.at(index);
      const end = slot + live;
      for (; slot < end; slot++) {
        if (isBad(records, slot)) continue;
        let place = found.length;
        while (place > before && records.isCloser(slot, found[place - 1] ?? 0)) place--;
        if (place >= count) continue;
        found.splice(place, 0, slot);
        if (found.length > count) found.pop();
      }
      slot += spare;
    }
  }
}
