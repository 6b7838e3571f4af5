/** Reads pieces that lie on disk with a few reused buffers, hashing beside reading. @module */

import type { LayoutMap } from './layout.ts';

/** Small pieces are read together until this many bytes: one trip to the disk for all of them. */
const CHUNK_BYTES = 1024 * 1024;

/** Buffers at once: one is filled while others are hashed. */
const MOST_BUFFERS = 3;

/** All buffers together, unless a single one is longer. */
const BUFFER_BUDGET = 64 * 1024 * 1024;

/** What is read and what happens with it. */
export interface ReadAheadOptions {
  readonly map: LayoutMap;
  readonly signal: AbortSignal;
  /** Memory for what is read; see the Hashers port. */
  allocate(length: number): Uint8Array;
  /** Whether a piece is to be read. */
  wanted(piece: number): boolean;
  /** Fills `into` with the bytes from `from` on of the space of pieces; tells what was not there. */
  read(from: number, into: Uint8Array): Promise<readonly MissingRange[]>;
  /** A piece that was read in full. `data` is a view of a reused buffer, valid until this settles. */
  whole(piece: number, data: Uint8Array): Promise<void>;
  /** A piece of which bytes are missing. */
  broken(piece: number): void;
}

/** Bytes of the space of pieces that could not be read. */
export interface MissingRange {
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
}

interface Chunk {
  readonly first: number;
  /** Exclusive. */
  readonly end: number;
}

/**
 * Reads every wanted piece once, roughly in order. Waits for everything under way before it ends,
 * also when it fails or is cancelled.
 *
 * @throws what `read` or `whole` throws, or the reason of `signal`.
 */
export async function readAhead(options: ReadAheadOptions): Promise<void> {
  const { map, signal } = options;
  const { pieceLength, pieceCount } = map.layout;
  const perChunk = Math.max(1, Math.floor(CHUNK_BYTES / pieceLength));
  const chunkBytes = Math.min(perChunk, pieceCount) * pieceLength;
  const lanes = Math.max(1, Math.min(MOST_BUFFERS, Math.floor(BUFFER_BUDGET / chunkBytes)));
  const chunks = wantedChunks(options, perChunk);
  let failure: { readonly error: unknown } | undefined;
  const lane = async (): Promise<void> => {
    let buffer: Uint8Array | undefined;
    for (const chunk of chunks) {
      if (failure !== undefined || signal.aborted) return;
      buffer ??= options.allocate(chunkBytes);
      try {
        await judgeChunk(options, chunk, buffer);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  if (failure !== undefined) throw failure.error;
  signal.throwIfAborted();
}

/** One iterator for all lanes: each takes the next chunk when it has time. */
function wantedChunks(options: ReadAheadOptions, perChunk: number): Iterable<Chunk> {
  const { pieceCount } = options.map.layout;
  let next = 0;
  const take = (): IteratorResult<Chunk, undefined> => {
    while (next < pieceCount && !options.wanted(next)) next++;
    if (next >= pieceCount) return { done: true, value: undefined };
    const first = next;
    while (next < pieceCount && next - first < perChunk && options.wanted(next)) next++;
    return { done: false, value: { first, end: next } };
  };
  return { [Symbol.iterator]: () => ({ next: take }) };
}

async function judgeChunk(
  options: ReadAheadOptions,
  { first, end }: Chunk,
  buffer: Uint8Array,
): Promise<void> {
  const { map, signal } = options;
  const { pieceLength } = map.layout;
  const from = first * pieceLength;
  const bytes = (end - 1) * pieceLength - from + map.pieceSize(end - 1);
  const missing = await options.read(from, buffer.subarray(0, bytes));
  for (let piece = first; piece < end; piece++) {
    if (signal.aborted) return;
    const begin = piece * pieceLength;
    const stop = begin + map.pieceSize(piece);
    if (missing.some((range) => range.from < stop && range.to > begin)) options.broken(piece);
    else await options.whole(piece, buffer.subarray(begin - from, stop - from));
  }
}
