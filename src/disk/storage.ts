/** The files of one torrent on disk. @module */

import { Bitfield } from '../base/bitfield.ts';
import { invariant, StorageError } from '../base/errors.ts';
import type { FileHandle, Files, Hashers, Runtime } from '../runtime/ports.ts';
import { HandleCache, type HandleUse } from './handle-cache.ts';
import {
  type FileStates,
  forEachParallel,
  type InspectOptions,
  inspectFiles,
  wrongSize,
} from './inspect.ts';
import { type FileSpan, isStored, LayoutMap, type StorageLayout } from './layout.ts';
import { makeLinks } from './links.ts';
import { joinPath } from './paths.ts';
import type { PieceHashes } from './piece-hashes.ts';
import type { PieceStorage, VerifyOptions } from './piece-storage.ts';
import { type MissingRange, readAhead } from './read-ahead.ts';
import { PARALLEL_SPANS, readSpans } from './span-reader.ts';

/** What {@link TorrentStorage.open} needs to know. */
export interface StorageOptions extends InspectOptions {
  readonly hashes: PieceHashes;
  /** Files kept open, default 40. */
  readonly openFiles?: number;
}

/**
 * Keeps the pieces of one torrent in files below a folder, under the paths of its layout.
 *
 * Nothing is made before it is written to; a file then gets its full length at once, without
 * taking the space. Padding is never written. With `readOnly` nothing is ever made or changed.
 */
export class TorrentStorage implements PieceStorage {
  readonly layout: StorageLayout;
  readonly #files: Files;
  readonly #hashers: Hashers;
  readonly #options: StorageOptions;
  readonly #map: LayoutMap;
  readonly #states: FileStates;
  readonly #handles: HandleCache;
  readonly #begun: Bitfield;
  /** Written since the last flush. */
  readonly #touched = new Set<number>();

