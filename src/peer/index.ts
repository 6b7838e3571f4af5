/**
 * The peer wire: BEP 3 messages, fast extension (BEP 6), extension protocol (BEP 10) with
 * ut_metadata (BEP 9). Pure: {@link PeerConnection} is fed with bytes and time and writes bytes.
 *
 * Not here: sockets, the choice of pieces and of peers (`select`), PEX and other extensions.
 *
 * @module
 */

export { allowedFastSet } from './allowed-fast.ts';
export { OUR_REQQ, PeerConnection } from './connection.ts';
export type { Geometry, PeerEvents } from './events.ts';
export {
  decodeExtendedHandshake,
  decodeMetadataMessage,
  type ExtendedHandshake,
  encodeExtendedHandshake,
  encodeMetadataMessage,
  METADATA_PIECE_LENGTH,
  type MetadataMessage,
} from './extended.ts';
export { BLOCK_LENGTH, encodePieceHeader, MESSAGE } from './messages.ts';
export { MetadataFetch } from './metadata-fetch.ts';
export { Outbox } from './outbox.ts';
export { RateMeter } from './rate.ts';
export { type Copy, type WireHandler, WireParser } from './wire-parser.ts';
