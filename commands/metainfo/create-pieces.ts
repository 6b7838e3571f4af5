/** The piece length of a new torrent: worked out before anything is hashed. @module */

import { UsageError } from '../../src/base/errors.ts';
import {
  BLOCK_LENGTH,
  MAX_PIECE_LENGTH,
  pieceLengthForCount,
  pieceLengthForTorrentSize,
  pieceLengthTable,
  type Version,
} from '../../src/metainfo/index.ts';
import { formatSize, parseSize } from '../cli/units.ts';
import type { PieceTable } from './create-result.ts';
import type { Finding } from './lints.ts';
import { ruledPieceLength, type TrackerRules } from './rules.ts';

/** What the flags say. Bytes. */
export type PieceWish =
  | { readonly type: 'automatic' }
  | { readonly type: 'length'; readonly length: number }
  | { readonly type: 'count'; readonly count: number };

/** What the choice depends on. */
export interface PieceCircumstances {
  readonly version: Version;
  readonly totalBytes: number;
  /** What suits the files when nobody says anything. */
  readonly suitable: () => number;
  /** `--max-torrent-size`, in bytes. */
  readonly maxTorrentSize: number | undefined;
  readonly rules: TrackerRules | undefined;
  /** Bytes of the .torrent with pieces of this length. */
  readonly torrentSize: (pieceLength: number) => number;
}

/** More pieces than this make more hashes than magnet links like to fetch. */
const MANY_PIECES = 50_000;

/** Above this, clients have refused torrents. */
const LARGE_PIECE_LENGTH: number = 16 * 2 ** 20;

/** Pieces of content whose length nobody knows (standard input): 1 MiB is good up to 50 GB. */
export const STREAM_PIECE_LENGTH: number = 2 ** 20;

/**
 * Bytes of `--piece-length`.
 * @throws {UsageError} for no size, and for one that no torrent has.
 */
export function parsePieceLength(text: string, flag: string): number {
  const length = parseSize(text, flag);
  if (length > 0 && length <= MAX_PIECE_LENGTH) {
    // Some programs take the exponent.
    if (length < 2 ** 5 && length >= 14) {
      const meant = formatSize(2 ** length).replace(' ', '');
      throw new UsageError(
        `${flag}: pieces of ${length} bytes are too short; for 2^${length} write ${meant}`,
      );
    }
    return length;
  }
  throw new UsageError(
    `${flag}: \`${text}\` is out of range; pieces have 16KiB to ${formatSize(MAX_PIECE_LENGTH).replace(' ', '')}`,
  );
}

/** @throws {UsageError} for a length that v2 does not have. */
export function checkPieceLength(length: number, version: Version, flag: string): void {
  if (version === 'v1' || (length >= BLOCK_LENGTH && isPowerOfTwo(length))) return;
  const what = version === 'v2' ? 'v2' : 'hybrid';
  throw new UsageError(
    `${flag}: pieces of ${what} torrents have a power of two from 16 KiB, not ${formatSize(length)}; round it, or pass --v1`,
  );
}

/**
 * The length to take.
 *
 * @throws {UsageError} when the .torrent becomes larger than `--max-torrent-size` whatever is done.
 */
export function choosePieces(wish: PieceWish, circumstances: PieceCircumstances): number {
  const { maxTorrentSize: max, torrentSize } = circumstances;
  if (wish.type !== 'length') {
    const from = lengthenedByRules(firstChoice(wish, circumstances), circumstances);
    return max === undefined ? from : pieceLengthForTorrentSize(torrentSize, { max, from });
  }
  if (max === undefined) return wish.length;
  const size = torrentSize(wish.length);
  if (size <= max) return wish.length;
  throw tooLarge(wish.length, size, max);
}

/** As far as the rules allow, until the .torrent is as small as they want it. */
function lengthenedByRules(length: number, { rules, torrentSize }: PieceCircumstances): number {
  const { maxTorrentSize: max, maxPieceLength = MAX_PIECE_LENGTH } = rules ?? {};
  if (max === undefined) return length;
  let longer = length;
  while (longer * 2 <= maxPieceLength && torrentSize(longer) > max) longer *= 2;
  return longer;
}

