/** Check and write of finished pieces, a bounded number at once. @module */

import { invariant } from '../base/errors.ts';
import type { PieceStorage } from './piece-storage.ts';

/** Pieces that are hashed or written at the same time unless told otherwise. */
const DEFAULT_PARALLEL = 4;

/** Takes complete pieces from a download. `pendingBytes` is the measure for back-pressure. */
export class DiskQueue {
  readonly #storage: Pick<PieceStorage, 'check' | 'write'>;
  readonly #parallel: number;
  readonly #pieces = new Set<number>();
  readonly #waiting: (() => void)[] = [];
  readonly #idle: (() => void)[] = [];
  #active = 0;
  #pendingBytes = 0;

  constructor(
    storage: Pick<PieceStorage, 'check' | 'write'>,
    options: { readonly parallel?: number } = {},
  ) {
    this.#storage = storage;
    this.#parallel = options.parallel ?? DEFAULT_PARALLEL;
  }

  /** Bytes that were submitted and are neither on disk nor refused yet. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Pieces that were submitted and are neither on disk nor refused yet. */
  get pendingPieces(): number {
    return this.#pieces.size;
  }

  /**
   * Checks the first `length` bytes of `buffer` against the hash of `piece` and writes them when
   * they are good. The buffer must not change until this settles, and is the caller's again then,
   * whatever came out.
   *
   * @throws {StorageError} when it could not be written: the piece is still the caller's and may be
   * submitted again, for example when there is space again.
   */
  async submit(piece: number, buffer: Uint8Array, length: number): Promise<'good' | 'bad'> {
    invariant(!this.#pieces.has(piece), `piece ${piece} is submitted twice at once`);
    const data = length === buffer.length ? buffer : buffer.subarray(0, length);
    this.#pieces.add(piece);
    this.#pendingBytes += length;
    try {
      if (this.#active >= this.#parallel) {
        await new Promise<void>((resolve) => void this.#waiting.push(resolve));
      } else this.#active++;
      try {
        if (!(await this.#storage.check(piece, data))) return 'bad';
        await this.#storage.write(piece, data);
        return 'good';
      } finally {
        this.#leave();
      }
    } finally {
      this.#pieces.delete(piece);
      this.#pendingBytes -= length;
      if (this.#pieces.size === 0) for (const wake of this.#idle.splice(0)) wake();
    }
  }

  /** Waits until nothing is pending; failures go to those who submitted. */
  async idle(): Promise<void> {
    if (this.#pieces.size === 0) return;
    await new Promise<void>((resolve) => void this.#idle.push(resolve));
  }

  /** Hands the slot on to the next in line, so that nobody can take it in between. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#active--;
    else next();
  }
}
