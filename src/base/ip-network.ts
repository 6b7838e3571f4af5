/** Networks of addresses as text: CIDR (RFC 4632). @module */

import { parseIp } from './ip.ts';

/** An address and how many of its leading bits count. */
export interface AddressNetwork {
  /** 4 or 16 bytes; those behind the prefix are zeros. */
  readonly address: Uint8Array;
  readonly prefixLength: number;
}

/**
 * `10.0.0.0/8`, `2001:db8::/32`, or one address; bits behind the prefix do not count. IPv4 addresses
 * written as IPv6 (`::ffff:10.0.0.0/104`) count as IPv4. `undefined` for anything else.
 */
export function parseNetwork(text: string): AddressNetwork | undefined {
  const [host = '', digits, ...rest] = text.split('/');
  const address = parseIp(host);
  if (address === undefined || rest.length > 0) return undefined;
  const bits = 8 * address.length;
  const prefixLength = digits === undefined ? bits : parsePrefix(digits);
  if (prefixLength === undefined || prefixLength > bits) return undefined;
  const mapped = prefixLength >= MAPPED_BITS && isMapped(address);
  return mapped
    ? {
        address: cut(address.subarray(12), prefixLength - MAPPED_BITS),
        prefixLength: prefixLength - MAPPED_BITS,
      }
    : { address: cut(address, prefixLength), prefixLength };
}

/** The last address of a network. */
export function lastOf({ address, prefixLength }: AddressNetwork): Uint8Array {
  return address.map((byte, at) => byte | (0xff & ~maskOf(prefixLength, at)));
}

function parsePrefix(digits: string): number | undefined {
  return /^\d{1,3}$/.test(digits) ? Number(digits) : undefined;
}

function isMapped(address: Uint8Array): boolean {
  return address.every((byte, at) => at >= 12 || byte === (at >= 10 ? 0xff : 0));
}

/** `address` with zeros behind the prefix. */
function cut(address: Uint8Array, prefixLength: number): Uint8Array {
  return address.map((byte, at) => byte & maskOf(prefixLength, at));
}

/** The bits of byte `at` that the prefix covers. */
function maskOf(prefixLength: number, at: number): number {
  const covered = Math.min(8, Math.max(0, prefixLength - 8 * at));
  return (0xff00 >>> covered) & 0xff;
}

/** Bits before the IPv4 address in `::ffff:0:0/96` (RFC 4291 §2.5.5.2). */
const MAPPED_BITS = 96;
