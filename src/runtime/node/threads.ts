/** The threads of a runtime, and the memory that they share with it. @module */

import { BlockThread } from './block-thread.ts';

/** Below this the way to another thread and back costs more than the work. */
const WORTH_A_THREAD = 128 * 1024;

/** One thread hashes, one writes: neither sockets nor the other wait for them. */
export class Threads implements AsyncDisposable {
  #hashing: BlockThread | undefined;
  #writing: BlockThread | undefined;

  /** Memory for blocks; the first large piece of it starts the threads, to be there when it is full. */
  allocate(length: number): Uint8Array {
    if (length >= WORTH_A_THREAD) {
      this.#hashing ??= new BlockThread('bip-hash');
      this.#writing ??= new BlockThread('bip-write');
    }
    return new Uint8Array(new SharedArrayBuffer(length));
  }

  /** Who hashes these bytes; `undefined` when it is better done by the caller. */
  hashing(bytes: Uint8Array): BlockThread | undefined {
    return isWorthAThread(bytes) && this.#hashing?.works === true ? this.#hashing : undefined;
  }

  /** Who writes these bytes; `undefined` when it is better done by the caller. */
  writing(bytes: Uint8Array): BlockThread | undefined {
    return isWorthAThread(bytes) && this.#writing?.works === true ? this.#writing : undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const threads = [this.#hashing, this.#writing];
    this.#hashing = undefined;
    this.#writing = undefined;
    for (const thread of threads) await thread?.[Symbol.asyncDispose]();
  }
}

function isWorthAThread(bytes: Uint8Array): boolean {
  return bytes.length >= WORTH_A_THREAD && bytes.buffer instanceof SharedArrayBuffer;
}
