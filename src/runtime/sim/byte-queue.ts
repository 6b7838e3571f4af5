/** Bytes waiting in their order. @module */

export class ByteQueue {
  #chunks: Uint8Array[] = [];
  #first = 0;
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

  /** The next bytes in one piece: as many as lie together, at most `limit`. A view. */
  take(limit: number): Uint8Array {
    const chunk = this.#chunks[this.#first];
    if (chunk === undefined) return new Uint8Array(0);
    const taken = chunk.subarray(0, limit);
    this.#length -= taken.length;
    if (taken.length === chunk.length) this.#dropFirst();
    else this.#chunks[this.#first] = chunk.subarray(taken.length);
    return taken;
  }

  clear(): void {
    this.#chunks = [];
    this.#first = 0;
    this.#length = 0;
  }

  #dropFirst(): void {
    this.#first++;
    if (this.#first < 64 || 2 * this.#first < this.#chunks.length) return;
    this.#chunks = this.#chunks.slice(this.#first);
    this.#first = 0;
  }
}
