/** The eight reserved bytes of the handshake: which extensions a peer knows. @module */

import { formatHex } from '../base/bytes.ts';
import { invariant } from '../base/errors.ts';

/** Byte and mask of each bit that BEP 4 or another one names, and what it is for people. */
const BITS = {
  'azureus-messaging': { byte: 0, mask: 0x80, title: 'Azureus messaging' },
  'location-aware': { byte: 2, mask: 0x08, title: 'location-aware protocol' },
  extended: { byte: 5, mask: 0x10, title: 'extension protocol (BEP 10)' },
  /** Two bits: which of the extension protocols is liked better. */
  negotiation: { byte: 5, mask: 0x03, title: 'extension negotiation' },
  /** The peer sends PORT. */
  dht: { byte: 7, mask: 0x01, title: 'DHT (BEP 5)' },
  'xbt-peer-exchange': { byte: 7, mask: 0x02, title: 'XBT peer exchange' },
  fast: { byte: 7, mask: 0x04, title: 'fast extension (BEP 6)' },
  'nat-traversal': { byte: 7, mask: 0x08, title: 'NAT traversal' },
  /** BEP 52: "the fourth most significant bit in the last byte". */
  v2: { byte: 7, mask: 0x10, title: 'v2 (BEP 52)' },
} as const;

export type ReservedBit = keyof typeof BITS;

/** What one or more bits mean. */
export interface ReservedFeature {
  /** Stable, e.g. `dht`; bits that nothing names are `bit-0` to `bit-63`, the highest of the first byte is 0. */
  readonly name: string;
  /** For people, with the BEP. */
  readonly title: string;
}

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
  /** All that is set, in the order of the bytes; what no BEP names by its position. */
  get features(): readonly ReservedFeature[] {
    const rest = this.bytes.slice();
    const features: ReservedFeature[] = [];
    // BitComet's own extensions: instead of bits, two letters that collide with Azureus messaging (BEP 4).
    if (rest[0] === 0x65 && rest[1] === 0x78) {
      features.push({ name: 'bitcomet', title: 'BitComet extensions' });
      rest.fill(0, 0, 2);
    }
    for (const [name, { byte, mask, title }] of Object.entries(BITS)) {
      const value = rest[byte] ?? 0;
      if ((value & mask) !== 0) features.push({ name, title });
      rest[byte] = value & ~mask;
    }
    for (let bit = 0; bit < 64; bit++) {
      if (((rest[bit >>> 3] ?? 0) & (0x80 >>> (bit & 7))) === 0) continue;
      features.push({ name: `bit-${bit}`, title: `unknown bit ${bit}` });
    }
    return features;
  }
  /** The names of {@link features}. */
  get names(): readonly string[] {
    return this.features.map(({ name }) => name);
  }
  get hex(): string {
    return formatHex(this.bytes);
  }
}
