/**
 * Messages of KRPC from packets, as lenient as libtorrent and jech/dht: keys stand in any order,
 * unknown ones are passed over, whatever follows the message is not looked at (so does libtorrent, so
 * does anacrolix/dht), and parts of a response that are not as they should be are left out.
 *
 * @module
 */

import { ProtocolError } from '../../base/errors.ts';
import { broken, type Envelope, Fields } from './fields.ts';
import { TOP, TOP_KEYS } from './keys.ts';
import { type KrpcMessage, MAX_TRANSACTION_BYTES } from './model.ts';
import { decodeQuery } from './query.ts';
import { decodeError, decodeResponse } from './response.ts';

/**
 * Longest packet that is looked at. BEP 32 wants 1024 bytes taken, and longer ones if possible: the
 * longest that there is a use for, an item of 1000 bytes with key, signature and nodes of both
 * families, takes about 1750.
 */
export const MAX_PACKET_BYTES = 2048;

/**
 * One message. Its bytes are views of `packet`.
 *
 * @throws {ProtocolError} when nobody could be answered and nothing is answered by it: it is not
 * bencode, beyond a limit, without transaction or type, or a response without its sender's id.
 */
export function decodeMessage(packet: Uint8Array): KrpcMessage {
  if (packet.length > MAX_PACKET_BYTES) {
    const message = `a packet of ${packet.length} bytes, more than the ${MAX_PACKET_BYTES} permitted`;
    throw new ProtocolError(message, { rule: 'BEP 32 packet size', offset: MAX_PACKET_BYTES });
  }
  const root = new Fields(packet, TOP_KEYS);
  const transaction = root.bounded(TOP.t, MAX_TRANSACTION_BYTES);
  if (transaction === undefined) {
    const message = `a message without a transaction "t" of 1 to ${MAX_TRANSACTION_BYTES} bytes`;
    throw broken('transaction', message, root.offset(TOP.t));
  }
  const envelope: Envelope = { transaction, version: root.bytes(TOP.v) };
  const type = root.fixed(TOP.y, 1)?.[0];
  switch (type) {
    case QUERY:
      return decodeQuery(root, envelope);
    case RESPONSE:
      return decodeResponse(root, envelope);
    case ERROR:
      return decodeError(root, envelope);
    default:
      throw broken('type', 'a message whose type "y" is not "q", "r" or "e"', root.offset(TOP.y));
  }
}

/** ASCII of `q`, `r` and `e`. */
const QUERY = 0x71;
const RESPONSE = 0x72;
const ERROR = 0x65;
