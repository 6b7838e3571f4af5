/** How far an address reaches: this machine, a private network, or the internet (RFC 6890). @module */

import { parseIp } from './ip.ts';

/** `global` is everything that is not known to be nearer. */
export type IpScope = 'loopback' | 'local' | 'global';

/**
 * Scope of a literal address; `undefined` for a name. Unspecified addresses reach this machine and
 * count as loopback; IPv6 addresses that carry an IPv4 address count as that one.
 */
export function ipScope(address: string): IpScope | undefined {
  const bytes = parseIp(address);
  return bytes === undefined ? undefined : scopeOfIp(bytes);
}

/** The same for the 4 or 16 bytes of an address. */
export function scopeOfIp(bytes: Uint8Array): IpScope {
  if (bytes.length === 16) {
    const carrier = CARRIERS.find((prefix) => startsWith(bytes, prefix));
    if (carrier !== undefined) return scopeOfIp(bytes.subarray(carrier.bytes.length));
  }
  const table = bytes.length === 4 ? V4 : V6;
  return table.find((prefix) => startsWith(bytes, prefix))?.scope ?? 'global';
}

interface Prefix {
  /** Leading bytes, the last one compared under `mask` (all bits by default). */
  readonly bytes: readonly number[];
  readonly mask?: number;
}

function startsWith(address: Uint8Array, { bytes, mask = 0xff }: Prefix): boolean {
  return bytes.every(
    (byte, at) => ((address[at] ?? 0) & (at === bytes.length - 1 ? mask : 0xff)) === byte,
  );
}

const V4: readonly (Prefix & { readonly scope: IpScope })[] = [
  { bytes: [127], scope: 'loopback' },
  { bytes: [0], scope: 'loopback' }, // RFC 1122 §3.2.1.3, "this host"
  { bytes: [10], scope: 'local' }, // RFC 1918
  { bytes: [172, 16], mask: 0xf0, scope: 'local' },
  { bytes: [192, 168], scope: 'local' },
  { bytes: [100, 64], mask: 0xc0, scope: 'local' }, // RFC 6598, shared by carriers
  { bytes: [169, 254], scope: 'local' }, // RFC 3927, link-local; metadata services of clouds
  { bytes: [224], mask: 0xe0, scope: 'local' }, // Multicast, reserved, broadcast
];

const V6: readonly (Prefix & { readonly scope: IpScope })[] = [
  { bytes: [0xfc], mask: 0xfe, scope: 'local' }, // RFC 4193, unique local
  { bytes: [0xfe, 0x80], mask: 0x80, scope: 'local' }, // RFC 4291 §2.5.6, link-local and what was site-local
  { bytes: [0xff], scope: 'local' }, // Multicast
];

/** Prefixes of 96 bits before an IPv4 address. `::` and `::1` read as 0.0.0.0 and 0.0.0.1. */
const CARRIERS: readonly Prefix[] = [
  { bytes: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff] }, // RFC 4291 §2.5.5.2, mapped
  { bytes: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] }, // RFC 4291 §2.5.5.1, compatible
  { bytes: [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0] }, // RFC 6052 §2.1, NAT64
];
