/**
 * The hashes that pieces have to match: SHA-1 of the whole piece (BEP 3), or the root of a Merkle
 * tree of SHA-256 over blocks of 16 KiB (BEP 52).
 *
 * @module
 */

import { equalBytes, formatHex } from '../base/bytes.ts';
import { IntegrityError, invariant } from '../base/errors.ts';
import { SHA1_LENGTH } from '../base/sha.ts';
import { BLOCK_LENGTH, HASH_LENGTH, merkleRoot, type Sha256 } from '../metainfo/index.ts';
import type { Hashers } from '../runtime/ports.ts';
import { LayoutMap, type StorageFile, type StorageLayout } from './layout.ts';

/** Expected hashes of all pieces of one torrent. */
export interface PieceHashes {
  /** Whether `data` is what the torrent says; `data` must not change until it is settled. */
  check(hashers: Hashers, piece: number, data: Uint8Array): Promise<boolean>;
}

/** Hashes of BEP 3: `pieces` holds 20 bytes a piece. */
export function v1Hashes(pieces: Uint8Array): PieceHashes {
  return {
    async check(hashers, piece, data) {
      const expected = pieces.subarray(piece * SHA1_LENGTH, (piece + 1) * SHA1_LENGTH);
      invariant(expected.length === SHA1_LENGTH, `no hash for piece ${piece}`);
      return equalBytes(await hashers.digest('sha1', [data]), expected);
    },
  };
}

/** A file with the root of its tree; every one with bytes has it. */
export interface V2File extends StorageFile {
  readonly piecesRoot?: Uint8Array;
}

/** What BEP 52 says of the files of a layout; a `Metainfo` with v2 has all of it. */
export interface V2Sources {
  /** With files on piece boundaries. */
  readonly layout: StorageLayout & { readonly files: readonly V2File[] };
  /** By the root in hex; needed for files of more than one piece. */
  readonly pieceLayers: ReadonlyMap<string, Uint8Array>;
}

/**
 * Hashes of BEP 52. A file of at most one piece has its root for a hash; longer ones have a layer
 * of 32 bytes a piece. `check` rejects with `IntegrityError` while the layer of a file is unknown.
 */
export function v2Hashes({ layout, pieceLayers }: V2Sources): PieceHashes {
  const map = new LayoutMap(layout);
  const expectedOf = (piece: number): { hash: Uint8Array; whole: boolean } | undefined => {
    const begin = piece * layout.pieceLength;
    const span = map.spans(begin, begin + 1)[0];
    const file = span === undefined ? undefined : layout.files[span.file];
    if (span === undefined || file?.piecesRoot === undefined) return undefined;
    if (file.length <= layout.pieceLength) return { hash: file.piecesRoot, whole: true };
    const layer = pieceLayers.get(formatHex(file.piecesRoot));
    const at = (span.position / layout.pieceLength) * HASH_LENGTH;
    const hash = layer?.subarray(at, at + HASH_LENGTH);
    return hash?.length === HASH_LENGTH ? { hash, whole: false } : undefined;
  };
  return {
    // Hundreds of small digests a piece: a trip to another thread for each would cost more than
    // it saves, so that they are made here.
    async check(hashers, piece, data) {
      const expected = expectedOf(piece);
      if (expected === undefined) {
        throw new IntegrityError(`the hash of piece ${piece} is not known yet`, {
          code: 'BIP_HASH_UNKNOWN',
        });
      }
      const leaves = leavesOf(hashers, data);
      const width = expected.whole ? undefined : layout.pieceLength / BLOCK_LENGTH;
      const hash: Sha256 = (bytes) => hashers.digestSync('sha256', [bytes]);
      return equalBytes(merkleRoot(leaves, width, { hash }), expected.hash);
    },
  };
}

/** Hashes of the blocks of a piece, one after the other. */
function leavesOf(hashers: Hashers, data: Uint8Array): Uint8Array {
  const leaves = new Uint8Array(Math.ceil(data.length / BLOCK_LENGTH) * HASH_LENGTH);
  for (let at = 0; at * BLOCK_LENGTH < data.length; at++) {
    const block = data.subarray(at * BLOCK_LENGTH, (at + 1) * BLOCK_LENGTH);
    leaves.set(hashers.digestSync('sha256', [block]), at * HASH_LENGTH);
  }
  return leaves;
}
