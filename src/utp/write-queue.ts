/** Bytes that were written and are in no packet yet, in their order. @module */

export class WriteQueue {
  #chunks: Uint8Array[] = [];
  #index = 0;
  /** Bytes of the first chunk that are gone. */
  #offset = 0;
  #length = 0;

  /** Bytes in it. */
  get length(): number {
    return this.#length;
  }

  /** Takes `chunk` itself, not a copy. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** What is left of the first chunk. A view. */
  first(): Uint8Array {
    const chunk = this.#chunks[this.#index] ?? NOTHING;
    return this.#offset === 0 ? chunk : chunk.subarray(this.#offset);
  }

  /** The first `count` bytes of the first chunk are in packets. */
  drop(count: number): void {
    this.#length -= count;
    this.#offset += count;
    if (this.#offset < (this.#chunks[this.#index]?.length ?? 0)) return;
    this.#offset = 0;
    this.#index++;
    if (this.#index < 64 && this.#index < this.#chunks.length) return;
    this.#chunks = this.#chunks.slice(this.#index);
    this.#index = 0;
  }

  clear(): void {
    this.#chunks = [];
    this.#index = 0;
    this.#offset = 0;
    this.#length = 0;
  }
}

const NOTHING = new Uint8Array(0);
