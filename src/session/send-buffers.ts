/**
 * Memory for blocks on their way to peers. New memory costs the system more than reading a file into
 * it, so that buffers are used again once their bytes have left.
 *
 * @module
 */

/** Shorter runs are not worth keeping. */
const WORTH_KEEPING = 131_072;
/** Idle buffers kept. */
const MAX_IDLE = 16;

/** A buffer, and the byte of the stream behind which it is free again. */
interface OnItsWay {
  readonly buffer: Uint8Array;
  readonly end: number;
}

/** The buffers of one stream, oldest first. */
export class SendQueue {
  readonly #onItsWay: OnItsWay[] = [];

  /** `buffer` was written; `end` is how many bytes the stream was given by then. */
  wrote(buffer: Uint8Array, end: number): void {
    this.#onItsWay.push({ buffer, end });
  }

  /** `gone` bytes of the stream have left: what they came from goes back to `buffers`. */
  reclaim(gone: number, buffers: SendBuffers): void {
    let count = 0;
    for (const { buffer, end } of this.#onItsWay) {
      if (end > gone) break;
      buffers.release(buffer);
      count++;
    }
    this.#onItsWay.splice(0, count);
  }
}

/** Buffers that all streams of an uploader share. */
export class SendBuffers {
  readonly #length: number;
  readonly #idle: Uint8Array[] = [];

  /** @param length bytes of the buffers that are kept */
  constructor(length: number) {
    this.#length = length;
  }

  /** At least `length` bytes with arbitrary content. */
  acquire(length: number): Uint8Array {
    if (length < WORTH_KEEPING || length > this.#length) return new Uint8Array(length);
    return this.#idle.pop() ?? new Uint8Array(this.#length);
  }

  release(buffer: Uint8Array): void {
    if (buffer.length === this.#length && this.#idle.length < MAX_IDLE) this.#idle.push(buffer);
  }
}
