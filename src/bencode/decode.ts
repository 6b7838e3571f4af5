/** From bytes to a value. @module */

import { BencodeNode } from './node.ts';
import type { DecodeOptions } from './options.ts';
import { Scanner } from './scanner.ts';

/**
 * Decodes one value. Nothing is copied: nodes are views of `bytes`.
 *
 * By default forms that BEP 3 forbids but whose meaning is clear are accepted (leading zeros,
 * unsorted keys); duplicate keys and `-0` never are. BEP 3 sets integers no limit: those beyond 64
 * bits, which no other implementation reads, are accepted as well, and refused by `strict`.
 *
 * @throws {ProtocolError} code `BIP_BENCODE`, with the rule broken and the offset.
 */
export function decode(bytes: Uint8Array, options: DecodeOptions = {}): BencodeNode {
  return new BencodeNode(new Scanner(bytes, options).scan(), 0);
}
