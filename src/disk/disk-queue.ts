/** Check and write of finished pieces, each a bounded number at once. @module */

import { invariant } from '../base/errors.ts';
import type { PieceStorage } from './piece-storage.ts';

/** Pieces that are hashed at the same time unless told otherwise. */
const DEFAULT_CHECKS = 4;
/**
 * Pieces that are written at the same time unless told otherwise. File systems let one writer at a
 * time into a file; more of them spin before its lock and win nothing.
 */
const DEFAULT_WRITES = 1;

/** Takes complete pieces from a download. `pendingBytes` is the measure for back-pressure. */
export class DiskQueue {
  readonly #storage: Pick<PieceStorage, 'check' | 'write'>;
  readonly #checks: Slots;
  readonly #writes: Slots;
  readonly #pieces = new Set<number>();
  readonly #idle: (() => void)[] = [];
  #pendingBytes = 0;

  constructor(
    storage: Pick<PieceStorage, 'check' | 'write'>,
    options: { readonly checks?: number; readonly writes?: number } = {},
  ) {
    this.#storage = storage;
    this.#checks = new Slots(options.checks ?? DEFAULT_CHECKS);
    this.#writes = new Slots(options.writes ?? DEFAULT_WRITES);
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
      const good = await this.#checks.run(() => this.#storage.check(piece, data));
      if (!good) return 'bad';
      await this.#writes.run(() => this.#storage.write(piece, data));
      return 'good';
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
}

/** Lets a bounded number of tasks run at once, the others wait in line. */
class Slots {
  readonly #limit: number;
  readonly #waiting: (() => void)[] = [];
  #active = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  async run<Result>(task: () => Promise<Result>): Promise<Result> {
    if (this.#active < this.#limit) this.#active++;
    else await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    try {
      return await task();
    } finally {
      // Handed on to the next in line, so that nobody can take it in between.
      const next = this.#waiting.shift();
      if (next === undefined) this.#active--;
      else next();
    }
  }
}
