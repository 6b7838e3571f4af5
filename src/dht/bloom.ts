/** Counting peers that several nodes know, by Bloom filters of their addresses (BEP 33). @module */

import { invariant } from '../base/errors.ts';
import { sha1 } from '../base/sha.ts';

/** Bytes of a filter in a message. */
export const BLOOM_BYTES = 256;

/** A filter with two bits for each address. */
export class PeerBloom {
  /** {@link BLOOM_BYTES} of them, as in a message. */
  readonly bytes: Uint8Array;

  /** Empty, or a copy of the filter of a message, of {@link BLOOM_BYTES}. */
  constructor(bytes?: Uint8Array) {
    invariant(bytes === undefined || bytes.length === BLOOM_BYTES, 'a bloom has 256 bytes');
    this.bytes = new Uint8Array(BLOOM_BYTES);
    if (bytes !== undefined) this.bytes.set(bytes);
  }

  /** Adds an address of 4 or 16 bytes. */
  insert(ip: Uint8Array): void {
    this.insertPlaces(placesOf(ip));
  }

  /** Adds an address by what {@link placesOf} gave for it. */
  insertPlaces(places: number): void {
    const { bytes } = this;
    const first = places & PLACE_MASK;
    const second = places >>> PLACE_BITS;
    bytes[first >>> 3] = (bytes[first >>> 3] ?? 0) | (1 << (first & 7));
    bytes[second >>> 3] = (bytes[second >>> 3] ?? 0) | (1 << (second & 7));
  }

  /** True for every address that was added, and for some that were not. */
  has(ip: Uint8Array): boolean {
    const places = placesOf(ip);
    return this.#isSet(places & PLACE_MASK) && this.#isSet(places >>> PLACE_BITS);
  }

  /** Adds all addresses of another filter. */
  merge(other: PeerBloom): void {
    const { bytes } = this;
    for (let at = 0; at < BLOOM_BYTES; at++) bytes[at] = (bytes[at] ?? 0) | (other.bytes[at] ?? 0);
  }

  /**
   * About how many addresses were added. It means little beyond some 6,000, and a full filter counts as
   * 7,806. The BEP's formula takes an empty one for half an address; here it is none.
   */
  estimate(): number {
    let zeros = 0;
    for (const byte of this.bytes) {
      for (let bits = byte ^ 0xff; bits !== 0; bits &= bits - 1) zeros++;
    }
    return Math.log(BITS / Math.max(1, zeros)) / (-2 * Math.log1p(-1 / BITS));
  }

  #isSet(place: number): boolean {
    return (((this.bytes[place >>> 3] ?? 0) >>> (place & 7)) & 1) === 1;
  }
}

/** The two bits of an address of 4 or 16 bytes, each in 11 bits of the result. */
export function placesOf(ip: Uint8Array): number {
  const hash = sha1(ip);
  const first = ((hash[0] ?? 0) | ((hash[1] ?? 0) << 8)) & PLACE_MASK;
  const second = ((hash[2] ?? 0) | ((hash[3] ?? 0) << 8)) & PLACE_MASK;
  return first | (second << PLACE_BITS);
}

const BITS = 8 * BLOOM_BYTES;
const PLACE_BITS = 11;
const PLACE_MASK = BITS - 1;
