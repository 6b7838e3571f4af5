/** Ids that follow from addresses, so that nobody can choose where in the DHT to stand (BEP 42). @module */

import { crc32c } from '../base/crc32c.ts';
import { scopeOfIp } from '../base/ip-scope.ts';
import type { Random } from '../runtime/ports.ts';
import { ID_BYTES } from './distance.ts';

/**
 * An id for a node at `ip` (4 or 16 bytes, as others see it). `seed` (0 to 255) becomes its last byte,
 * whose low three bits choose one of eight prefixes; it is random when left out.
 */
export function makeSecureId(ip: Uint8Array, random: Random, seed?: number): Uint8Array {
  const id = Uint8Array.from(random.bytes(ID_BYTES));
  const last = (seed ?? id[ID_BYTES - 1] ?? 0) & 0xff;
  const hash = hashOf(ip, last);
  id[0] = hash >>> 24;
  id[1] = hash >>> 16;
  id[2] = ((hash >>> 8) & THIRD_MASK) | ((id[2] ?? 0) & ~THIRD_MASK);
  id[ID_BYTES - 1] = last;
  return id;
}

/** Whether a node at `ip` (4 or 16 bytes) may have this id: it follows from the address, or need not. */
export function isSecureId(id: Uint8Array, ip: Uint8Array): boolean {
  if (isExempt(ip)) return true;
  const hash = hashOf(ip, id[ID_BYTES - 1] ?? 0);
  const difference = (((id[0] ?? 0) << 24) | ((id[1] ?? 0) << 16) | ((id[2] ?? 0) << 8)) ^ hash;
  return difference >>> (32 - PREFIX_BITS) === 0;
}

/**
 * Whether any id is right at `ip` (4 or 16 bytes). BEP 42 names the private networks of IPv4; whatever
 * else is not of the internet is treated alike, since its address there is another one.
 */
export function isExempt(ip: Uint8Array): boolean {
  return scopeOfIp(ip) !== 'global';
}

/** The first bits of the hash are those of the id. */
function hashOf(ip: Uint8Array, seed: number): number {
  const mask = ip.length === 4 ? MASK4 : MASK6;
  const masked = Uint8Array.from(mask, (bits, at) => (ip[at] ?? 0) & bits);
  masked[0] = (masked[0] ?? 0) | ((seed & 7) << 5);
  return crc32c(masked);
}

const PREFIX_BITS = 21;
/** Bits of the third byte that belong to the prefix. */
const THIRD_MASK = 0xf8;
const MASK4 = Uint8Array.of(0x03, 0x0f, 0x3f, 0xff);
/** Of IPv6 the upper half counts. */
const MASK6 = Uint8Array.of(0x01, 0x03, 0x07, 0x0f, 0x1f, 0x3f, 0x7f, 0xff);
