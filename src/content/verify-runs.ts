/** Hashing of pieces that lie in files, some runs at once. @module */

import type { FileSpan, LayoutMap } from '../disk/index.ts';
import type { FileHashers, HashPart, HashRun } from '../runtime/ports.ts';

/** Bytes of a run, unless a piece is longer: enough that the way to a thread costs nothing. */
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

/** All wanted pieces of a range as runs; asks about each piece right before it is handed out. */
export function* pieceRuns(
  map: LayoutMap,
  wanted: (piece: number) => boolean,
  range: PieceRange = { first: 0, end: map.layout.pieceCount },
): Generator<PieceRun> {
  const most = Math.max(1, Math.floor(RUN_BYTES / map.layout.pieceLength));
  for (let { first } = range; first < range.end; ) {
    if (!wanted(first)) {
      first++;
      continue;
    }
    let end = first + 1;
    while (end < range.end && end - first < most && wanted(end)) end++;
    let spans = spansOf(map, first, end);
    while (spans.length > RUN_PARTS && end - first > 1) {
      end = first + Math.ceil((end - first) / 2);
      spans = spansOf(map, first, end);
    }
    yield { first, end, spans };
    first = end;
  }
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

/** Runs that are to be under way at once, so that no thread ever waits. */
export function runsAtOnce({ lanes }: FileHashers): number {
  return 2 * lanes + 1;
}

/**
 * Works on all items, `limit` at once. After a failure or a cancellation no item is begun any more;
 * what is under way is waited for, so that nothing is open afterwards.
 *
 * @throws the first failure, or the reason of `signal`.
 */
export async function forEachAtOnce<Item>(
  items: Iterable<Item>,
  { limit, signal }: { readonly limit: number; readonly signal: AbortSignal },
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  let failure: { readonly error: unknown } | undefined;
  const lane = async (): Promise<void> => {
    while (failure === undefined && !signal.aborted) {
      const next = iterator.next();
      if (next.done === true) return;
      try {
        await work(next.value);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: limit }, lane));
  signal.throwIfAborted();
  if (failure !== undefined) throw failure.error;
}
