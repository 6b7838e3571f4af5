/**
 * The peer wire: BEP 3 messages, fast extension (BEP 6), extension protocol (BEP 10) with
 * ut_metadata (BEP 9). Pure: {@link PeerConnection} is fed with bytes and time and writes bytes.
 *
 * Not here: sockets, the choice of pieces and of peers (`select`), PEX and other extensions.
 *
 * @module
 */

export { ALLOWED_FAST_COUNT, allowedFastSet } from './allowed-fast.ts';
export {
  type Geometry,
  OUR_REQQ,
  PeerConnection,
  type PeerEvents,
} from './connection.ts';
export {
  decodeExtendedHandshake,
  decodeMetadataMessage,
  type ExtendedHandshake,
  encodeExtendedHandshake,
  encodeMetadataMessage,
  MAX_METADATA_LENGTH,
  METADATA_PIECE_LENGTH,
  type MetadataMessage,
} from './extended.ts';
export { BLOCK_LENGTH, encodePieceHeader, MESSAGE } from './messages.ts';
export { MetadataFetch } from './metadata-fetch.ts';
export { OpenRequests } from './open-requests.ts';
export { Outbox } from './outbox.ts';
export { RateMeter } from './rate.ts';
export { type WireHandler, WireParser } from './wire-parser.ts';
