/**
 * Messages of KRPC from packets, as lenient as libtorrent and jech/dht: keys stand in any order,
 * unknown ones are passed over, whatever follows the message is not looked at, and parts of a
 * response that are not as they should be are left out.
 *
 * @module
 */

import { ProtocolError } from '../../base/errors.ts';
import { decode } from '../../bencode/index.ts';
import { bounded, broken, type Envelope } from './fields.ts';
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
  const root = decode(packet, GRAMMAR);
  const transaction = bounded(root, 't', MAX_TRANSACTION_BYTES);
  if (transaction === undefined) {
    const message = `a message without a transaction "t" of 1 to ${MAX_TRANSACTION_BYTES} bytes`;
    throw broken('transaction', message, root.get('t'));
  }
  const envelope: Envelope = { transaction, version: root.get('v')?.asBytes() };
  const type = root.get('y');
  switch (type?.asText()) {
    case 'q':
      return decodeQuery(root, envelope);
    case 'r':
      return decodeResponse(root, envelope);
    case 'e':
      return decodeError(root, envelope);
    default:
      throw broken('type', 'a message whose type "y" is not "q", "r" or "e"', type);
  }
}

/** Levels and tokens as libtorrent; bytes behind the message are passed over, as it and anacrolix do. */
const GRAMMAR = { maxDepth: 10, maxTokens: 500, fullDecode: false } as const;
