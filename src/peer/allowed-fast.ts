/** The allowed fast set of BEP 6: pieces that a choked peer may ask for. @module */

import { concatBytes } from '../base/bytes.ts';
import { parseIp } from '../base/ip.ts';
import { sha1 } from '../base/sha.ts';
import { readUint32 } from './messages.ts';

/** BEP 6 "Allowed Fast Set Generation"; libtorrent and BEP use about this many. */
const ALLOWED_FAST_COUNT = 10;

/**
 * The same set for everybody who knows address, infohash and number of pieces. Empty for IPv6, for
 * which the BEP gives no rule.
 *
 * @param infoHash 20 bytes
 */
export function allowedFastSet(
  ip: string,
  infoHash: Uint8Array,
  pieceCount: number,
  count: number = ALLOWED_FAST_COUNT,
): number[] {
  const address = parseIp(ip);
  if (address === undefined || address.length !== 4) return [];
  const wanted = Math.min(count, pieceCount);
  const set = new Set<number>();
  // Neighbours in a /24 get the same set, so that changing address gains nothing.
  let x: Uint8Array = concatBytes(address.subarray(0, 3), new Uint8Array(1), infoHash);
  while (set.size < wanted) {
    x = sha1(x);
    for (let at = 0; at < 20 && set.size < wanted; at += 4) set.add(readUint32(x, at) % pieceCount);
  }
  return [...set];
}
