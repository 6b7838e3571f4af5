/**
 * The handshake of peer connections: BEP 3 (the 68 bytes), reserved bits of BEP 5, 6, 10 and 52,
 * peer ids of BEP 20. `mse/`: the encryption around it.
 *
 * Pure: whoever owns the stream feeds {@link HandshakeReader} and sends what {@link encodeHandshake}
 * makes. Bytes behind the handshake are never taken, so that the wire parser can go on with them.
 *
 * @module
 */

export {
  decodeHandshake,
  encodeHandshake,
  HANDSHAKE_LENGTH,
  type Handshake,
  HandshakeReader,
} from './codec.ts';
export {
  type Agreement,
  CipherBuffers,
  hiddenName,
  type Method,
  type MseContext,
  MseStream,
} from './mse/index.ts';
export { makePeerId, peerIdPrefix } from './peer-ids.ts';
export { Reserved, type ReservedBit } from './reserved.ts';
