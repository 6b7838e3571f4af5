/** Compares files on the disk with a torrent (BEP 3, BEP 47, BEP 52), and changes nothing. @module */

import type { StorageError } from '../base/errors.ts';
import { LayoutMap } from '../disk/index.ts';
import type { Metainfo } from '../metainfo/index.ts';
import type { FileHashers, HashPart, ReadOrder, Runtime } from '../runtime/ports.ts';
import { forEachAtOnce, runsAtOnce } from './at-once.ts';
import { type HashKinds, hashRunOf, pieceRuns } from './runs.ts';
import { isJudgedAsWhole, neededKinds, PieceJudge } from './verify-judge.ts';
import { availableBytes, type Look, lookAtContent } from './verify-look.ts';
import type { ContentPlace } from './verify-place.ts';
import {
  type BadPiece,
  badPieces,
  judgeFiles,
  type ReportInput,
  type VerifiedFile,
} from './verify-report.ts';
import { countPieces, PIECE } from './verify-states.ts';

export interface VerifyOptions extends ContentPlace {
  readonly metainfo: Metainfo;
  /** Used and not disposed: many torrents share one. Without it `threads` and `order` make one. */
  readonly hashers?: FileHashers;
  /** As many as there are cores by default. */
  readonly threads?: number;
  /** `auto` by default. */
  readonly order?: ReadOrder;
  /** Indices of the files that are to be judged; all by default. */
  readonly files?: ReadonlySet<number>;
  /** Files that are read from elsewhere, by index. */
  readonly sources?: ReadonlyMap<number, string>;
  /** An earlier verification: pieces without a file of `sources` are not hashed again. */
  readonly known?: Verification;
  /** A hybrid: check its v1 hashes as well, and that they agree. */
  readonly both?: boolean;
  /** Ends with the first thing that is not as it should be. */
  readonly failFast?: boolean;
  readonly signal: AbortSignal;
  /** Bytes of pieces hashed so far and in all. */
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
}

/** How a torrent and the files on the disk compare. */
export interface Verification {
  /** Every byte that was asked for is there and matches its hash. */
  readonly complete: boolean;
  readonly piecesGood: number;
  readonly piecesBad: number;
  /** Some of their bytes are not there, so that nobody can say. */
  readonly piecesMissing: number;
  /** Not looked at, with `failFast`. */
  readonly piecesUnchecked: number;
  /** By piece, see `PIECE`. */
  readonly states: Uint8Array;
  readonly bad: readonly BadPiece[];
  /** In the order of the torrent, padding left out. */
  readonly files: readonly VerifiedFile[];
  /** Paths of files that were not looked at, or not to their end, with `failFast`. */
  readonly unchecked: readonly string[];
  readonly warnings: readonly VerifyWarning[];
}

/** Something odd about the torrent itself. */
export interface VerifyWarning {
  readonly code: 'inconsistent-hybrid' | 'judged-as-whole';
  readonly message: string;
}

/**
 * Looks at all files and hashes what is there, each byte once. Files that are missing or cannot be
 * read are part of the answer, not errors.
 *
 * A missing file never makes another one bad: pieces of which bytes are missing are undecided. v2
 * and hybrid torrents are judged file by file by their Merkle trees.
 *
 * @throws the reason of `signal` when cancelled, after everything under way has ended.
 */
export async function verifyContent(
  runtime: Pick<Runtime, 'files' | 'hashers'>,
  options: VerifyOptions,
): Promise<Verification> {
  const { metainfo, sources, signal } = options;
  const { root, name, files } = options;
  const place = name === undefined ? { root } : { root, name };
  const look = await lookAtContent(runtime.files, {
    metainfo,
    place,
    ...(sources === undefined ? {} : { sources }),
  });
  signal.throwIfAborted();
  const map = new LayoutMap(metainfo);
  const states = openStates(options, map, look);
  const kinds = neededKinds(metainfo, options.both ?? false);
  const judge = new PieceJudge(metainfo, runtime.hashers, { states, kinds });
  const errors = new Map<number, StorageError>(look.errors);
  const isWanted = (file: number): boolean => files?.has(file) ?? true;
  const input: ReportInput = { metainfo, map, states, look, errors, isWanted };
  const isHopeless = options.failFast === true && judgeFiles(input).files.some(isFaulty);
  if (!isHopeless) await hashAll(runtime, options, { map, look, judge, errors, kinds });
  judge.finish();
  return report(input, judge);
}

function report(input: ReportInput, { contradictions }: PieceJudge): Verification {
  const { states } = input;
  const { files, unchecked } = judgeFiles(input);
  const piecesUnchecked = countPieces(states, PIECE.open);
  return {
    complete: piecesUnchecked === 0 && unchecked.length === 0 && files.every(isProven),
    piecesGood: countPieces(states, PIECE.good),
    piecesBad: countPieces(states, PIECE.bad),
    piecesMissing: countPieces(states, PIECE.missing),
    piecesUnchecked,
    states,
    bad: badPieces(input),
    files,
    unchecked,
    warnings: warningsOf(files, contradictions),
  };
}

function isProven({ state, undecidedBytes }: VerifiedFile): boolean {
  return state === 'good' && undecidedBytes === undefined;
}

function isFaulty({ state }: VerifiedFile): boolean {
  return state !== 'good';
}

