/**
 * Messages of the peer wire: BEP 3, the fast extension (BEP 6), PORT (BEP 5) and the frame of the
 * extension protocol (BEP 10). Every message is a 32-bit length, an id byte and a payload.
 *
 * @module
 */

/** Message ids: BEP 3 0–8, BEP 5 9, BEP 6 13–17, BEP 10 20. */
export const MESSAGE = {
  choke: 0,
  unchoke: 1,
  interested: 2,
  notInterested: 3,
  have: 4,
  bitfield: 5,
  request: 6,
  piece: 7,
  cancel: 8,
  port: 9,
  suggest: 13,
  haveAll: 14,
  haveNone: 15,
  reject: 16,
  allowedFast: 17,
  extended: 20,
} as const;

/** Bytes of a block; BEP 3 "all current implementations use 2^14". */
export const BLOCK_LENGTH = 16_384;

export type PlainMessage =
  | 'choke'
  | 'unchoke'
  | 'interested'
  | 'notInterested'
  | 'haveAll'
  | 'haveNone';
export type PieceMessage = 'have' | 'suggest' | 'allowedFast';
export type BlockMessage = 'request' | 'cancel' | 'reject';

/** Bytes in front of a block: length, id, index, begin. */
const PIECE_HEADER_LENGTH = 13;
/** Bytes of a request, cancel or reject. */
export const BLOCK_MESSAGE_LENGTH = 17;

/** Header of a piece message; the block follows it on the wire. */
export function encodePieceHeader(piece: number, begin: number, length: number): Uint8Array {
  const bytes = new Uint8Array(PIECE_HEADER_LENGTH);
  writeUint32(bytes, 0, 9 + length);
  bytes[4] = MESSAGE.piece;
  writeUint32(bytes, 5, piece);
  writeUint32(bytes, 9, begin);
  return bytes;
}

/** Writes at `at` without a view object: this is on the hot path. */
export function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = (value >>> 16) & 0xff;
  bytes[at + 2] = (value >>> 8) & 0xff;
  bytes[at + 3] = value & 0xff;
}

/** Unsigned, big endian. The caller has checked the length. */
export function readUint32(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] ?? 0) << 24) |
      ((bytes[at + 1] ?? 0) << 16) |
      ((bytes[at + 2] ?? 0) << 8) |
      (bytes[at + 3] ?? 0)) >>>
    0
  );
}
