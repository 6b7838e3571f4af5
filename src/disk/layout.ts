/**
 * Where the bytes of pieces lie in files: the address space of BEP 3 (files one after the other,
 * padding of BEP 47 included) and of BEP 52 (every file begins on a piece boundary, gaps between
 * them are nowhere stored).
 *
 * @module
 */

import { invariant } from '../base/errors.ts';

/** One file of a torrent, as the storage sees it. */
export interface StorageFile {
  /** Safe components below the output folder; the torrent's name is the first. */
  readonly path: readonly string[];
  /** Bytes; 0 for symlinks. */
  readonly length: number;
  /** Where it begins in the space of pieces, in bytes; never smaller than that of the file before. */
  readonly offset: number;
  /** BEP 47 `p`: zeros that are neither stored nor asked for. */
  readonly padding: boolean;
  /** BEP 47 `x`. */
  readonly executable?: boolean;
  /** BEP 47 `l`: components of the target below the output folder, the torrent's name first. */
  readonly symlink?: readonly string[];
}

/** Files and pieces of one torrent; a `Metainfo` is one. */
export interface StorageLayout {
  readonly files: readonly StorageFile[];
  /** Bytes. */
  readonly pieceLength: number;
  readonly pieceCount: number;
}

/** A run of bytes of one file. */
export interface FileSpan {
  /** Index in `layout.files`. */
  readonly file: number;
  /** Where it begins in the file, in bytes. */
  readonly position: number;
  /** Where it begins in the range that was asked for, in bytes. */
  readonly start: number;
  readonly length: number;
  readonly padding: boolean;
}

/** Pieces that follow each other, both ends included. */
export interface PieceRange {
  readonly first: number;
  readonly last: number;
}

/**
 * Bytes of a piece: `pieceLength`, but less for the last one, and in the space of BEP 52 for the
 * last one of each file. Takes O(log files).
 */
export function pieceSize(layout: StorageLayout, piece: number): number {
  invariant(piece >= 0 && piece < layout.pieceCount, `piece ${piece} of ${layout.pieceCount}`);
  const begin = piece * layout.pieceLength;
  const end = begin + layout.pieceLength;
  const next = lowerBound(layout.files.length, (at) => (layout.files[at]?.offset ?? 0) >= end);
  const last = layout.files[next - 1];
  return last === undefined ? 0 : Math.min(end, last.offset + last.length) - begin;
}

/** Finds the files of any range by binary search. */
export class LayoutMap {
  readonly layout: StorageLayout;
  /** Sum of the sizes of all pieces, padding included, in bytes. */
  readonly totalBytes: number;
  // Files that hold bytes, ascending.
  readonly #starts: Float64Array;
  readonly #ends: Float64Array;
  readonly #files: Uint32Array;

  /** @throws {InvariantError} when files overlap, are out of order or do not fill `pieceCount` pieces. */
  constructor(layout: StorageLayout) {
    const { files, pieceLength, pieceCount } = layout;
    invariant(Number.isSafeInteger(pieceLength) && pieceLength > 0, `piece length ${pieceLength}`);
    this.layout = layout;
    const held: number[] = [];
    for (const [index, { length }] of files.entries()) if (length > 0) held.push(index);
    this.#files = Uint32Array.from(held);
    this.#starts = Float64Array.from(held, (index) => files[index]?.offset ?? 0);
    this.#ends = Float64Array.from(held, (index) => endOf(files[index]));
    let end = 0;
    let total = 0;
    for (const [at, start] of this.#starts.entries()) {
      invariant(start >= end, `file ${held[at]} begins at ${start}, inside of the one before`);
      end = this.#ends[at] ?? 0;
      invariant(Number.isSafeInteger(end), `file ${held[at]} ends at ${end}`);
      total += end - start;
    }
    const pieces = Math.ceil(end / pieceLength);
    invariant(pieces === pieceCount, `${pieceCount} pieces for ${end} bytes`);
    this.totalBytes = total;
  }

  /** See {@link pieceSize}. */
  pieceSize(piece: number): number {
    return pieceSize(this.layout, piece);
  }

  /**
   * The spans of bytes `from` (inclusive) to `to` (exclusive) of the space of pieces, ascending.
   * Gaps between the files of BEP 52 have no span.
   */
  spans(from: number, to: number): FileSpan[] {
    const spans: FileSpan[] = [];
    if (from >= to) return spans;
    const ends = this.#ends;
    let at = lowerBound(ends.length, (index) => (ends[index] ?? 0) > from);
    for (; at < ends.length; at++) {
      const start = this.#starts[at] ?? 0;
      if (start >= to) break;
      const file = this.#files[at] ?? 0;
      const begin = Math.max(start, from);
      spans.push({
        file,
        position: begin - start,
        start: begin - from,
        length: Math.min(ends[at] ?? 0, to) - begin,
        padding: this.layout.files[file]?.padding ?? false,
      });
    }
    return spans;
  }

  /** First and last piece that hold bytes of a file; `undefined` when it has none. */
  piecesOf(file: number): PieceRange | undefined {
    const { offset = 0, length = 0 } = this.layout.files[file] ?? {};
    if (length === 0) return undefined;
    const { pieceLength } = this.layout;
    const first = Math.floor(offset / pieceLength);
    return { first, last: Math.floor((offset + length - 1) / pieceLength) };
  }
}

/** True for files that hold bytes on disk: neither padding nor links nor empty. */
export function isStored(file: StorageFile): boolean {
  return !file.padding && file.length > 0;
}

function endOf(file: StorageFile | undefined): number {
  return file === undefined ? 0 : file.offset + file.length;
}

/** The first of 0 … length that fulfils a condition which stays true once it is. */
function lowerBound(length: number, fulfils: (index: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (fulfils(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
