/** Bytes waiting in their order. @module */

export class ByteQueue {
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

  /** The first `count` bytes of the first chunk are gone. */
  drop(count: number): void {
    this.#length -= count;
    this.#offset += count;
    if (this.#offset < (this.#chunks[this.#index]?.length ?? 0)) return;
    this.#offset = 0;
    this.#index++;
    const left = this.#chunks.length - this.#index;
    // In few large steps, so that each chunk is moved about once.
    if (left > 0 && (this.#index < 64 || this.#index < left)) return;
    this.#chunks = this.#chunks.slice(this.#index);
    this.#index = 0;
  }

  /** The next bytes in one piece: as many as lie together, at most `limit`. A view. */
  take(limit: number): Uint8Array {
    const taken = this.first().subarray(0, limit);
    this.drop(taken.length);
    return taken;
  }

  clear(): void {
    this.#chunks = [];
    this.#index = 0;
    this.#offset = 0;
    this.#length = 0;
  }
}

const NOTHING = new Uint8Array(0);
