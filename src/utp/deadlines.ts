/** Which of many connections is due first: a heap whose entries are judged when their time has come. @module */

import type { Millis } from '../runtime/ports.ts';

/** What waits; the fields belong to {@link Deadlines}. */
export interface Waiting {
  /** When it is due; `undefined` when never. */
  deadline(): Millis | undefined;
  /** When it will be looked at; `undefined` while it is in no heap. */
  lookAt: Millis | undefined;
}

/**
 * Deadlines mostly move away: an entry that is too early is put back when it is looked at, so that
 * nothing is done for a packet but a comparison.
 */
export class Deadlines<Item extends Waiting> {
  readonly #heap: { readonly at: Millis; readonly item: Item }[] = [];

  /** When {@link next} has something to look at. */
  get first(): Millis | undefined {
    return this.#heap[0]?.at;
  }

  /** The deadline of `item` may be earlier than before. */
  set(item: Item): void {
    const at = item.deadline();
    if (at === undefined || (item.lookAt !== undefined && item.lookAt <= at)) return;
    item.lookAt = at;
    this.#push({ at, item });
  }

  /** One that is due at `now`; `undefined` when there is none. */
  next(now: Millis): Item | undefined {
    for (let top = this.#heap[0]; top !== undefined && top.at <= now; top = this.#heap[0]) {
      this.#pop();
      const { item } = top;
      // An earlier entry of it was looked at already.
      if (item.lookAt !== top.at) continue;
      item.lookAt = undefined;
      const at = item.deadline();
      if (at !== undefined && at <= now) return item;
      this.set(item);
    }
    return undefined;
  }

  #push(entry: { readonly at: Millis; readonly item: Item }): void {
    const heap = this.#heap;
    let hole = heap.length;
    heap.push(entry);
    while (hole > 0) {
      const parent = (hole - 1) >>> 1;
      const above = heap[parent];
      if (above === undefined || above.at <= entry.at) break;
      heap[hole] = above;
      hole = parent;
    }
    heap[hole] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let hole = 0;
    for (;;) {
      const child = this.#smallerChild(hole);
      const below = heap[child];
      if (below === undefined || below.at >= last.at) break;
      heap[hole] = below;
      hole = child;
    }
    heap[hole] = last;
  }

  #smallerChild(hole: number): number {
    const left = this.#heap[2 * hole + 1];
    const right = this.#heap[2 * hole + 2];
    return left !== undefined && right !== undefined && right.at < left.at
      ? 2 * hole + 2
      : 2 * hole + 1;
  }
}
