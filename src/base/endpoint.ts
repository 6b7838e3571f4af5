/**
 * Addresses with ports, as text and in the compact forms of BEP 23 (6 bytes, IPv4) and BEP 7
 * (18 bytes, IPv6). The one parser of compact addresses for trackers, PEX and the DHT.
 *
 * @module
 */

import { ProtocolError } from './errors.ts';
import { formatIp, ipFamily, parseIp } from './ip.ts';

export interface Endpoint {
  /** A literal IPv4 or IPv6 address without brackets; a name only before it was looked up. */
  readonly host: string;
  readonly port: number;
}

/** Bytes of one compact entry by family: BEP 23 and BEP 7. */
export const COMPACT_LENGTH = { 4: 6, 6: 18 } as const;

/** `host:port`, IPv6 in brackets. */
export function formatEndpoint({ host, port }: Endpoint): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** `host:port` or `[v6]:port` with a port from 1 to 65535; `undefined` for anything else. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const match = /^(?:\[(?<v6>[^\]]+)\]|(?<name>[^:[\]/?#@\s]+)):(?<port>\d{1,5})$/.exec(text);
  const { v6, name, port: digits } = match?.groups ?? {};
  const host = v6 ?? name;
  const port = Number(digits);
  if (host === undefined || !(port >= 1 && port <= 65_535)) return undefined;
  if (v6 !== undefined && ipFamily(v6) !== 6) return undefined;
  return { host, port };
}

export function equalEndpoints(a: Endpoint, b: Endpoint): boolean {
  return a.port === b.port && a.host === b.host;
}

/** Compact form, 6 or 18 bytes; `undefined` when `host` is a name. */
export function encodeCompact({ host, port }: Endpoint): Uint8Array<ArrayBuffer> | undefined {
  const ip = parseIp(host);
  if (ip === undefined) return undefined;
  const bytes = new Uint8Array(ip.length + 2);
  bytes.set(ip);
  bytes[ip.length] = port >>> 8;
  bytes[ip.length + 1] = port & 0xff;
  return bytes;
}

/**
 * All entries of a compact list. Entries with port 0 cannot be reached and are left out, unless something
 * else is told of each entry by its place.
 *
 * @throws {ProtocolError} when the length is no multiple of the entry's.
 */
export function decodeCompact(
  bytes: Uint8Array,
  family: 4 | 6,
  { keepPortZero = false }: { readonly keepPortZero?: boolean } = {},
): Endpoint[] {
  const size = COMPACT_LENGTH[family];
  if (bytes.length % size !== 0) {
    throw new ProtocolError(`a compact list of ${bytes.length} bytes is no multiple of ${size}`, {
      rule: family === 4 ? 'BEP 23 compact peers' : 'BEP 7 peers6',
      offset: bytes.length,
    });
  }
  const endpoints: Endpoint[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    const port = ((bytes[at + size - 2] ?? 0) << 8) | (bytes[at + size - 1] ?? 0);
    if (port === 0 && !keepPortZero) continue;
    endpoints.push({ host: formatIp(bytes.subarray(at, at + size - 2)), port });
  }
  return endpoints;
}
