/** Where in the records the nodes of each bucket lie: first those in use, then their replacements. @module */

import { ID_BITS } from '../distance.ts';
import { FIRST } from './records.ts';
import { slotsFrom } from './slots.ts';

/** Nodes that share the same number of leading bits with us; the last one holds all that share more. */
export interface Bucket {
  /** Slots of nodes in use, from {@link Buckets.start} on. */
  live: number;
  /** Slots of replacements, behind those. */
  spare: number;
  /** The tick in which one of its nodes last answered, or it was looked up. */
  touched: number;
}

/** Room of the first buckets: libtorrent's "extended routing table"; the others have {@link K}. */
const FIRST_ROOMS = [128, 64, 32, 16];
/** Kademlia's k (BEP 5 "Routing Table"). */
const K = 8;
/** Replacements of each bucket. */
export const MAX_SPARES = 8;

export function roomAt(depth: number): number {
  return FIRST_ROOMS[depth] ?? K;
}

export class Buckets {
  #list: Bucket[] = [];

  constructor(tick: number) {
    this.reset(tick);
  }

  get count(): number {
    return this.#list.length;
  }

  get last(): number {
    return this.#list.length - 1;
  }

  /** Whether the last bucket may be divided. */
  get mayDivide(): boolean {
    return this.#list.length < ID_BITS;
  }

  reset(tick: number): void {
    this.#list = [{ live: 0, spare: 0, touched: tick }];
  }

  /** The bucket of a node that shares so many bits with us. */
  indexOf(sharedBits: number): number {
    return Math.min(sharedBits, this.last);
  }

  at(index: number): Bucket {
    const bucket = this.#list[index];
    if (bucket === undefined) throw new RangeError(`there is no bucket ${index}`);
    return bucket;
  }

  /** The first slot of a bucket. */
  start(index: number): number {
    let slot = FIRST;
    for (let before = 0; before < index; before++) {
      const { live, spare } = this.at(before);
      slot += live + spare;
    }
    return slot;
  }

  hasRoom(index: number): boolean {
    return this.at(index).live < roomAt(index);
  }

  append(bucket: Bucket): void {
    this.#list.push(bucket);
  }

  /** Slots of all nodes that have a place. */
  *liveSlots(): Generator<number> {
    let start = FIRST;
    for (let index = 0; index < this.count; index++) {
      const { live, spare } = this.at(index);
      yield* slotsFrom(start, live);
      start += live + spare;
    }
  }

  /** Nodes in use of all buckets. */
  get live(): number {
    return this.#list.reduce((sum, { live }) => sum + live, 0);
  }

  get spare(): number {
    return this.#list.reduce((sum, { spare }) => sum + spare, 0);
  }
}
