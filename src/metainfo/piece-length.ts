/** Which length of pieces suits a torrent. @module */

import { UsageError } from '../base/errors.ts';
import type { InfoDraft } from './draft.ts';
import { BLOCK_LENGTH, MAX_PIECE_LENGTH, MAX_PIECES, MAX_TOTAL_LENGTH } from './limits.ts';

/** Pieces that {@link choosePieceLength} aims at, at most. */
const USUAL_PIECES = 2048;

/** Above this a piece takes long to check and to repair, and its buffers weigh. */
const USUAL_MAX_PIECE_LENGTH: number = 16 * 2 ** 20;

/** The longest piece that is a power of two. */
const LONGEST_POWER: number = 2 ** Math.floor(Math.log2(MAX_PIECE_LENGTH));

/** More pieces than files by so much are fine, when every file begins with a piece. */
const ALIGNED_PIECES_PER_FILE = 1.25;

/**
 * Bytes for the pieces of a torrent of `totalBytes`: a power of two from 16 KiB, the smallest that
 * gives at most 2048 pieces, and not above 16 MiB as long as the pieces can be counted.
 *
 * | content | pieces of |
 * |---|---|
 * | to 32 MiB | 16 KiB |
 * | 1 GiB | 512 KiB |
 * | 10 GiB | 8 MiB |
 * | 32 GiB and more | 16 MiB |
 *
 * 2048 hashes are 40 KiB: three blocks of metadata, so that a magnet link opens at once. Smaller
 * pieces spread sooner and cost less when one is bad; larger ones make fewer hashes and messages.
 */
export function choosePieceLength(totalBytes: number): number {
  let length = BLOCK_LENGTH;
  while (length < USUAL_MAX_PIECE_LENGTH && totalBytes > length * USUAL_PIECES) length *= 2;
  while (length * 2 <= MAX_PIECE_LENGTH && totalBytes > length * MAX_PIECES) length *= 2;
  return length;
}

/**
 * As {@link choosePieceLength}, for torrents whose files begin with pieces (v2, hybrid): with many
 * small files most of a long piece would be padding, which v1 readers of a hybrid have to hash. So
 * pieces are shorter there, as long as they do not become many more than the files.
 */
function chooseAlignedPieceLength(lengths: readonly number[]): number {
  const totalBytes = lengths.reduce((sum, length) => sum + length, 0);
  const files = lengths.filter((length) => length > 0).length;
  const most = Math.max(USUAL_PIECES, files * ALIGNED_PIECES_PER_FILE);
  let length = choosePieceLength(totalBytes);
  while (length > BLOCK_LENGTH && countAligned(lengths, length / 2) <= most) length /= 2;
  while (length < LONGEST_POWER && countAligned(lengths, length) > MAX_PIECES) length *= 2;
  return length;
}

function countAligned(lengths: readonly number[], pieceLength: number): number {
  return lengths.reduce((sum, length) => sum + Math.ceil(length / pieceLength), 0);
}

/** What suits the files and the version of a draft. */
export function suitablePieceLength(draft: Pick<InfoDraft, 'files' | 'version' | 'align'>): number {
  const lengths = draft.files.map(({ length }) => length);
  if (draft.version !== 'v1' || draft.align === true) return chooseAlignedPieceLength(lengths);
  return choosePieceLength(lengths.reduce((sum, length) => sum + length, 0));
}

/** Content of up to `upTo` bytes gets pieces of `pieceLength` bytes. */
export interface PieceLengthRow {
  readonly upTo: number;
  readonly pieceLength: number;
}

/** {@link choosePieceLength} as a table, one row a length, up to what a torrent can hold. */
export function pieceLengthTable(): readonly PieceLengthRow[] {
  const rows: PieceLengthRow[] = [];
  for (let pieceLength = BLOCK_LENGTH; pieceLength <= LONGEST_POWER; pieceLength *= 2) {
    const most = pieceLength < USUAL_MAX_PIECE_LENGTH ? USUAL_PIECES : MAX_PIECES;
    const upTo = Math.min(pieceLength * most, MAX_TOTAL_LENGTH);
    if (rows.at(-1)?.upTo !== upTo) rows.push({ upTo, pieceLength });
  }
  return rows;
}

/**
 * The power of two with which `totalBytes` make a number of pieces that is nearest to `target`,
 * from 16 KiB to 256 MiB; the shorter one when two are equally near.
 */
export function pieceLengthForCount(totalBytes: number, target: number): number {
  const countOf = (length: number): number => Math.ceil(totalBytes / length);
  let best = BLOCK_LENGTH;
  while (countOf(best) > MAX_PIECES && best < LONGEST_POWER) best *= 2;
  for (let length = best * 2; length <= LONGEST_POWER; length *= 2) {
    if (Math.abs(countOf(length) - target) >= Math.abs(countOf(best) - target)) break;
    best = length;
  }
  return best;
}

/**
 * The shortest power of two, from `from` on, with which the .torrent has at most `max` bytes.
 *
 * @param sizeOf bytes of the .torrent for a piece length; see `torrentSize`
 * @throws {UsageError} when none is long enough.
 */
export function pieceLengthForTorrentSize(
  sizeOf: (pieceLength: number) => number,
  { max, from }: { readonly max: number; readonly from: number },
): number {
  let size = 0;
  for (let length = from; length <= LONGEST_POWER; length *= 2) {
    size = sizeOf(length);
    if (size <= max) return length;
  }
  throw new UsageError(
    `no piece length makes the .torrent fit into ${max} bytes: with the longest it has ${size}`,
  );
}
