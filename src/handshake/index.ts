/**
 * The handshake of peer connections: BEP 3 (the 68 bytes), reserved bits of BEP 4, peer ids and whose
 * they are (BEP 20). `mse/`: the encryption around it.
 *
 * Pure: whoever owns the stream feeds {@link HandshakeReader} and sends what {@link encodeHandshake}
 * makes. Bytes behind the handshake are never taken, so that the wire parser can go on with them.
 *
 * @module
 */

export {
  type ClientIdentity,
  formatClient,
  identifyClient,
  otherClient,
  type PeerIdStyle,
  showPeerId,
} from './clients.ts';
export {
  decodeHandshake,
  encodeHandshake,
  HANDSHAKE_LENGTH,
  type Handshake,
  HandshakeReader,
} from './codec.ts';
export {
  clientRule,
  type HandshakeFacts,
  HandshakeFilter,
  type HandshakeRule,
} from './filter.ts';
export {
  type Agreement,
  CipherBuffers,
  hiddenName,
  type Method,
  type MseContext,
  MseStream,
} from './mse/index.ts';
export { makePeerId, OUR_VERSION, peerIdPrefix } from './peer-ids.ts';
export { Reserved, type ReservedBit, type ReservedFeature } from './reserved.ts';
