/**
 * Memory for chunks: a buddy allocator over one buffer, with blocks of three quarters of a power of
 * two as well. Neighbours that are free join again, so that memory of many small swarms can become
 * that of a large one.
 *
 * @module
 */

import { ARENA, type StoreHandle, UNIT_WORDS } from './layout.ts';
import { acquire, release } from './lock.ts';
import { unitsOf } from './size-classes.ts';

/** Words of a free block: the one after it and before it in the list of its order, both plus 1. */
const NEXT = 0;
const PREVIOUS = 1;

export class Arena {
  readonly words: Int32Array;
  readonly units: number;
  readonly #marks: Uint8Array;
  readonly #header: Int32Array;
  readonly #shared: boolean;

  constructor(handle: StoreHandle, header: Int32Array) {
    this.words = new Int32Array(handle.arena);
    this.#marks = new Uint8Array(handle.marks);
    this.units = this.#marks.length;
    this.#header = header;
    this.#shared = handle.shared;
  }

  /** Makes all of it free; once, before anybody uses it. */
  format(): void {
    for (let unit = 0; unit < this.units; ) {
      const aligned = unit === 0 ? 31 : 31 - Math.clz32(unit & -unit);
      const order = Math.min(aligned, 31 - Math.clz32(this.units - unit));
      this.#push(unit, order);
      unit += 2 ** order;
    }
  }

  /** Units in use. */
  get used(): number {
    return this.#header[ARENA.used] ?? 0;
  }

  /** The most units that were ever in use at once: about what the system has given memory to. */
  get held(): number {
    return this.#header[ARENA.held] ?? 0;
  }

  /** The first unit of a chunk; −1 when there is no room. What is in it is undefined. */
  allocate(sizeClass: number): number {
    if (!this.#shared) return this.#allocate(sizeClass);
    acquire(this.#header, ARENA.lock);
    try {
      return this.#allocate(sizeClass);
    } finally {
      release(this.#header, ARENA.lock);
    }
  }

  release(unit: number, sizeClass: number): void {
    if (!this.#shared) {
      this.#release(unit, sizeClass);
      return;
    }
    acquire(this.#header, ARENA.lock);
    try {
      this.#release(unit, sizeClass);
    } finally {
      release(this.#header, ARENA.lock);
    }
  }

  #allocate(sizeClass: number): number {
    const units = unitsOf(sizeClass);
    const isQuarters = sizeClass > 0 && sizeClass % 2 === 0;
    const order = 31 - Math.clz32(units) + (isQuarters ? 1 : 0);
    const unit = this.#take(order);
    if (unit < 0) return -1;
    if (isQuarters) this.#push(unit + units, order - 2);
    const header = this.#header;
    const used = this.used + units;
    header[ARENA.used] = used;
    if (used > this.held) header[ARENA.held] = used;
    return unit;
  }

  #release(unit: number, sizeClass: number): void {
    const units = unitsOf(sizeClass);
    const order = 31 - Math.clz32(units);
    this.#join(unit, order);
    if (sizeClass > 0 && sizeClass % 2 === 0) this.#join(unit + 2 ** order, order - 1);
    this.#header[ARENA.used] = this.used - units;
  }

  /** A block of 2^order units, cut out of a larger one when there is none of its size. */
  #take(order: number): number {
    const orders = (this.#header[ARENA.orders] ?? 0) & (-1 << order);
    if (orders === 0) return -1;
    let size = 31 - Math.clz32(orders & -orders);
    const unit = (this.#header[ARENA.heads + size] ?? 0) - 1;
    this.#remove(unit, size);
    while (size > order) {
      size--;
      this.#push(unit + 2 ** size, size);
    }
    return unit;
  }

  /** Gives a block back, together with its neighbours as far as they are free. */
  #join(unit: number, order: number): void {
    let first = unit;
    let size = order;
    for (;;) {
      const buddy = first ^ (1 << size);
      if (this.#marks[buddy] !== size + 1) break;
      this.#remove(buddy, size);
      first = Math.min(first, buddy);
      size++;
    }
    this.#push(first, size);
  }

  #push(unit: number, order: number): void {
    const { words } = this;
    const header = this.#header;
    const next = header[ARENA.heads + order] ?? 0;
    words[unit * UNIT_WORDS + NEXT] = next;
    words[unit * UNIT_WORDS + PREVIOUS] = 0;
    if (next !== 0) words[(next - 1) * UNIT_WORDS + PREVIOUS] = unit + 1;
    header[ARENA.heads + order] = unit + 1;
    header[ARENA.orders] = (header[ARENA.orders] ?? 0) | (1 << order);
    this.#marks[unit] = order + 1;
  }

  #remove(unit: number, order: number): void {
    const { words } = this;
    const header = this.#header;
    const next = words[unit * UNIT_WORDS + NEXT] ?? 0;
    const previous = words[unit * UNIT_WORDS + PREVIOUS] ?? 0;
    if (next !== 0) words[(next - 1) * UNIT_WORDS + PREVIOUS] = previous;
    if (previous !== 0) words[(previous - 1) * UNIT_WORDS + NEXT] = next;
    else {
      header[ARENA.heads + order] = next;
      if (next === 0) header[ARENA.orders] = (header[ARENA.orders] ?? 0) & ~(1 << order);
    }
    this.#marks[unit] = 0;
  }
}
