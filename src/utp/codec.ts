/**
 * Packets of uTP (BEP 29 "header format"). Reading and writing works on memory that is used again:
 * nothing is allocated for a packet.
 *
 * @module
 */

import { ProtocolError } from '../base/errors.ts';

/** BEP 29 "type". */
export const PACKET = { data: 0, fin: 1, state: 2, reset: 3, syn: 4 } as const;

/** Bytes in front of extensions and payload. */
export const HEADER_LENGTH = 20;

/** BEP 29 "version". */
const VERSION = 1;
const LAST_TYPE = PACKET.syn;
/** BEP 29 "Selective ACK". */
const SELECTIVE_ACK = 1;
/** A number that nobody gave a meaning to: extensions that are not known are skipped. */
const PADDING = 0x70;
/** Head of an extension: the type of the next one, and how many bytes follow. */
const EXTENSION_HEAD = 2;
const MAX_EXTENSION = 255;

/** Bytes of the longest selective ack: a multiple of 4 that one byte can tell (BEP 29). */
export const MAX_SACK_BYTES = 252;

/** What the header of a packet says, in its order. Numbers are unsigned, of 16 or 32 bits. */
export interface PacketHeader {
  type: number;
  connectionId: number;
  /** Microseconds when it was sent, modulo 2^32. */
  timestamp: number;
  /** Microseconds that the last packet of the other side took, by two clocks; 0 while there was none. */
  timestampDifference: number;
  /** Bytes that the sender has room for. */
  window: number;
  sequence: number;
  ack: number;
}

/**
 * A packet as it was read. One object is filled again and again; positions are those of the bytes
 * that were read last.
 */
export class PacketReader implements PacketHeader {
  type = 0;
  connectionId = 0;
  timestamp = 0;
  timestampDifference = 0;
  window = 0;
  sequence = 0;
  ack = 0;
  /** Where the bits of the selective ack begin; their number of bytes is 0 when there are none. */
  sackStart = 0;
  sackLength = 0;
  payloadStart = 0;

  /** @throws {ProtocolError} when `bytes` is no packet of uTP version 1. */
  read(bytes: Uint8Array): void {
    const fault = this.tryRead(bytes);
    if (fault !== undefined) {
      throw new ProtocolError(`no packet of uTP: ${fault}`, {
        rule: 'BEP 29 header format',
        offset: Math.min(bytes.length, this.payloadStart),
      });
    }
  }

  /** The same without throwing: what is wrong, or `undefined`. */
  tryRead(bytes: Uint8Array): string | undefined {
    this.payloadStart = 0;
    if (bytes.length < HEADER_LENGTH) return 'it is shorter than a header';
    const first = at(bytes, 0);
    if ((first & 0x0f) !== VERSION) return 'it has another version';
    this.type = first >>> 4;
    if (this.type > LAST_TYPE) return 'there is no such type';
    this.connectionId = uint16(bytes, 2);
    this.timestamp = uint32(bytes, 4);
    this.timestampDifference = uint32(bytes, 8);
    this.window = uint32(bytes, 12);
    this.sequence = uint16(bytes, 16);
    this.ack = uint16(bytes, 18);
    this.sackLength = 0;
    this.payloadStart = HEADER_LENGTH;
    return at(bytes, 1) === 0 ? undefined : this.#readExtensions(bytes);
  }

  #readExtensions(bytes: Uint8Array): string | undefined {
    let type = at(bytes, 1);
    let position = HEADER_LENGTH;
    while (type !== 0) {
      this.payloadStart = position;
      if (position + EXTENSION_HEAD > bytes.length) return 'an extension is cut off';
      const length = at(bytes, position + 1);
      const start = position + EXTENSION_HEAD;
      if (start + length > bytes.length) return 'an extension is cut off';
      if (type === SELECTIVE_ACK) {
        // BEP 29 wants whole words of 32 bits; libtorrent sends as many bytes as it needs.
        this.sackStart = start;
        this.sackLength = length;
      }
      type = at(bytes, position);
      position = start + length;
    }
    this.payloadStart = position;
    return undefined;
  }
}

/** Writes the header of a packet without extensions; extensions are added by the functions below. */
export function encodeHeader(into: Uint8Array, header: Readonly<PacketHeader>): void {
  into[0] = (header.type << 4) | VERSION;
  into[1] = 0;
  setUint16(into, 2, header.connectionId);
  setUint32(into, 4, header.timestamp);
  setUint32(into, 8, header.timestampDifference);
  setUint32(into, 12, header.window);
  setUint16(into, 16, header.sequence);
  setUint16(into, 18, header.ack);
}

/**
 * Room for a selective ack of `length` bytes (a multiple of 4 up to {@link MAX_SACK_BYTES}), all bits
 * clear, behind the header. Returns the length of the packet; bits are set by {@link setSackBit}.
 */
export function encodeSack(into: Uint8Array, length: number): number {
  const start = HEADER_LENGTH + EXTENSION_HEAD;
  into[1] = SELECTIVE_ACK;
  into[HEADER_LENGTH] = 0;
  into[HEADER_LENGTH + 1] = length;
  into.fill(0, start, start + length);
  return start + length;
}

/** Bit `index` stands for packet `ack` + 2 + `index`. */
export function setSackBit(packet: Uint8Array, index: number): void {
  const position = HEADER_LENGTH + EXTENSION_HEAD + (index >>> 3);
  packet[position] = at(packet, position) | (1 << (index & 7));
}

/**
 * Pads behind the header with extensions that nobody knows, `length` bytes (2 or more) in all; what
 * comes behind them is the payload. A packet of any size can be tried so without more payload in it.
 */
export function encodePadding(into: Uint8Array, length: number): void {
  into[1] = PADDING;
  for (let position = HEADER_LENGTH, left = length; left > 0; ) {
    const most = Math.min(left - EXTENSION_HEAD, MAX_EXTENSION);
    // One byte alone would be no extension.
    const size = left - EXTENSION_HEAD - most === 1 ? most - 1 : most;
    left -= EXTENSION_HEAD + size;
    into[position] = left > 0 ? PADDING : 0;
    into[position + 1] = size;
    into.fill(0, position + EXTENSION_HEAD, position + EXTENSION_HEAD + size);
    position += EXTENSION_HEAD + size;
  }
}

/** Whether a datagram looks like one of uTP: for a socket that others share. */
export function looksLikeUtp(bytes: Uint8Array): boolean {
  const first = at(bytes, 0);
  return bytes.length >= HEADER_LENGTH && (first & 0x0f) === VERSION && first >>> 4 <= LAST_TYPE;
}

function at(bytes: Uint8Array, position: number): number {
  return bytes[position] ?? 0;
}
function uint16(bytes: Uint8Array, position: number): number {
  return (at(bytes, position) << 8) | at(bytes, position + 1);
}
function uint32(bytes: Uint8Array, position: number): number {
  return ((uint16(bytes, position) << 16) | uint16(bytes, position + 2)) >>> 0;
}
function setUint16(bytes: Uint8Array, position: number, value: number): void {
  bytes[position] = value >>> 8;
  bytes[position + 1] = value;
}
function setUint32(bytes: Uint8Array, position: number, value: number): void {
  setUint16(bytes, position, value >>> 16);
  setUint16(bytes, position + 2, value & 0xffff);
}
