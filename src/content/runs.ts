/** Cuts the content of a torrent into runs that one thread hashes at a time. @module */

import type { StorageFile } from '../disk/index.ts';

/** Bytes of a run, unless a single piece is longer: long enough that handing it over costs nothing. */
const RUN_BYTES = 4 * 1024 * 1024;

/** A stretch of one file, or of zeros between files. */
export interface PlannedPart {
  /** Index of the file; left out for zeros. */
  readonly file?: number;
  /** Where in the file, in bytes. */
  readonly position: number;
  readonly length: number;
}

/** Some pieces that follow each other. */
export interface PlannedRun {
  readonly firstPiece: number;
  /** Exclusive. */
  readonly endPiece: number;
  readonly parts: readonly PlannedPart[];
  /** Bytes that lie in files, padding not counted. */
  readonly contentBytes: number;
}

/** What is to be hashed, and how. */
export interface RunLayout {
  readonly files: readonly Pick<StorageFile, 'length' | 'offset' | 'padding'>[];
  /** Bytes. */
  readonly pieceLength: number;
}

export interface RunShape {
  /** With SHA-1 zeros between files count (BEP 47); they are parts of their own then. */
  readonly sha1: boolean;
  /** Only these pieces; all by default. */
  readonly wanted?: (piece: number) => boolean;
}

/**
 * Runs over all pieces, ascending. A run begins and ends with a piece, so that every piece lies in
 * exactly one; without SHA-1 a run is cut between files as well, and gaps are left out.
 */
export function* cutRuns(layout: RunLayout, shape: RunShape): Generator<PlannedRun> {
  const cutter = new Cutter(layout, shape);
  for (const [index, file] of layout.files.entries()) {
    if (file.length > 0) yield* cutter.file(index, file);
  }
  yield* cutter.finish();
}

class Cutter {
  readonly #pieceLength: number;
  readonly #shape: RunShape;
  #parts: PlannedPart[] = [];
  #contentBytes = 0;
  /** Where the run begins and where its last part ends, in the space of pieces. */
  #begin = 0;
  #end = 0;

  constructor({ pieceLength }: RunLayout, shape: RunShape) {
    this.#pieceLength = pieceLength;
    this.#shape = shape;
  }

  /** Adds a file; yields the runs that are full. */
  *file(
    index: number,
    { offset, length, padding }: RunLayout['files'][number],
  ): Generator<PlannedRun> {
    yield* this.#gap(offset);
    for (let position = 0; position < length; ) {
      const place = offset + position;
      const piece = Math.floor(place / this.#pieceLength);
      const untilPiece = (piece + 1) * this.#pieceLength - place;
      const isWanted = this.#shape.wanted?.(piece) ?? true;
      // As many whole pieces at once as the run has room for.
      const room = isWanted && this.#shape.wanted === undefined ? this.#room(place) : untilPiece;
      const part = Math.min(length - position, Math.max(untilPiece, room));
      if (isWanted) this.#add(padding ? undefined : index, position, place, part);
      else yield* this.finish();
      position += part;
      if (this.#isFull()) yield* this.finish();
    }
  }

  /** What is left over. */
  *finish(): Generator<PlannedRun> {
    if (this.#parts.length > 0) {
      yield {
        firstPiece: Math.floor(this.#begin / this.#pieceLength),
        endPiece: Math.ceil(this.#end / this.#pieceLength),
        parts: this.#parts,
        contentBytes: this.#contentBytes,
      };
    }
    this.#parts = [];
    this.#contentBytes = 0;
  }

  /** Nothing lies between the end of the run and `offset`: files of BEP 52 begin with a piece. */
  *#gap(offset: number): Generator<PlannedRun> {
    if (this.#parts.length === 0 || this.#end === offset) return;
    if (this.#shape.sha1) yield* this.finish();
  }

  #add(file: number | undefined, position: number, place: number, length: number): void {
    if (this.#parts.length === 0) this.#begin = place;
    this.#end = place + length;
    if (file !== undefined) {
      this.#contentBytes += length;
      this.#parts.push({ file, position, length });
    } else if (this.#shape.sha1) this.#parts.push({ position: 0, length });
  }

  /** Bytes from `place` to the end of the last piece that the run has room for. */
  #room(place: number): number {
    const filled = this.#shape.sha1 ? place - this.#begin : this.#contentBytes;
    const begin = this.#parts.length === 0 ? place : place - filled;
    const first = Math.floor(begin / this.#pieceLength) * this.#pieceLength;
    const pieces = Math.max(1, Math.floor(RUN_BYTES / this.#pieceLength));
    return first + pieces * this.#pieceLength - place;
  }

  #isFull(): boolean {
    if (this.#parts.length === 0) return false;
    if (!this.#shape.sha1) return this.#contentBytes >= RUN_BYTES;
    const length = this.#end - this.#begin;
    return this.#end % this.#pieceLength === 0 && length + this.#pieceLength > RUN_BYTES;
  }
}
