/** Torrents of v1, to bytes. @module */

import { encodeUtf8 } from '../base/bytes.ts';
import { invariant, UsageError } from '../base/errors.ts';
import { type BencodeInput, encode } from '../bencode/index.ts';
import { BLOCK_LENGTH, MAX_PIECE_LENGTH, MAX_PIECES } from './limits.ts';
import { sanitizeComponent } from './path.ts';
import { showPath } from './report.ts';

export interface MetainfoDraft {
  readonly name: string;
  /**
   * Paths as in `FileEntry`: the name is the first part. One file whose path is the name alone
   * makes a torrent without a folder.
   */
  readonly files: readonly { readonly path: readonly string[]; readonly length: number }[];
  /** Bytes. */
  readonly pieceLength: number;
  /** SHA-1 of each piece, 20 bytes each. */
  readonly pieces: Uint8Array;
  readonly announce?: readonly (readonly string[])[];
  readonly webSeeds?: readonly string[];
  readonly private?: boolean;
  readonly source?: string;
  readonly comment?: string;
  readonly createdBy?: string;
  /** Seconds since 1970. */
  readonly creationDate?: number;
}

/** Pieces that {@link choosePieceLength} aims at, at most. */
const USUAL_PIECES = 2048;

/** Above this a piece takes long to check and to repair, and its buffers weigh. */
const USUAL_MAX_PIECE_LENGTH: number = 16 * 2 ** 20;

/**
 * A .torrent of v1 (BEP 3), canonical.
 *
 * @throws {UsageError} for a name that readers of torrents would change: they would look for other
 *   files than those that are here.
 */
export function encodeMetainfo(draft: MetainfoDraft): Uint8Array {
  const { announce = [], webSeeds = [] } = draft;
  const trackers = announce.flat();
  return encode({
    announce: trackers[0],
    'announce-list': trackers.length > 1 ? announce : undefined,
    comment: draft.comment,
    'created by': draft.createdBy,
    'creation date': draft.creationDate,
    info: infoOf(draft),
    'url-list': webSeeds.length > 0 ? webSeeds : undefined,
  });
}

function infoOf(draft: MetainfoDraft): BencodeInput {
  const { name, files, pieceLength, pieces } = draft;
  const total = files.reduce((sum, { length }) => sum + length, 0);
  invariant(total > 0, 'a torrent has content');
  invariant(
    pieces.length === Math.ceil(total / pieceLength) * 20,
    `${pieces.length} bytes of hashes for ${total} bytes in pieces of ${pieceLength}`,
  );
  for (const { path } of files) refuseUnsafe(path, name);
  const [single] = files;
  const isSingle = files.length === 1 && single?.path.length === 1;
  return {
    files: isSingle
      ? undefined
      : files.map(({ path, length }) => ({ length, path: path.slice(1) })),
    length: isSingle ? single.length : undefined,
    name,
    'piece length': pieceLength,
    pieces,
    private: draft.private === undefined ? undefined : Number(draft.private),
    source: draft.source,
  };
}

function refuseUnsafe(path: readonly string[], name: string): void {
  invariant(path[0] === name, `${showPath(path)} lies outside of ${name}`);
  for (const part of path) {
    if (sanitizeComponent(encodeUtf8(part), { force: true }) === part) continue;
    throw new UsageError(
      `${showPath(path)} has a name that other systems cannot write; rename it to share it`,
    );
  }
}

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