function tooLarge(length: number, size: number, max: number): UsageError {
  const [pieces, whole, allowed] = [length, size, max].map(formatSize);
  return new UsageError(
    `--max-torrent-size: with pieces of ${pieces} the .torrent has ${whole}, more than ${allowed}; leave out --piece-length`,
  );
}

/** The automatic lengths (`--piece-length help`). */
export function pieceTable(): PieceTable {
  const rows = pieceLengthTable().map(({ upTo, pieceLength }) => ({
    maxLength: upTo,
    pieceLength,
  }));
  return { type: 'pieces', rows };
}

/** What is odd about pieces of `length`. */
export function pieceFindings(
  length: number,
  pieceCount: number,
  circumstances: PieceCircumstances,
): readonly Finding[] {
  const findings: Finding[] = [];
  const shown = formatSize(length);
  if (length < BLOCK_LENGTH) {
    findings.push({ lint: 'small-piece-length', message: `pieces of ${shown} are too short` });
  }
  if (!isPowerOfTwo(length)) {
    const message = `pieces of ${shown} are no power of two`;
    findings.push({ lint: 'uneven-piece-length', message });
  }
  if (length > LARGE_PIECE_LENGTH) {
    const message = `some clients refuse pieces as long as ${shown}`;
    findings.push({ lint: 'large-piece-length', message });
  }
  if (pieceCount > MANY_PIECES) {
    const message = `${pieceCount} pieces make magnet links slow to open; make them longer than ${shown}`;
    findings.push({ lint: 'many-pieces', message });
  }
  return [...findings, ...ruleFindings(length, circumstances)];
}

function ruleFindings(length: number, circumstances: PieceCircumstances): readonly Finding[] {
  const { rules, torrentSize } = circumstances;
  if (rules === undefined) return [];
  const { minPieceLength = 0, maxPieceLength = length, maxTorrentSize } = rules;
  const who = rules.names.join(' and ');
  const findings: Finding[] = [];
  const add = (message: string): void => void findings.push({ lint: 'tracker-rules', message });
  const shown = formatSize(length);
  if (length > maxPieceLength) {
    add(`${who} wants pieces of at most ${formatSize(maxPieceLength)}, not ${shown}`);
  }
  if (length < minPieceLength) {
    add(`${who} wants pieces of at least ${formatSize(minPieceLength)}, not ${shown}`);
  }
  const size = maxTorrentSize === undefined ? 0 : torrentSize(length);
  if (maxTorrentSize !== undefined && size > maxTorrentSize) {
    const most = formatSize(maxTorrentSize);
    add(`${who} wants a .torrent of at most ${most}, and this one has ${formatSize(size)}`);
  }
  return findings;
}

function firstChoice(wish: PieceWish, circumstances: PieceCircumstances): number {
  const { totalBytes, rules, suitable } = circumstances;
  switch (wish.type) {
    case 'length':
      return wish.length;
    case 'count':
      return within(pieceLengthForCount(totalBytes, wish.count), rules);
    case 'automatic': {
      const ruled = rules === undefined ? undefined : ruledPieceLength(rules, totalBytes);
      return within(ruled ?? suitable(), rules);
    }
  }
}

/** Into the limits of the rules, by powers of two. */
function within(length: number, rules: TrackerRules | undefined): number {
  const { minPieceLength = 0, maxPieceLength = MAX_PIECE_LENGTH } = rules ?? {};
  let fitting = length;
  while (fitting > maxPieceLength && fitting > BLOCK_LENGTH) fitting /= 2;
  while (fitting < minPieceLength && fitting * 2 <= maxPieceLength) fitting *= 2;
  return fitting;
}

function isPowerOfTwo(length: number): boolean {
  return Number.isInteger(Math.log2(length));
}
