/** What is to happen, by time and then by order of asking: a binary heap. @module */

import type { Millis } from '../ports.ts';

/** A thing to happen. */
export interface SimEvent {
  readonly at: Millis;
  /** Breaks ties, so that equal times happen in the order in which they were asked for. */
  readonly order: number;
  /** `undefined` after it happened or was cancelled. */
  run: (() => void) | undefined;
}

/** Cancelled events stay until they are due, or until they are this many and the majority. */
const COMPACT_FROM = 256;

export class EventQueue {
  #heap: SimEvent[] = [];
  #order = 0;
  #cancelled = 0;

  /** Events that are still to happen. */
  get size(): number {
    return this.#heap.length - this.#cancelled;
  }

  /** Entries in memory, the cancelled ones too. */
  get held(): number {
    return this.#heap.length;
  }

  push(at: Millis, run: () => void): SimEvent {
    const event: SimEvent = { at, order: this.#order++, run };
    const heap = this.#heap;
    heap.push(event);
    this.#rise(heap.length - 1, event);
    return event;
  }

  /** Fine for events that happened or were cancelled before. */
  cancel(event: SimEvent): void {
    if (event.run === undefined) return;
    event.run = undefined;
    this.#cancelled++;
    if (this.#cancelled >= COMPACT_FROM && 2 * this.#cancelled > this.#heap.length) this.#compact();
  }

  /** The earliest one, left in. */
  peek(): SimEvent | undefined {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined || first.run !== undefined) return first;
      this.#removeFirst();
      this.#cancelled--;
    }
  }

  /** The earliest one, taken out; its `run` is left to the caller to call and clear. */
  pop(): SimEvent | undefined {
    const first = this.peek();
    if (first !== undefined) this.#removeFirst();
    return first;
  }

  #removeFirst(): void {
    const last = this.#heap.pop();
    if (last !== undefined && this.#heap.length > 0) this.#sink(0, last);
  }

  #compact(): void {
    // A sorted array is a heap.
    this.#heap = this.#heap
      .filter(({ run }) => run !== undefined)
      .toSorted((a, b) => (isBefore(a, b) ? -1 : 1));
    this.#cancelled = 0;
  }

  #rise(from: number, event: SimEvent): void {
    const heap = this.#heap;
    let at = from;
    while (at > 0) {
      const up = (at - 1) >>> 1;
      const parent = heap[up];
      if (parent === undefined || isBefore(parent, event)) break;
      heap[at] = parent;
      at = up;
    }
    heap[at] = event;
  }

  #sink(from: number, event: SimEvent): void {
    const heap = this.#heap;
    let at = from;
    for (;;) {
      let down = 2 * at + 1;
      let child = heap[down];
      if (child === undefined) break;
      const right = heap[down + 1];
      if (right !== undefined && isBefore(right, child)) {
        child = right;
        down++;
      }
      if (isBefore(event, child)) break;
      heap[at] = child;
      at = down;
    }
    heap[at] = event;
  }
}

function isBefore(a: SimEvent, b: SimEvent): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