  private constructor(
    runtime: Pick<Runtime, 'files' | 'hashers'>,
    options: StorageOptions,
    states: FileStates,
  ) {
    this.layout = options.layout;
    this.#files = runtime.files;
    this.#hashers = runtime.hashers;
    this.#options = options;
    this.#map = new LayoutMap(options.layout);
    this.#states = states;
    this.#begun = new Bitfield(options.layout.pieceCount);
    this.#handles = new HandleCache(
      (file, use) => this.#openFile(file, use),
      options.openFiles === undefined ? {} : { limit: options.openFiles },
    );
  }

  /**
   * Looks at what exists, and makes nothing yet; see {@link inspectFiles} for what is refused.
   *
   * @throws {StorageError} for unsafe paths, things in the way, and files of the wrong size unless
   * `force` is set or they are empty.
   */
  static async open(
    runtime: Pick<Runtime, 'files' | 'hashers'>,
    options: StorageOptions,
  ): Promise<TorrentStorage> {
    return new TorrentStorage(runtime, options, await inspectFiles(runtime.files, options));
  }

  /** True when no file of the torrent held anything, so that there is nothing to verify. */
  get isFresh(): boolean {
    return this.#states.sizes.every((size) => size <= 0);
  }

  /** Sizes and times as they were at `open`, or at the last `flush` where files were written since. */
  get states(): FileStates {
    return this.#states;
  }

  /** Pieces of which `write` was called, whatever came of it. */
  get begun(): Bitfield {
    return this.#begun;
  }

  /**
   * Hashes what exists and tells which pieces are good. A piece is read only when all of its files
   * exist.
   *
   * @throws {StorageError} when a file cannot be read; the reason of `signal` when cancelled.
   */
  async verify(options: VerifyOptions): Promise<Bitfield> {
    const { onProgress, onPiece, resume, signal } = options;
    signal.throwIfAborted();
    const map = this.#map;
    const absent = this.#absentPieces();
    const good = new Bitfield(this.layout.pieceCount);
    for (const piece of resume?.good ?? []) good.add(piece);
    const wanted = (piece: number): boolean =>
      !absent.has(piece) && (resume === undefined || resume.doubtful.has(piece));
    let done = map.totalBytes;
    for (let piece = 0; piece < this.layout.pieceCount; piece++) {
      if (wanted(piece)) done -= map.pieceSize(piece);
    }
    onProgress?.(done, map.totalBytes);
    const judge = (piece: number, isGood: boolean): void => {
      if (isGood) good.add(piece);
      done += map.pieceSize(piece);
      onPiece?.(piece, isGood);
      onProgress?.(done, map.totalBytes);
    };
    await readAhead({
      map,
      signal,
      allocate: (length) => this.#hashers.allocate(length),
      wanted,
      read: async (from, into) => this.#readExisting(from, into),
      whole: async (piece, data) => judge(piece, await this.check(piece, data)),
      broken: (piece) => judge(piece, false),
    });
    return good;
  }

  async check(piece: number, data: Uint8Array): Promise<boolean> {
    if (data.length !== this.#map.pieceSize(piece)) return false;
    return this.#options.hashes.check(this.#hashers, piece, data);
  }

  /**
   * Writes a whole piece, one write for each file it touches.
   *
   * @throws {StorageError} naming the file; `BIP_DISK_FULL` when there is no space. Parts of the
   * piece may have been written; it can be written again.
   */
  async write(piece: number, data: Uint8Array): Promise<void> {
    this.#assertWritable();
    invariant(data.length === this.#map.pieceSize(piece), `piece ${piece} of ${data.length} bytes`);
    this.#begun.add(piece);
    const begin = piece * this.layout.pieceLength;
    const spans = this.#map.spans(begin, begin + data.length).filter((span) => !span.padding);
    await forEachParallel(spans.length, PARALLEL_SPANS, async (index) => {
      const span = spans[index];
      if (span === undefined) return;
      const part = data.subarray(span.start, span.start + span.length);
      await this.#writePart(span, part);
    });
  }

  /** @throws {StorageError} `BIP_TRUNCATED` when the file is shorter than it was. */
  async read(piece: number, begin: number, into: Uint8Array): Promise<void> {
    const end = begin + into.length;
    invariant(
      begin >= 0 && end <= this.#map.pieceSize(piece),
      `bytes ${begin} to ${end} of a piece`,
    );
    const from = piece * this.layout.pieceLength + begin;
    await readSpans(this.#handles, this.#map.spans(from, from + into.length), into, {
      short: ({ file, position }, count) => {
        throw new StorageError(
          `${this.#pathOf(file)} ends at byte ${position + count}, in the middle of verified data; another program changed it`,
          { code: 'BIP_TRUNCATED' },
        );
      },
    });
  }

  /**
   * Waits until everything written is on the medium, and looks at the written files anew.
   *
   * @throws {StorageError} when the system could not write something after all.
   */
  async flush(): Promise<void> {
    const touched = [...this.#touched];
    await forEachParallel(touched.length, PARALLEL_SPANS, async (index) => {
      const file = touched[index];
      if (file === undefined || this.#states.sizes[file] === -1) return;
      // Taken out first: what is written meanwhile is put in again.
      this.#touched.delete(file);
      try {
        await this.#handles.use(file, 'write', async (handle) => {
          await handle.sync();
          this.#remember(file, await handle.stat());
        });
      } catch (error) {
        this.#touched.add(file);
        throw error;
      }
    });
    this.#handles.throwCloseFailure();
  }

  /**
   * To be called when all pieces are there: makes empty files and links, sets executable bits, cuts
   * files that `force` admitted to their size, and closes all files. Links to what is not in the
   * torrent are left out. Does not wait for the medium, see {@link flush}.
   *
   * @throws {StorageError} when something cannot be made or a file could not be written.
   */
  async finish(): Promise<void> {
    this.#assertWritable();
    for (const [index, file] of this.layout.files.entries()) {
      if (file.padding || file.symlink !== undefined) continue;
      if (!this.#isReady(index)) await this.#handles.use(index, 'write', async () => {});
      if (file.executable === true) await this.#files.makeExecutable(this.#pathOf(index));
    }
    await makeLinks(this.#files, this.#options.root, this.layout);
    await this.#handles.closeAll();
    this.#handles.throwCloseFailure();
  }

  /** Closes all files, waiting for what is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handles[Symbol.asyncDispose]();
  }

  /** Pieces of which at least one file holds nothing. */
  #absentPieces(): Bitfield {
    const absent = new Bitfield(this.layout.pieceCount);
    for (const [index, file] of this.layout.files.entries()) {
      if (!isStored(file) || (this.#states.sizes[index] ?? 0) > 0) continue;
      const { first, last } = this.#map.piecesOf(index) ?? { first: 0, last: -1 };
      for (let piece = first; piece <= last; piece++) absent.add(piece);
    }
    return absent;
  }

  async #readExisting(from: number, into: Uint8Array): Promise<readonly MissingRange[]> {
    const missing: MissingRange[] = [];
    await readSpans(this.#handles, this.#map.spans(from, from + into.length), into, {
      short: ({ start, length }, count) => {
        missing.push({ from: from + start + count, to: from + start + length });
      },
    });
    return missing;
  }

  async #writePart({ file, position }: FileSpan, part: Uint8Array): Promise<void> {
    this.#touched.add(file);
    try {
      await this.#handles.use(file, 'write', async (handle) => handle.write(part, position));
    } finally {
      // Once more: a flush that began meanwhile took the file out, but did not wait for this write.
      this.#touched.add(file);
    }
  }

  async #openFile(file: number, use: HandleUse): Promise<FileHandle> {
    const path = this.#pathOf(file);
    if (use === 'read') return this.#files.open(path, 'read');
    // A file that had its size and is gone now lost its pieces: making it anew would hide that.
    if (this.#isReady(file)) return this.#files.open(path, 'write');
    const handle = await this.#create(file, path);
    try {
      const wanted = this.layout.files[file]?.length ?? 0;
      const { size, modified } = await handle.stat();
      // Somebody may have put another file there since `open` looked.
      if (!this.#fits(size, wanted)) throw wrongSize(path, size, { wanted, readOnly: false });
      if (size !== wanted) await handle.resize(wanted);
      this.#remember(file, { size: wanted, modified });
      return handle;
    } catch (error) {
      await handle[Symbol.asyncDispose]();
      throw error;
    }
  }

  #fits(size: number, wanted: number): boolean {
    return size === wanted || size === 0 || this.#options.force === true;
  }

  async #create(file: number, path: string): Promise<FileHandle> {
    try {
      return await this.#files.open(path, 'create');
    } catch (error) {
      if (!(error instanceof StorageError) || error.code !== 'BIP_NOT_FOUND') throw error;
    }
    const folder = this.layout.files[file]?.path.slice(0, -1) ?? [];
    await this.#files.makeDirectory(joinPath(this.#options.root, folder));
    return this.#files.open(path, 'create');
  }

  #isReady(file: number): boolean {
    return this.#states.sizes[file] === this.layout.files[file]?.length;
  }

  #remember(file: number, stat: { readonly size: number; readonly modified: number }): void {
    this.#states.sizes[file] = stat.size;
    this.#states.modified[file] = stat.modified;
  }

  #pathOf(file: number): string {
    return joinPath(this.#options.root, this.layout.files[file]?.path ?? []);
  }

  #assertWritable(): void {
    invariant(this.#options.readOnly !== true, 'a storage opened to be read is written to');
  }
}
