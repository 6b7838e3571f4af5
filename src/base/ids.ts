/**
 * The 20- and 32-byte names of the protocol: torrents (BEP 3, BEP 52), peers (BEP 3, BEP 20) and
 * DHT nodes (BEP 5).
 *
 * @module
 */

import { parseBase32 } from './base32.ts';
import { equalBytes, formatHex, parseHex } from './bytes.ts';
import { InvariantError } from './errors.ts';

/** A byte string of fixed length that names something. Immutable. */
abstract class Id {
  readonly bytes: Uint8Array;
  /** Lower-case hex of `bytes`; the form for output and for keys of maps. */
  readonly hex: string;
  constructor(bytes: Uint8Array, lengths: readonly number[]) {
    if (!lengths.includes(bytes.length)) {
      throw new InvariantError(`an id of ${bytes.length} bytes, expected ${lengths.join(' or ')}`);
    }
    this.bytes = bytes.slice();
    this.hex = formatHex(this.bytes);
  }
  equals(other: Id): boolean {
    return equalBytes(this.bytes, other.bytes);
  }
  toString(): string {
    return this.hex;
  }
}

/** SHA-1 (20 bytes, v1) or SHA-256 (32 bytes, v2) of the raw `info` dictionary. */
export class InfoHash extends Id {
  constructor(bytes: Uint8Array) {
    super(bytes, [20, 32]);
  }
  /** `v1` for 20 bytes, `v2` for 32. */
  get version(): 'v1' | 'v2' {
    return this.bytes.length === 20 ? 'v1' : 'v2';
  }
  /** The 20 bytes used in handshakes, trackers and the DHT; a v2 hash is cut (BEP 52). */
  get wire(): Uint8Array {
    return this.bytes.subarray(0, 20);
  }
}

/** The 20 bytes with which a peer introduces itself (BEP 3, BEP 20). */
export class PeerId extends Id {
  constructor(bytes: Uint8Array) {
    super(bytes, [20]);
  }
}

/** A node of the DHT (BEP 5). */
export class NodeId extends Id {
  constructor(bytes: Uint8Array) {
    super(bytes, [20]);
  }
}

/** An infohash as people write it: 40 or 64 hex digits, or 32 characters of base32; else `undefined`. */
export function parseInfoHash(text: string): InfoHash | undefined {
  const bytes =
    text.length === 40 || text.length === 64
      ? parseHex(text)
      : text.length === 32
        ? parseBase32(text)
        : undefined;
  return bytes === undefined ? undefined : new InfoHash(bytes);
}
