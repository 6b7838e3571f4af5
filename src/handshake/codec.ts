/** The 68 bytes that open every peer connection (BEP 3 "peer protocol"). @module */

import { concatBytes, encodeUtf8, equalBytes } from '../base/bytes.ts';
import { ProtocolError } from '../base/errors.ts';
import { PeerId } from '../base/ids.ts';
import { Reserved } from './reserved.ts';

/** BEP 3: the length byte 19 and the protocol's name. */
export const PROTOCOL: Uint8Array = concatBytes(
  Uint8Array.of(19),
  encodeUtf8('BitTorrent protocol'),
);

/** Whole handshake: name (20), reserved (8), infohash (20), peer id (20). */
export const HANDSHAKE_LENGTH = 68;
const RESERVED_AT = 20;
const INFO_HASH_AT = 28;
/** Everything but the peer id: enough for the side that was called to answer. */
const PEER_ID_AT = 48;

export interface Handshake {
  readonly reserved: Reserved;
  /** 20 bytes: the v1 infohash, or the v2 infohash cut (BEP 52). */
  readonly infoHash: Uint8Array;
  readonly peerId: PeerId;
}

/** The 68 bytes. */
export function encodeHandshake({ reserved, infoHash, peerId }: Handshake): Uint8Array {
  return concatBytes(PROTOCOL, reserved.bytes, infoHash, peerId.bytes);
}

/** @throws {ProtocolError} another protocol or not exactly 68 bytes. */
export function decodeHandshake(bytes: Uint8Array): Handshake {
  const reader = new HandshakeReader();
  if (reader.feed(bytes) !== bytes.length || reader.handshake === undefined) {
    throw new ProtocolError(`a handshake of ${bytes.length} bytes, expected ${HANDSHAKE_LENGTH}`, {
      rule: 'BEP 3 handshake length',
      offset: Math.min(bytes.length, HANDSHAKE_LENGTH),
    });
  }
  return reader.handshake;
}

/**
 * Push parser of one handshake. Never takes a byte that stands behind it, and refuses another
 * protocol at the first byte that differs.
 */
export class HandshakeReader {
  readonly #bytes = new Uint8Array(HANDSHAKE_LENGTH);
  #filled = 0;

  /**
   * Takes what belongs to the handshake and returns how many bytes that was.
   * @throws {ProtocolError} when another protocol is spoken.
   */
  feed(bytes: Uint8Array): number {
    const taken = Math.min(bytes.length, HANDSHAKE_LENGTH - this.#filled);
    this.#bytes.set(bytes.subarray(0, taken), this.#filled);
    const before = this.#filled;
    this.#filled += taken;
    if (before < RESERVED_AT) this.#checkProtocol(before);
    return taken;
  }

  /** Known once 48 bytes are there, before the peer id. */
  get infoHash(): Uint8Array | undefined {
    return this.#filled >= PEER_ID_AT ? this.#bytes.slice(INFO_HASH_AT, PEER_ID_AT) : undefined;
  }

  /** The whole, once 68 bytes are there. */
  get handshake(): Handshake | undefined {
    if (this.#filled < HANDSHAKE_LENGTH) return undefined;
    return {
      reserved: new Reserved(this.#bytes.slice(RESERVED_AT, INFO_HASH_AT)),
      infoHash: this.#bytes.slice(INFO_HASH_AT, PEER_ID_AT),
      peerId: new PeerId(this.#bytes.subarray(PEER_ID_AT)),
    };
  }

  #checkProtocol(from: number): void {
    const to = Math.min(this.#filled, RESERVED_AT);
    if (equalBytes(this.#bytes.subarray(from, to), PROTOCOL.subarray(from, to))) return;
    throw new ProtocolError('the peer does not speak the BitTorrent protocol in plain text', {
      rule: 'BEP 3 handshake protocol',
      offset: from,
    });
  }
}
