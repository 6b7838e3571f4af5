/** Open files, the least recently used closed first. @module */

import { invariant } from '../base/errors.ts';
import type { FileHandle } from '../runtime/ports.ts';

/** Open files kept unless told otherwise; libtorrent's `file_pool_size`. */
const DEFAULT_LIMIT = 40;

/** What a handle is needed for; one for `write` serves reads as well. */
export type HandleUse = 'read' | 'write';

interface Entry {
  readonly handle: Promise<FileHandle>;
  readonly writable: boolean;
  /** Settles, never rejecting, when the handle is closed. */
  readonly closed: PromiseWithResolvers<void>;
  users: number;
  dropped: boolean;
}

/**
 * Keeps at most `limit` idle files open. A handle is closed only when nobody uses it, so more are
 * open while more than `limit` are in use at once.
 */
export class HandleCache implements AsyncDisposable {
  readonly #open: (file: number, use: HandleUse) => Promise<FileHandle>;
  readonly #limit: number;
  /** In the order of their last use. */
  readonly #entries = new Map<number, Entry>();
  /** Everything that is not closed yet, dropped entries included. */
  readonly #live = new Set<Entry>();
  #closeFailure: { readonly error: unknown } | undefined;
  #disposed = false;

  constructor(
    open: (file: number, use: HandleUse) => Promise<FileHandle>,
    options: { readonly limit?: number } = {},
  ) {
    this.#open = open;
    this.#limit = options.limit ?? DEFAULT_LIMIT;
  }

  /** How many files are open or being opened or closed. */
  get openFiles(): number {
    return this.#live.size;
  }

  /** Runs `action` on the handle of `file`, which stays open until it is settled. */
  async use<Result>(
    file: number,
    use: HandleUse,
    action: (handle: FileHandle) => Promise<Result>,
  ): Promise<Result> {
    invariant(!this.#disposed, 'a file is used after its storage was disposed');
    const entry = this.#enter(file, use);
    try {
      const handle = await entry.handle.catch((error: unknown) => {
        if (this.#entries.get(file) === entry) this.#drop(file, entry);
        throw error;
      });
      return await action(handle);
    } finally {
      entry.users--;
      if (entry.dropped && entry.users === 0) void this.#close(entry);
      else this.#trim();
    }
  }

  /** Closes every file that is open now, those in use as soon as they are free. */
  async closeAll(): Promise<void> {
    for (const [file, entry] of this.#entries) this.#drop(file, entry);
    await Promise.all(Array.from(this.#live, (entry) => entry.closed.promise));
  }

  /** @throws what closing a file failed with since the last call: data may be lost. */
  throwCloseFailure(): void {
    const failure = this.#closeFailure;
    this.#closeFailure = undefined;
    if (failure !== undefined) throw failure.error;
  }

  /** Closes every file; waits for those in use. Never rejects. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    await this.closeAll();
  }

  #enter(file: number, use: HandleUse): Entry {
    const known = this.#entries.get(file);
    if (known !== undefined && (known.writable || use === 'read')) {
      known.users++;
      this.#entries.delete(file);
      this.#entries.set(file, known);
      return known;
    }
    if (known !== undefined) this.#drop(file, known);
    const handle = this.#open(file, use);
    const closed = Promise.withResolvers<void>();
    const entry: Entry = { handle, writable: use === 'write', closed, users: 1, dropped: false };
    this.#live.add(entry);
    this.#entries.set(file, entry);
    this.#trim();
    return entry;
  }

  #trim(): void {
    if (this.#entries.size <= this.#limit) return;
    for (const [file, entry] of this.#entries) {
      if (entry.users === 0) this.#drop(file, entry);
      if (this.#entries.size <= this.#limit) return;
    }
  }

  #drop(file: number, entry: Entry): void {
    this.#entries.delete(file);
    entry.dropped = true;
    if (entry.users === 0) void this.#close(entry);
  }

  /** Never rejects: network file systems may fail only now, see {@link throwCloseFailure}. */
  async #close(entry: Entry): Promise<void> {
    const handle = await entry.handle.catch(() => undefined);
    try {
      await handle?.[Symbol.asyncDispose]();
    } catch (error) {
      this.#closeFailure ??= { error };
    }
    this.#live.delete(entry);
    entry.closed.resolve();
  }
}
