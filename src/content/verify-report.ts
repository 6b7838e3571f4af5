/** From the states of pieces to what is said of files. @module */

import type { ErrorCode } from '../base/errors.ts';
import { isStored, type LayoutMap } from '../disk/index.ts';
import type { FileEntry, Metainfo } from '../metainfo/index.ts';
import { spansOf } from './runs.ts';
import { isJudgedAsWhole } from './verify-judge.ts';
import { availableBytes, type Look } from './verify-look.ts';
import { PIECE } from './verify-states.ts';

/** `wrong-size`: too long, or too short. */
export type FileState = 'good' | 'bad' | 'missing' | 'wrong-size';

/** Bytes of a file. */
export interface FileRange {
  /** With `/`, the torrent's name first. */
  readonly path: string;
  /** Where in the file. */
  readonly offset: number;
  readonly length: number;
}

/** A piece that does not match its hash, and where in the files it lies. */
export interface BadPiece {
  readonly piece: number;
  readonly files: readonly FileRange[];
}

/** What is known of a file or symlink. */
export interface VerifiedFile {
  /** Index in `metainfo.files`. */
  readonly index: number;
  /** With `/`, the torrent's name first. */
  readonly path: string;
  readonly state: FileState;
  /** Bytes in good pieces. */
  readonly goodBytes: number;
  /** What the torrent says, in bytes. */
  readonly length: number;
  /**
   * Bytes that are there and of which nobody can say, because the rest of their piece is missing, or
   * lies in another file that is missing or has the wrong size (BEP 3). Left out when there are none.
   */
  readonly undecidedBytes?: number;
  /** What is on the disk, in bytes, where that is something else. */
  readonly size?: number;
  /** The symlink that the torrent has there, its target with `/`. */
  readonly symlink?: string;
  /** Where it was read, when it is not where the torrent wants it. */
  readonly at?: string;
  /** The torrent lacks the hashes of its pieces: it is good as a whole, or bad as a whole. */
  readonly whole?: true;
  /** Why it could not be read. It counts as missing. */
  readonly error?: { readonly code: ErrorCode; readonly message: string };
}

/** What the report is made of. */
export interface ReportInput {
  readonly metainfo: Metainfo;
  readonly map: LayoutMap;
  /** By piece, see {@link PIECE}. */
  readonly states: Uint8Array;
  readonly look: Look;
  /** Of files that could not be read in the end. */
  readonly errors: ReadonlyMap<number, { readonly code: ErrorCode; readonly message: string }>;
  readonly isWanted: (file: number) => boolean;
}

/** Bad pieces, ascending, with the bytes of files in them. */
export function badPieces({ metainfo, map, states }: ReportInput): BadPiece[] {
  const bad: BadPiece[] = [];
  for (const [piece, state] of states.entries()) {
    if (state !== PIECE.bad) continue;
    const files = spansOf(map, piece, piece + 1)
      .filter(({ padding }) => !padding)
      .map(({ file, position, length }) => ({
        path: shownPath(metainfo.files[file]),
        offset: position,
        length,
      }));
    bad.push({ piece, files });
  }
  return bad;
}

/**
 * All files that were asked for; those with pieces that nobody has looked at stand in `unchecked`,
 * unless they are known not to be good.
 */
export function judgeFiles(input: ReportInput): {
  readonly files: readonly VerifiedFile[];
  readonly unchecked: readonly string[];
} {
  const files: VerifiedFile[] = [];
  const unchecked: string[] = [];
  for (const [index, file] of input.metainfo.files.entries()) {
    if (file.padding || !input.isWanted(index)) continue;
    const judged = isStored(file)
      ? judgeStored(input, index, file)
      : judgeEmpty(input, index, file);
    if (judged === undefined) unchecked.push(shownPath(file));
    else files.push(judged);
  }
  return { files, unchecked };
}

/** The path of a file as all reports have it. */
function shownPath(file: FileEntry | undefined): string {
  return (file?.path ?? []).join('/');
}

