/**
 * Canonical peer priority (BEP 40): a number on which both ends of a connection agree, and which nobody
 * can choose, so that a swarm is well mixed and whoever has few addresses gets few places.
 *
 * @module
 */

import { compareBytes, concatBytes, equalBytes } from '../base/bytes.ts';
import { crc32c } from '../base/crc32c.ts';
import type { Endpoint } from '../base/endpoint.ts';
import { parseIp } from '../base/ip.ts';

/**
 * 0 to 2^32 − 1, the higher the better, whichever way round the two are given; `undefined` for names
 * and addresses of different families. Ports matter only between equal addresses.
 */
export function peerPriority(a: Endpoint, b: Endpoint): number | undefined {
  const [first, second] = [parseIp(a.host), parseIp(b.host)];
  if (first === undefined || second === undefined || first.length !== second.length) {
    return undefined;
  }
  if (equalBytes(first, second)) return hashOf(portBytes(a.port), portBytes(b.port));
  const kept = keptBytes(first, second);
  return hashOf(masked(first, kept), masked(second, kept));
}

/**
 * How many leading bytes count in full. Of IPv4 those up to the first that differs, two at least. Of
 * IPv6 six at least, and one more than the BEP's text would have it: so counts libtorrent, from which the
 * BEP comes, and a priority is worth something only when both sides come to the same.
 */
function keptBytes(a: Uint8Array, b: Uint8Array): number {
  const differing = a.findIndex((byte, at) => byte !== b[at]);
  return a.length === 4 ? Math.max(differing + 1, 2) : Math.max(differing + 2, 6);
}

/** Of the bytes behind the prefix every second bit counts: neighbours are alike. */
function masked(ip: Uint8Array, kept: number): Uint8Array {
  return ip.map((byte, at) => (at < kept ? byte : byte & 0x55));
}

function portBytes(port: number): Uint8Array {
  return Uint8Array.of(port >>> 8, port & 0xff);
}

function hashOf(a: Uint8Array, b: Uint8Array): number {
  return crc32c(compareBytes(a, b) < 0 ? concatBytes(a, b) : concatBytes(b, a));
}
