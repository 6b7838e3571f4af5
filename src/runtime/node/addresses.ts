/** Addresses as the system writes them and as bip does. @module */

import { isIPv4, isIPv6 } from 'node:net';
import type { Endpoint } from '../../base/endpoint.ts';

const MAPPED = '::ffff:';

/** IPv4 in IPv6 (`::ffff:10.0.0.1`, as sockets of both families report it) becomes IPv4. */
export function plainHost(address: string): string {
  if (!address.startsWith(MAPPED)) return address;
  const host = address.slice(MAPPED.length);
  return isIPv4(host) ? host : address;
}

/** The form in which a socket of both families takes an IPv4 address. */
export function mappedHost(host: string): string {
  return host.includes(':') ? host : MAPPED + host;
}

export function plainEndpoint(address: string | undefined, port: number | undefined): Endpoint {
  return { host: plainHost(address ?? ''), port: port ?? 0 };
}

/** 4 or 6 for a literal address, with or without a zone (`fe80::1%eth0`); `undefined` for a name. */
export function literalFamily(host: string): 4 | 6 | undefined {
  if (isIPv4(host)) return 4;
  return isIPv6(host) ? 6 : undefined;
}
