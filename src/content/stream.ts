/** Hashes content that comes as a stream and is read once (BEP 3, BEP 52). @module */

import { concatBytes, formatHex } from '../base/bytes.ts';
import { HASH_LENGTH, merkleRoot, paddingHash, treeWidth } from '../base/merkle.ts';
import { BLOCK_LENGTH, type Version } from '../metainfo/index.ts';
import type { Hashers } from '../runtime/ports.ts';

export interface StreamOptions {
  readonly version: Version;
  /** Bytes; for v2 and hybrid a power of two from 16 KiB. */
  readonly pieceLength: number;
  readonly signal: AbortSignal;
  /** Bytes hashed so far: nobody knows how many will come. */
  readonly onProgress?: (doneBytes: number) => void;
}

/** What a single file of unknown length turned out to be. */
export interface StreamHashes {
  readonly length: number;
  /** v1 and hybrid. */
  readonly pieces?: Uint8Array;
  /** v2 and hybrid; not for an empty file. */
  readonly root?: Uint8Array;
  readonly pieceLayers: ReadonlyMap<string, Uint8Array>;
}

/** Holds one piece in memory at a time, and the hashes. @throws the reason of `signal` */
export async function hashStream(
  hashers: Hashers,
  content: AsyncIterable<Uint8Array>,
  options: StreamOptions,
): Promise<StreamHashes> {
  const { version, pieceLength, signal, onProgress } = options;
  const hash = (bytes: Uint8Array): Uint8Array => hashers.digestSync('sha256', [bytes]);
  const pieces: Uint8Array[] = [];
  const layer: Uint8Array[] = [];
  let length = 0;
  let lastLeaves = new Uint8Array();
  for await (const piece of cutPieces(content, pieceLength)) {
    signal.throwIfAborted();
    if (version !== 'v2') pieces.push(await hashers.digest('sha1', [piece]));
    if (version !== 'v1') {
      lastLeaves = leavesOf(piece, hash);
      layer.push(merkleRoot(lastLeaves, pieceLength / BLOCK_LENGTH, { hash }));
    }
    length += piece.length;
    onProgress?.(length);
  }
  const v1 = version === 'v2' ? {} : { pieces: concatBytes(...pieces) };
  if (layer.length === 0) return { length, ...v1, pieceLayers: new Map() };
  if (layer.length === 1) {
    // The tree of a file of one piece is only as wide as its blocks.
    const root = merkleRoot(lastLeaves, undefined, { hash });
    return { length, ...v1, root, pieceLayers: new Map() };
  }
  const padding = paddingHash(Math.log2(pieceLength / BLOCK_LENGTH), { hash });
  const whole = concatBytes(...layer);
  const root = merkleRoot(whole, treeWidth(layer.length), { hash, padding });
  return { length, ...v1, root, pieceLayers: new Map([[formatHex(root), whole]]) };
}

/** The stream in pieces, each a view of one buffer that is valid until the next is asked for. */
async function* cutPieces(
  content: AsyncIterable<Uint8Array>,
  pieceLength: number,
): AsyncGenerator<Uint8Array> {
  const piece = new Uint8Array(pieceLength);
  let filled = 0;
  for await (const chunk of content) {
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + pieceLength - filled);
      piece.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < pieceLength) continue;
      yield piece;
      filled = 0;
    }
  }
  if (filled > 0) yield piece.subarray(0, filled);
}

function leavesOf(
  piece: Uint8Array,
  hash: (bytes: Uint8Array) => Uint8Array,
): Uint8Array<ArrayBuffer> {
  const leaves = new Uint8Array(Math.ceil(piece.length / BLOCK_LENGTH) * HASH_LENGTH);
  for (let at = 0; at * BLOCK_LENGTH < piece.length; at++) {
    const block = piece.subarray(at * BLOCK_LENGTH, (at + 1) * BLOCK_LENGTH);
    leaves.set(hash(block), at * HASH_LENGTH);
  }
  return leaves;
}
