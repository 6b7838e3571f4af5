/** The requests that a peer has not answered yet, oldest first. @module */

import type { Millis } from '../runtime/ports.ts';
import { BLOCK_LENGTH } from './messages.ts';

/** More blocks than any piece has (2^15 of 16 KiB is the limit of a piece), so keys never meet. */
const BLOCKS_SPAN = 2 ** 16;
/** Cancelled requests remembered, since their blocks may be on the way already. */
const MAX_CANCELLED = 4096;

export class OpenRequests {
  /** Key of the block to the time when it was asked for; insertion order is age. */
  readonly #open = new Map<number, Millis>();
  readonly #cancelled = new Set<number>();

  get count(): number {
    return this.#open.size;
  }
  /** When the oldest was sent; `undefined` when there is none. */
  get oldest(): Millis | undefined {
    for (const sent of this.#open.values()) return sent;
    return undefined;
  }
  has(piece: number, begin: number): boolean {
    return this.#open.has(keyOf(piece, begin));
  }
  add(piece: number, begin: number, now: Millis): void {
    const key = keyOf(piece, begin);
    this.#cancelled.delete(key);
    this.#open.set(key, now);
  }
  /** True when it was open. */
  remove(piece: number, begin: number): boolean {
    return this.#open.delete(keyOf(piece, begin));
  }
  /** As {@link remove}, but the block may still come without blame. */
  cancel(piece: number, begin: number): boolean {
    const key = keyOf(piece, begin);
    if (!this.#open.delete(key)) return false;
    this.#remember(key);
    return true;
  }
  wasCancelled(piece: number, begin: number): boolean {
    return this.#cancelled.has(keyOf(piece, begin));
  }
  /** Empties the list, telling each; late answers are without blame. */
  abandon(each: (piece: number, begin: number) => void): void {
    this.#abandon([...this.#open.keys()], each);
  }
  /** As {@link abandon}, for one piece. */
  abandonPiece(piece: number, each: (piece: number, begin: number) => void): void {
    const first = piece * BLOCKS_SPAN;
    const isOfPiece = (key: number): boolean => key >= first && key < first + BLOCKS_SPAN;
    this.#abandon([...this.#open.keys()].filter(isOfPiece), each);
  }
  #abandon(keys: readonly number[], each: (piece: number, begin: number) => void): void {
    for (const key of keys) {
      this.#open.delete(key);
      this.#remember(key);
      each(Math.floor(key / BLOCKS_SPAN), (key % BLOCKS_SPAN) * BLOCK_LENGTH);
    }
  }
  #remember(key: number): void {
    if (this.#cancelled.size >= MAX_CANCELLED) {
      for (const oldest of this.#cancelled) {
        this.#cancelled.delete(oldest);
        break;
      }
    }
    this.#cancelled.add(key);
  }
}

function keyOf(piece: number, begin: number): number {
  return piece * BLOCKS_SPAN + begin / BLOCK_LENGTH;
}
