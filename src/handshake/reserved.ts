/** The eight reserved bytes of the handshake: which extensions a peer knows. @module */

import { formatHex } from '../base/bytes.ts';
import { invariant } from '../base/errors.ts';

/** Byte and mask of each bit that some BEP names. */
const BITS = {
  /** BEP 10 extension protocol. */
  extended: { byte: 5, mask: 0x10 },
  /** BEP 5 DHT, the peer sends PORT. */
  dht: { byte: 7, mask: 0x01 },
  /** BEP 6 fast extension. */
  fast: { byte: 7, mask: 0x04 },
  /** BEP 52: "the fourth most significant bit in the last byte". */
  v2: { byte: 7, mask: 0x10 },
} as const;

export type ReservedBit = keyof typeof BITS;

export class Reserved {
  /** 8 bytes. */
  readonly bytes: Uint8Array;
  constructor(bytes: Uint8Array) {
    invariant(bytes.length === 8, `${bytes.length} reserved bytes`);
    this.bytes = bytes;
  }
  static of(...names: readonly ReservedBit[]): Reserved {
    const bytes = new Uint8Array(8);
    for (const name of names)
      bytes[BITS[name].byte] = (bytes[BITS[name].byte] ?? 0) | BITS[name].mask;
    return new Reserved(bytes);
  }
  has(name: ReservedBit): boolean {
    return ((this.bytes[BITS[name].byte] ?? 0) & BITS[name].mask) !== 0;
  }
  /** The names of the bits set, in the order of the table. */
  get names(): readonly string[] {
    return Object.entries(BITS)
      .filter(([, { byte, mask }]) => ((this.bytes[byte] ?? 0) & mask) !== 0)
      .map(([name]) => name);
  }
  get hex(): string {
    return formatHex(this.bytes);
  }
}