/** Bytes of a file by what is known of their pieces. */
interface Tally {
  readonly good: number;
  readonly bad: number;
  readonly open: number;
}

function judgeStored(input: ReportInput, index: number, file: FileEntry): VerifiedFile | undefined {
  const { look, metainfo } = input;
  const { good, bad, open } = tallyOf(input, index);
  const state = stateOf(input, index, bad > 0);
  if (state === 'good' && open > 0) return undefined;
  const size = look.sizes[index] ?? -1;
  const available = state === 'missing' ? 0 : availableBytes(look, index, file);
  const undecided = available - good - bad - open;
  return {
    ...described(input, index, { state, goodBytes: good }),
    ...(undecided > 0 ? { undecidedBytes: undecided } : {}),
    ...(size >= 0 && size !== file.length ? { size } : {}),
    ...(isJudgedAsWhole(metainfo, index) ? { whole: true } : {}),
  };
}

function stateOf(
  { look, errors, metainfo }: ReportInput,
  index: number,
  isBad: boolean,
): FileState {
  const size = look.sizes[index] ?? -1;
  if (size < 0 || errors.has(index)) return 'missing';
  if (size !== metainfo.files[index]?.length) return 'wrong-size';
  return isBad ? 'bad' : 'good';
}

/** Empty files and symlinks. */
function judgeEmpty(input: ReportInput, index: number, file: FileEntry): VerifiedFile {
  const { look, errors } = input;
  const size = look.sizes[index] ?? -1;
  const own = size < 0 ? 'missing' : size === 0 ? 'good' : 'wrong-size';
  const state = errors.has(index) ? 'missing' : (look.links.get(index) ?? own);
  return {
    ...described(input, index, { state, goodBytes: 0 }),
    ...(size > 0 ? { size } : {}),
    ...(file.symlink === undefined ? {} : { symlink: file.symlink.join('/') }),
  };
}

function described(
  { look, errors, metainfo }: ReportInput,
  index: number,
  judged: Pick<VerifiedFile, 'state' | 'goodBytes'>,
): VerifiedFile {
  const at = look.elsewhere.get(index);
  const error = errors.get(index);
  const file = metainfo.files[index];
  return {
    index,
    path: shownPath(file),
    ...judged,
    length: file?.length ?? 0,
    ...(at === undefined ? {} : { at }),
    ...(error === undefined ? {} : { error: { code: error.code, message: error.message } }),
  };
}

function tallyOf(input: ReportInput, index: number): Tally {
  const { metainfo, map } = input;
  const { pieceLength, files } = metainfo;
  const { offset = 0, length = 0 } = files[index] ?? {};
  const { first, last } = map.piecesOf(index) ?? { first: 0, last: -1 };
  const tally = { good: 0, bad: 0, open: 0 };
  for (let piece = first; piece <= last; piece++) {
    const begin = Math.max(offset, piece * pieceLength);
    const bytes = Math.min(offset + length, (piece + 1) * pieceLength) - begin;
    const state = stateOfShare(input, index, piece);
    if (state === PIECE.good) tally.good += bytes;
    else if (state === PIECE.bad) tally.bad += bytes;
    else if (state === PIECE.open) tally.open += bytes;
  }
  return tally;
}

/**
 * What a piece says of one file in it. A bad piece says nothing of a file of the right size when it
 * holds bytes of one of the wrong size, which are to blame.
 */
function stateOfShare(input: ReportInput, index: number, piece: number): number {
  const { map, states } = input;
  const state = states[piece] ?? PIECE.open;
  if (state !== PIECE.bad || hasWrongSize(input, index)) return state;
  const others = spansOf(map, piece, piece + 1).filter((span) => {
    return !span.padding && span.file !== index && hasWrongSize(input, span.file);
  });
  return others.length > 0 ? PIECE.missing : state;
}

function hasWrongSize({ look, metainfo }: ReportInput, index: number): boolean {
  return look.sizes[index] !== metainfo.files[index]?.length;
}
