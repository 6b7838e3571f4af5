/** Pieces: how long, how many, and their SHA-1 hashes (BEP 3, BEP 52). @module */

import type { Fields, FileDraft } from './attributes.ts';
import { BLOCK_LENGTH, MAX_PIECE_LENGTH, MAX_PIECES } from './limits.ts';
import type { Version } from './metainfo.ts';
import { refuse } from './report.ts';

const V1_HASH_LENGTH = 20;

/** @throws {ProtocolError} for what is no length, or none that v2 permits. */
export function readPieceLength(fields: Fields, isV2: boolean, offset: number): number {
  const length = fields.get('piece length')?.asNumber();
  if (length === undefined || length < 1 || length > MAX_PIECE_LENGTH) {
    throw refuse('PIECE_LENGTH', `piece length has to be a number from 1 to ${MAX_PIECE_LENGTH}`, {
      rule: 'BEP 3 piece length',
      offset,
    });
  }
  if (isV2 && (length < BLOCK_LENGTH || (length & (length - 1)) !== 0)) {
    throw refuse('PIECE_LENGTH', `piece length ${length} is no power of two from 16384 on`, {
      rule: 'BEP 52 piece length',
      offset,
    });
  }
  return length;
}

/** @throws {ProtocolError} beyond {@link MAX_PIECES}. */
export function countPieces(files: readonly FileDraft[], pieceLength: number): number {
  let end = 0;
  for (const { offset, length } of files) if (length > 0) end = offset + length;
  const count = Math.ceil(end / pieceLength);
  if (count <= MAX_PIECES) return count;
  throw refuse('LIMIT', `the torrent has ${count} pieces; bip takes up to ${MAX_PIECES}`, {
    rule: 'limit of pieces',
  });
}

/** Hashes that stand in a v2 torrent without being of use still have to be as many as pieces. */
export function readPieces(
  fields: Fields,
  wanted: { readonly version: Version; readonly pieceCount: number; readonly offset: number },
): Uint8Array | undefined {
  const { version, pieceCount, offset } = wanted;
  const pieces = fields.get('pieces')?.asBytes();
  if (pieces === undefined && version === 'v2') return undefined;
  if (pieces === undefined) {
    throw refuse('PIECES', 'the hashes of the pieces are missing', {
      rule: 'BEP 3 pieces',
      offset,
    });
  }
  if (pieces.length !== pieceCount * V1_HASH_LENGTH) {
    const message = `${pieces.length} bytes are not the hashes of ${pieceCount} pieces, 20 bytes each`;
    throw refuse('PIECES', message, { rule: 'BEP 3 pieces', offset });
  }
  return version === 'v2' ? undefined : pieces;
}
