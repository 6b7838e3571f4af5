/** Finds files by the pieces in which they lie (BEP 3). @module */

import { formatHex } from '../base/bytes.ts';
import { SHA1_LENGTH } from '../base/sha.ts';
import type { LayoutMap } from '../disk/index.ts';
import { forEachAtOnce } from './at-once.ts';

import { hashRunOf, type PieceRange, pieceRuns, spansOf } from './runs.ts';
import type { Findings, Hunt } from './search-hunt.ts';
import { sameHash } from './verify-judge.ts';

/** Combinations of candidates that are tried for one piece. */
const MAX_COMBINATIONS = 256;

/** Where a file may be. */
interface Choice {
  /** Only what may be the content: proven by own pieces, or of the right size. */
  readonly options: readonly string[];
  /** Own pieces, or a shared one, proved the one option. */
  readonly isProven: boolean;
}

/** A file with pieces of its own. */
interface LargeFile {
  readonly file: number;
  readonly pieces: readonly number[];
}

/** Files with pieces of their own first, then the small ones between them, together. */
export async function findByPieces(hunt: Hunt): Promise<Findings> {
  const choices = new Map<number, Choice>();
  const large: LargeFile[] = [];
  for (const file of hunt.wanted) {
    const pieces = ownPieces(hunt.map, file);
    if (pieces.length > 0) large.push({ file, pieces });
    else choices.set(file, { options: smallOptions(hunt, file), isProven: false });
  }
  await findLarge(hunt, large, choices);
  await findShared(hunt, choices);
  const found = new Map<number, string>();
  const candidates = new Map<number, readonly string[]>();
  for (const file of hunt.wanted) {
    const { options, isProven } = choices.get(file) ?? { options: [], isProven: false };
    const own = hunt.inPlace(file);
    const [first] = options;
    if (isProven && first !== undefined && first !== own) found.set(file, first);
    const others = options.filter((path) => path !== own);
    if (!isProven && others.length > 0) candidates.set(file, others);
  }
  return { found, candidates };
}

/** Those of the right name first, and last what is in place, which was no good. */
function smallOptions(hunt: Hunt, file: number): readonly string[] {
  const own = hunt.inPlace(file);
  const namesakes = hunt.namesakes(file);
  const paths = new Set([...namesakes, ...hunt.candidates(file).slice(0, MAX_COMBINATIONS)]);
  if (own !== undefined) paths.delete(own);
  return [...paths, ...(own === undefined ? [] : [own])];
}

async function findLarge(
  hunt: Hunt,
  files: readonly LargeFile[],
  choices: Map<number, Choice>,
): Promise<void> {
  const search = async (large: LargeFile, paths: readonly string[]): Promise<void> => {
    for (const path of paths) {
      hunt.pace.signal.throwIfAborted();
      if (!(await isProvenBy(hunt, large, path))) continue;
      choices.set(large.file, { options: [path], isProven: true });
      return;
    }
  };
  await forEachAtOnce(files, hunt.pace, (large) => search(large, hunt.namesakes(large.file)));
  const left = files.filter(({ file }) => !choices.has(file));
  for (const group of Map.groupBy(left, (large) => alignmentOf(hunt, large)).values()) {
    const byFirst = await hashFirsts(hunt, group);
    await forEachAtOnce(group, hunt.pace, (large) =>
      search(large, byFirst.get(expectedFirst(hunt, large)) ?? []),
    );
  }
  await forEachAtOnce(files, hunt.pace, async (large) => {
    const own = hunt.inPlace(large.file);
    if (own !== undefined && !choices.has(large.file)) await search(large, [own]);
  });
}

/** Files of one size whose first own piece lies in the same bytes: one look at a candidate serves all. */
function alignmentOf({ metainfo }: Hunt, { file, pieces }: LargeFile): string {
  const { offset = 0, length = 0 } = metainfo.files[file] ?? {};
  return `${length}/${(pieces[0] ?? 0) * metainfo.pieceLength - offset}`;
}

function expectedFirst({ metainfo }: Hunt, { pieces }: LargeFile): string {
  const from = (pieces[0] ?? 0) * SHA1_LENGTH;
  return formatHex(metainfo.pieces?.subarray(from, from + SHA1_LENGTH) ?? new Uint8Array());
}

