/** Cuts the pieces of a torrent into runs that one thread hashes at a time. @module */

import type { FileSpan, LayoutMap } from '../disk/index.ts';
import type { Version } from '../metainfo/index.ts';
import type { HashPart, HashRun } from '../runtime/ports.ts';

/** Bytes of a run where nobody says how many are good. */
const RUN_BYTES: number = 4 * 1024 * 1024;

/** Parts of a run, unless a piece has more. */
const RUN_PARTS = 1024;

/** Pieces that follow each other. */
export interface PieceRange {
  readonly first: number;
  /** Exclusive. */
  readonly end: number;
}

/** Pieces that follow each other, and what of which files they are. */
export interface PieceRun extends PieceRange {
  readonly spans: readonly FileSpan[];
}

/** Which pieces, and what of them counts. */
export interface RunOptions {
  /** Asked about each piece right before it is handed out; all by default. */
  readonly wanted?: (piece: number) => boolean;
  /** All by default. */
  readonly range?: PieceRange;
  /** Bytes of a run, unless a piece is longer; see `FileHashers`. */
  readonly runBytes?: number;
  /** Padding is not hashed, and so is no work (without SHA-1). */
  readonly ignorePadding?: boolean;
}

/** All wanted pieces of a range as runs, ascending: some megabytes each, or a single piece. */
export function* pieceRuns(map: LayoutMap, options: RunOptions = {}): Generator<PieceRun> {
  const { wanted = () => true, range = { first: 0, end: map.layout.pieceCount } } = options;
  for (let { first } = range; first < range.end; ) {
    if (!wanted(first)) {
      first++;
      continue;
    }
    const end = endOfRun(map, { first, end: range.end }, { ...options, wanted });
    const run = withFewSpans(map, { first, end });
    yield run;
    first = run.end;
  }
}

/** Where the run ends that begins with the range. */
function endOfRun(
  map: LayoutMap,
  { first, end: most }: PieceRange,
  options: RunOptions & Required<Pick<RunOptions, 'wanted'>>,
): number {
  const { wanted, runBytes = RUN_BYTES, ignorePadding = false } = options;
  const work = (piece: number): number =>
    ignorePadding ? contentBytes(spansOf(map, piece, piece + 1)) : map.pieceSize(piece);
  let end = first + 1;
  for (let bytes = work(first); end < most && wanted(end); end++) {
    bytes += work(end);
    if (bytes > runBytes) break;
  }
  return end;
}

function withFewSpans(map: LayoutMap, { first, end }: PieceRange): PieceRun {
  const spans = spansOf(map, first, end);
  if (spans.length <= RUN_PARTS || end - first === 1) return { first, end, spans };
  return withFewSpans(map, { first, end: first + Math.ceil((end - first) / 2) });
}

/** Bytes that lie in files. */
export function contentBytes(spans: readonly FileSpan[]): number {
  return spans.reduce((sum, { length, padding }) => sum + (padding ? 0 : length), 0);
}

/** The spans of some pieces that follow each other; `end` is exclusive. */
export function spansOf(map: LayoutMap, first: number, end: number): FileSpan[] {
  const { pieceLength } = map.layout;
  return map.spans(first * pieceLength, end * pieceLength);
}

/** Which hashes a torrent has; a hybrid has both. */
export interface HashKinds {
  readonly sha1: boolean;
  readonly sha256: boolean;
}

/** What the torrents of a version have to have hashed. */
export function hashKindsOf(version: Version): HashKinds {
  return { sha1: version !== 'v2', sha256: version !== 'v1' };
}

/** The run as the hashers want it. `source` says where a file is, and what it looks like. */
export function hashRunOf(
  map: LayoutMap,
  spans: readonly FileSpan[],
  options: HashKinds & { readonly source: (file: number) => Pick<HashPart, 'path' | 'expected'> },
): HashRun {
  const { pieceLength, files } = map.layout;
  const { sha1, sha256, source } = options;
  const parts = spans.map(({ file, position, length, padding }): HashPart => {
    if (padding) return { position: 0, length };
    const alone = (files[file]?.length ?? 0) <= pieceLength;
    return { ...source(file), position, length, alone };
  });
  return { parts, pieceLength, sha1, sha256 };
}
