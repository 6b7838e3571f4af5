/**
 * The peer wire: BEP 3 messages, fast extension (BEP 6), extension protocol (BEP 10) with
 * ut_metadata (BEP 9), ut_pex (BEP 11), ut_holepunch (BEP 55), lt_donthave (BEP 54) and upload_only
 * (BEP 21). Pure: {@link PeerConnection} is fed with bytes and time and writes bytes.
 *
 * Not here: sockets, the choice of pieces (`select`), whom to tell of whom (`session`).
 *
 * @module
 */

export { allowedFastSet } from './allowed-fast.ts';
export { OUR_REQQ, PeerConnection } from './connection.ts';
export type { Geometry, PeerEvents } from './events.ts';
export {
  addHandshake,
  decodeExtendedHandshake,
  decodeMetadataMessage,
  type ExtendedHandshake,
  encodeExtendedHandshake,
  encodeMetadataMessage,
  METADATA_PIECE_LENGTH,
  type MetadataMessage,
} from './extended.ts';
export type { ExtensionName } from './extensions.ts';
export {
  decodeHolepunch,
  encodeHolepunch,
  HOLEPUNCH_ERROR,
  type HolepunchMessage,
} from './holepunch.ts';
export { BLOCK_LENGTH, encodePieceHeader, MESSAGE } from './messages.ts';
export { MetadataFetch } from './metadata-fetch.ts';
export { Outbox } from './outbox.ts';
export {
  decodePex,
  encodePex,
  MAX_PEX_SENT,
  MAX_PEX_TAKEN,
  PEX_FLAG,
  type PexMessage,
  type PexPeer,
} from './pex.ts';
export { peerPriority } from './priority.ts';
export { RateMeter } from './rate.ts';
export { type Copy, type WireHandler, WireParser } from './wire-parser.ts';