/** Candidates for a group of the same alignment, by the hash of that piece in hex. */
async function hashFirsts(
  hunt: Hunt,
  group: readonly LargeFile[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const { file = -1, pieces = [] } = group[0] ?? {};
  const [piece = 0] = pieces;
  const byFirst = new Map<string, string[]>();
  await forEachAtOnce(hunt.candidates(file), hunt.pace, async (path) => {
    const sha1 = await hashPieces(hunt, { first: piece, end: piece + 1 }, new Map([[file, path]]));
    if (sha1 === undefined) return;
    const key = formatHex(sha1);
    const known = byFirst.get(key);
    if (known === undefined) byFirst.set(key, [path]);
    else known.push(path);
  });
  return byFirst;
}

/** Pieces that hold bytes of this file and of no other one. */
function ownPieces(map: LayoutMap, file: number): readonly number[] {
  const { first, last } = map.piecesOf(file) ?? { first: 0, last: -1 };
  const pieces: number[] = [];
  for (let piece = first; piece <= last; piece++) {
    const isInner = piece > first && piece < last;
    const spans = isInner ? [] : spansOf(map, piece, piece + 1);
    if (spans.every((span) => span.padding || span.file === file)) pieces.push(piece);
  }
  return pieces;
}

/** The first piece alone at first: most files that are not the right ones end there. */
async function isProvenBy(hunt: Hunt, { file, pieces }: LargeFile, path: string): Promise<boolean> {
  const [first = 0] = pieces;
  const last = pieces.at(-1) ?? -1;
  const at = new Map([[file, path]]);
  if (!(await isMatch(hunt, { first, end: first + 1 }, at))) return false;
  let isGood = true;
  const rest = pieceRuns(hunt.map, {
    wanted: () => isGood,
    range: { first: first + 1, end: last + 1 },
  });
  await forEachAtOnce(rest, hunt.pace, async (run) => {
    if (!(await isMatch(hunt, run, at))) isGood = false;
  });
  return isGood;
}

/** Whether some pieces match when files are read from where `at` says. */
async function isMatch(
  hunt: Hunt,
  range: PieceRange,
  at: ReadonlyMap<number, string>,
): Promise<boolean> {
  const sha1 = await hashPieces(hunt, range, at);
  const { pieces } = hunt.metainfo;
  if (sha1 === undefined || pieces === undefined) return false;
  const from = range.first * SHA1_LENGTH;
  return sameHash(sha1, 0, { expected: pieces, from, length: sha1.length });
}

/** `undefined` when something cannot be read. */
async function hashPieces(
  { map, hash }: Hunt,
  { first, end }: PieceRange,
  at: ReadonlyMap<number, string>,
): Promise<Uint8Array | undefined> {
  const source = (file: number): { path: string } => ({ path: at.get(file) ?? '' });
  const run = hashRunOf(map, spansOf(map, first, end), { sha1: true, sha256: false, source });
  const { sha1, faults } = await hash(run);
  return faults.length > 0 ? undefined : sha1;
}

/** Proves small files by pieces all of whose files may be somewhere, until nothing new comes out. */
async function findShared(hunt: Hunt, choices: Map<number, Choice>): Promise<void> {
  const isOpen = (file: number): boolean => choices.get(file)?.isProven === false;
  const pieces = sharedPieces(hunt, isOpen);
  for (let before = -1, open = countOpen(choices); open !== before; ) {
    before = open;
    for (const piece of pieces) {
      hunt.pace.signal.throwIfAborted();
      await tryPiece(hunt, piece, choices);
    }
    open = countOpen(choices);
  }
}

function countOpen(choices: ReadonlyMap<number, Choice>): number {
  let count = 0;
  for (const { isProven } of choices.values()) if (!isProven) count++;
  return count;
}

function sharedPieces({ map, wanted }: Hunt, isOpen: (file: number) => boolean): number[] {
  const pieces = new Set<number>();
  for (const file of wanted) {
    if (!isOpen(file)) continue;
    const { first, last } = map.piecesOf(file) ?? { first: 0, last: -1 };
    for (let piece = first; piece <= last; piece++) pieces.add(piece);
  }
  return [...pieces].toSorted((a, b) => a - b);
}

async function tryPiece(hunt: Hunt, piece: number, choices: Map<number, Choice>): Promise<void> {
  const spans = spansOf(hunt.map, piece, piece + 1).filter(({ padding }) => !padding);
  const files = spans.map(({ file }) => file);
  if (files.every((file) => choices.get(file)?.isProven !== false)) return;
  const options = files.map((file) => optionsOf(hunt, file, choices));
  for (const paths of combinations(options)) {
    hunt.pace.signal.throwIfAborted();
    const at = new Map(files.map((file, index) => [file, paths[index] ?? '']));
    if (!(await isMatch(hunt, { first: piece, end: piece + 1 }, at))) continue;
    for (const [file, path] of at) {
      if (choices.has(file)) choices.set(file, { options: [path], isProven: true });
    }
    return;
  }
}

function optionsOf(
  { inPlace }: Hunt,
  file: number,
  choices: ReadonlyMap<number, Choice>,
): readonly string[] {
  const choice = choices.get(file);
  if (choice !== undefined) return choice.options;
  const own = inPlace(file);
  return own === undefined ? [] : [own];
}

/** The first {@link MAX_COMBINATIONS} ways to take one of each; none when one has nothing. */
function* combinations(options: readonly (readonly string[])[]): Generator<readonly string[]> {
  const all = options.reduce((product, { length }) => product * length, 1);
  for (let count = 0; count < Math.min(all, MAX_COMBINATIONS); count++) {
    // The digits of `count`, each in a base of its own.
    let rest = count;
    yield options.map((paths) => {
      const path = paths[rest % paths.length] ?? '';
      rest = Math.floor(rest / paths.length);
      return path;
    });
  }
}
