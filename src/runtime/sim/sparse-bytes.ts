/** The content of a simulated file: takes room only where something was written. @module */

/** Unit of allocation and of what a crash loses, bytes. */
export const PAGE = 4096;

export class SparseBytes {
  #size = 0;
  readonly #pages = new Map<number, Uint8Array>();
  /** Written since the last {@link sync}; `durable` holds what was there before, by page. */
  readonly #dirty = new Map<number, Uint8Array | undefined>();
  #durableSize = 0;

  get size(): number {
    return this.#size;
  }

  /** Pages that take room on the disk. */
  get pages(): number {
    return this.#pages.size;
  }

  /** How many pages a write would add. */
  newPages(length: number, position: number): number {
    let count = 0;
    for (let page = Math.floor(position / PAGE); page * PAGE < position + length; page++) {
      if (!this.#pages.has(page)) count++;
    }
    return count;
  }

  /** How many bytes were there to read. */
  read(into: Uint8Array, position: number): number {
    const end = Math.min(into.length, Math.max(0, this.#size - position));
    for (let at = 0; at < end; ) {
      const offset = (position + at) % PAGE;
      const count = Math.min(PAGE - offset, end - at);
      const page = this.#pages.get(Math.floor((position + at) / PAGE));
      if (page === undefined) into.fill(0, at, at + count);
      else into.set(page.subarray(offset, offset + count), at);
      at += count;
    }
    return end;
  }

  write(bytes: Uint8Array, position: number): void {
    // Nothing does not even lengthen the file.
    if (bytes.length === 0) return;
    for (let at = 0; at < bytes.length; ) {
      const offset = (position + at) % PAGE;
      const count = Math.min(PAGE - offset, bytes.length - at);
      const page = this.#writable(Math.floor((position + at) / PAGE));
      page.set(bytes.subarray(at, at + count), offset);
      at += count;
    }
    this.#size = Math.max(this.#size, position + bytes.length);
  }

  resize(size: number): void {
    const firstGone = Math.ceil(size / PAGE);
    for (const page of this.#pages.keys()) {
      if (page < firstGone) continue;
      this.#remember(page);
      this.#pages.delete(page);
    }
    const kept = size % PAGE;
    if (size < this.#size && kept > 0 && this.#pages.has(firstGone - 1)) {
      this.#writable(firstGone - 1).fill(0, kept);
    }
    this.#size = size;
  }

  /** From now on a {@link crash} keeps what is there now. */
  sync(): void {
    this.#dirty.clear();
    this.#durableSize = this.#size;
  }

  /** Back to what the last {@link sync} kept. */
  crash(): void {
    for (const [page, before] of this.#dirty) {
      if (before === undefined) this.#pages.delete(page);
      else this.#pages.set(page, before);
    }
    this.#dirty.clear();
    this.#size = this.#durableSize;
  }

  clone(): SparseBytes {
    const copy = new SparseBytes();
    for (const [page, bytes] of this.#pages) copy.#pages.set(page, bytes.slice());
    for (const [page, bytes] of this.#dirty) copy.#dirty.set(page, bytes?.slice());
    copy.#size = this.#size;
    copy.#durableSize = this.#durableSize;
    return copy;
  }

  #remember(page: number): void {
    if (!this.#dirty.has(page)) this.#dirty.set(page, this.#pages.get(page)?.slice());
  }

  #writable(page: number): Uint8Array {
    this.#remember(page);
    let bytes = this.#pages.get(page);
    if (bytes === undefined) {
      bytes = new Uint8Array(PAGE);
      this.#pages.set(page, bytes);
    }
    return bytes;
  }
}
