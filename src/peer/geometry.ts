/** Which blocks there are in a torrent, and which may be asked for. @module */

import type { Geometry } from './events.ts';
import { BLOCK_LENGTH } from './messages.ts';

/** Larger requests are refused (BEP 3 names 2^17 as the largest ever seen). */
const MAX_REQUEST_LENGTH = 131_072;

/** Whether there is such a part of a piece, and it is not too long to be sent at once. */
export function isSensibleRequest(
  geometry: Geometry | undefined,
  request: { readonly piece: number; readonly begin: number; readonly length: number },
): boolean {
  const { piece, begin, length } = request;
  if (geometry === undefined || piece >= geometry.pieceCount) return false;
  const end = geometry.pieceSize(piece);
  return length > 0 && length <= MAX_REQUEST_LENGTH && begin + length <= end;
}

/** Bytes of the block that begins there; -1 when none does. */
export function blockLengthAt(
  geometry: Geometry | undefined,
  piece: number,
  begin: number,
): number {
  if (geometry === undefined || piece >= geometry.pieceCount) return -1;
  if (begin % BLOCK_LENGTH !== 0) return -1;
  return Math.min(BLOCK_LENGTH, geometry.pieceSize(piece) - begin);
}