/** What is known of each piece before anything is hashed. */
function openStates(options: VerifyOptions, map: LayoutMap, look: Look): Uint8Array {
  const { metainfo, files, known, sources } = options;
  const states = new Uint8Array(metainfo.pieceCount).fill(PIECE.left);
  for (const [index, { padding }] of metainfo.files.entries()) {
    const range = map.piecesOf(index);
    if (range === undefined || padding || files?.has(index) === false) continue;
    states.fill(PIECE.open, range.first, range.last + 1);
  }
  for (const index of metainfo.files.keys()) {
    const range = lackingPieces({ metainfo, map, look }, index);
    for (let piece = range.first; piece <= range.last; piece++) {
      if (states[piece] === PIECE.open) states[piece] = PIECE.missing;
    }
  }
  if (known !== undefined) keepKnown(states, known.states, touchedBy(sources, map));
  return states;
}

/** Pieces of a file that cannot be hashed, because bytes of it are not there. */
function lackingPieces(
  { metainfo, map, look }: { metainfo: Metainfo; map: LayoutMap; look: Look },
  index: number,
): PieceRange {
  const file = metainfo.files[index];
  const range = map.piecesOf(index);
  if (range === undefined || file?.padding !== false) return { first: 0, last: -1 };
  const available = availableBytes(look, index, file);
  if (available === file.length) return { first: 0, last: -1 };
  // The root of a file says nothing about a part of it.
  const isUseless = metainfo.pieces === undefined && isJudgedAsWhole(metainfo, index);
  const from = file.offset + (isUseless ? 0 : available);
  return { first: Math.floor(from / metainfo.pieceLength), last: range.last };
}

/** Both ends included. */
interface PieceRange {
  readonly first: number;
  readonly last: number;
}

function keepKnown(states: Uint8Array, known: Uint8Array, touched: ReadonlySet<number>): void {
  for (const [piece, state] of known.entries()) if (!touched.has(piece)) states[piece] = state;
}

function touchedBy(sources: VerifyOptions['sources'], map: LayoutMap): Set<number> {
  const touched = new Set<number>();
  for (const file of sources?.keys() ?? []) {
    const { first, last } = map.piecesOf(file) ?? { first: 0, last: -1 };
    for (let piece = first; piece <= last; piece++) touched.add(piece);
  }
  return touched;
}

/** What hashing works with. */
interface Work {
  readonly map: LayoutMap;
  readonly look: Look;
  readonly judge: PieceJudge;
  /** Filled with what could not be read. */
  readonly errors: Map<number, StorageError>;
  readonly kinds: HashKinds;
}

async function hashAll(
  runtime: Pick<Runtime, 'hashers'>,
  options: VerifyOptions,
  work: Work,
): Promise<void> {
  const { hashers, threads, order = 'auto', signal } = options;
  if (hashers !== undefined) return hashRuns(hashers, options, work);
  const totalBytes = openBytes(work);
  if (totalBytes === 0) return signal.throwIfAborted();
  await using own = runtime.hashers.openFileHashers({
    order,
    totalBytes,
    ...(threads === undefined ? {} : { threads }),
  });
  await hashRuns(own, options, work);
}

async function hashRuns(hashers: FileHashers, options: VerifyOptions, work: Work): Promise<void> {
  const { signal, failFast = false, onProgress } = options;
  const { map, look, judge, errors, kinds } = work;
  const source = (file: number): Pick<HashPart, 'path' | 'expected'> => ({
    path: look.pathOf(file),
    expected: { size: look.sizes[file] ?? 0, modified: look.modified[file] ?? 0 },
  });
  const totalBytes = openBytes(work);
  let done = 0;
  let isOver = false;
  onProgress?.(0, totalBytes);
  const wanted = (piece: number): boolean => !isOver && judge.states[piece] === PIECE.open;
  const limit = runsAtOnce(hashers);
  const runs = pieceRuns(map, {
    wanted,
    runBytes: hashers.runBytes,
    ignorePadding: !kinds.sha1,
  });
  await forEachAtOnce(runs, { limit, signal }, async (run) => {
    const hashed = await hashers.hash(hashRunOf(map, run.spans, { ...kinds, source }));
    for (const { part, error } of hashed.faults) {
      const file = run.spans[part]?.file;
      if (file !== undefined && !errors.has(file)) errors.set(file, error);
    }
    judge.judge(run, hashed);
    const states = judge.states.subarray(run.first, run.end);
    if (failFast) isOver ||= hashed.faults.length > 0 || states.includes(PIECE.bad);
    for (let piece = run.first; piece < run.end; piece++) done += map.pieceSize(piece);
    onProgress?.(done, totalBytes);
  });
}

function openBytes({ map, judge }: Work): number {
  let bytes = 0;
  for (const [piece, state] of judge.states.entries()) {
    if (state === PIECE.open) bytes += map.pieceSize(piece);
  }
  return bytes;
}

function warningsOf(
  files: readonly VerifiedFile[],
  contradictions: readonly number[],
): VerifyWarning[] {
  const warnings: VerifyWarning[] = [];
  const wholes = files.filter(({ whole }) => whole === true).length;
  if (wholes > 0) {
    const of = wholes === 1 ? 'a file' : `${wholes} files`;
    warnings.push({
      code: 'judged-as-whole',
      message: `the torrent lacks the hashes of the pieces of ${of}: good or bad is known of the whole only`,
    });
  }
  const [piece] = contradictions.toSorted((a, b) => a - b);
  if (piece !== undefined) {
    const more = contradictions.length > 1 ? ` and ${contradictions.length - 1} more` : '';
    warnings.push({
      code: 'inconsistent-hybrid',
      message: `the torrent contradicts itself: its hashes of v1 and v2 disagree about piece ${piece}${more}; what is said here is by v2`,
    });
  }
  return warnings;
}
