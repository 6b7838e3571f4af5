/** Reused buffers for pieces under way, with a cap: the storage's back-pressure. @module */

import { invariant } from '../base/errors.ts';

/** Memory for pieces under way unless told otherwise: 64 MiB, as anacrolix/torrent allows. */
const DEFAULT_CAP_BYTES = 64 * 1024 * 1024;

/** How many buffers there are at least, however long pieces are. */
const LEAST_BUFFERS = 2;

/** Hands out buffers of one piece each, and never more than its cap. */
export class PieceBufferPool {
  /** Length of every buffer, in bytes. */
  readonly pieceLength: number;
  /** How many buffers there may be. */
  readonly capacity: number;
  readonly #allocate: (length: number) => Uint8Array;
  readonly #free: Uint8Array[] = [];
  readonly #used = new Set<Uint8Array>();

  /**
   * `capBytes` bounds the sum of all buffers (default 64 MiB; two buffers are granted always).
   * `allocate` makes them; the default is plain memory.
   */
  constructor(
    pieceLength: number,
    options: {
      readonly capBytes?: number;
      readonly allocate?: (length: number) => Uint8Array;
    } = {},
  ) {
    const { capBytes = DEFAULT_CAP_BYTES, allocate = (length) => new Uint8Array(length) } = options;
    this.pieceLength = pieceLength;
    this.capacity = Math.max(LEAST_BUFFERS, Math.floor(capBytes / pieceLength));
    this.#allocate = allocate;
  }

  /** How many buffers are handed out. */
  get used(): number {
    return this.#used.size;
  }

  /** How many more can be had now. */
  get available(): number {
    return this.capacity - this.#used.size;
  }

  /** A buffer with arbitrary content, or `undefined` when all are in use: ask again after a release. */
  acquire(): Uint8Array | undefined {
    if (this.#used.size >= this.capacity) return undefined;
    const buffer = this.#free.pop() ?? this.#allocate(this.pieceLength);
    this.#used.add(buffer);
    return buffer;
  }

  /**
   * Takes back what `acquire` gave (that object, no view of it), once.
   *
   * @throws {InvariantError} for anything else: a buffer with two users would corrupt pieces.
   */
  release(buffer: Uint8Array): void {
    invariant(this.#used.delete(buffer), 'a buffer that is not handed out came back to the pool');
    this.#free.push(buffer);
  }

  /** Gives the memory of idle buffers back to the system. */
  trim(): void {
    this.#free.length = 0;
  }
}
