/** Announces of Local Service Discovery (BEP 14): a request in the manner of HTTP, in one datagram. @module */

import { encodeUtf8, formatHex, parseHex } from '../base/bytes.ts';
import { type Endpoint, formatEndpoint } from '../base/endpoint.ts';
import { InvariantError, ProtocolError } from '../base/errors.ts';

/** Where announces go (BEP 14 "Protocol"), by family. */
export const LPD_GROUPS: Readonly<Record<4 | 6, Endpoint>> = {
  4: { host: '239.192.152.143', port: 6771 },
  6: { host: 'ff15::efc0:988f', port: 6771 },
};

/** Somebody has torrents, and listens. */
export interface LpdAnnounce {
  /** The group, as its sender names it; absent when it names none. Says nothing about who it is. */
  readonly host: string | undefined;
  /** Where the sender listens, from 1 to 65535. */
  readonly port: number;
  /** Each 20 bytes, at least one, no two alike. */
  readonly infoHashes: readonly Uint8Array[];
  /** Whatever the sender knows itself by. */
  readonly cookie: string | undefined;
}

/** Infohashes that one announce has room for: it "should not exceed 1400 bytes" (BEP 14). */
export const MAX_INFO_HASHES = 24;

/** Bytes of an announce that is read; others write longer ones than they should. */
export const MAX_ANNOUNCE_BYTES = 4_096;
/** Bytes of a cookie that is read, or written. */
export const MAX_COOKIE_BYTES = 64;

/** The bytes of an announce, {@link MAX_INFO_HASHES} at most, for the group of a family. */
export function encodeAnnounce(
  { port, infoHashes, cookie }: Omit<LpdAnnounce, 'host'>,
  family: 4 | 6,
): Uint8Array {
  if (infoHashes.length === 0 || infoHashes.length > MAX_INFO_HASHES) {
    throw new InvariantError(`an announce of ${infoHashes.length} torrents`);
  }
  if (cookie !== undefined && !isCookie(cookie)) throw new InvariantError('no such cookie');
  const lines = [
    'BT-SEARCH * HTTP/1.1',
    `Host: ${formatEndpoint(LPD_GROUPS[family])}`,
    `Port: ${port}`,
    ...infoHashes.map((infoHash) => `Infohash: ${formatHex(infoHash)}`),
    ...(cookie === undefined ? [] : [`cookie: ${cookie}`]),
  ];
  return encodeUtf8(`${lines.join('\r\n')}\r\n\r\n\r\n`);
}

/**
 * Reads an announce. Names may be written in any case and come in any order, lines may end in LF, the
 * empty lines at the end may be missing, and what is not known is passed over, a line that is no header or
 * an infohash that is none, too.
 *
 * @throws {ProtocolError} when it is too long or something else, and when it has no port, two ports, or no
 *   infohash.
 */
export function decodeAnnounce(bytes: Uint8Array): LpdAnnounce {
  if (bytes.length > MAX_ANNOUNCE_BYTES) {
    throw fault('length', `an announce of ${bytes.length} bytes`, MAX_ANNOUNCE_BYTES);
  }
  const lines = latin1(bytes).split('\n').map(withoutCr);
  // RFC 2616 §4.1: empty lines in front are ignored.
  const start = lines.findIndex((line) => line !== '');
  if (!REQUEST.test(lines[start] ?? '')) throw fault('request', 'no BT-SEARCH request', 0);
  const headers = headersOf(lines.slice(start + 1));
  return {
    host: headers.get('host')?.[0],
    port: portOf(headers.get('port') ?? []),
    infoHashes: infoHashesOf(headers.get('infohash') ?? []),
    cookie: cookieOf(headers.get('cookie')),
  };
}

const REQUEST = /^BT-SEARCH[ \t]+\*[ \t]+HTTP\/1\.\d+[ \t]*$/i;

/** The values of each header up to the empty line, by name in lower case. */
function headersOf(lines: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const headers = new Map<string, string[]>();
  for (const line of lines) {
    if (line === '') break;
    const colon = line.indexOf(':');
    if (colon <= 0) continue;
    const name = line.slice(0, colon).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    const values = headers.get(name);
    if (values === undefined) headers.set(name, [value]);
    else values.push(value);
  }
  return headers;
}

function portOf(values: readonly string[]): number {
  const [text, ...others] = new Set(values);
  if (text === undefined) throw fault('Port', 'an announce without a port');
  if (others.length > 0) throw fault('Port', 'an announce with two ports');
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw fault('Port', 'an announce with a port that is none');
  return port;
}

/** Headers of one name mean the same as one with commas (RFC 2616 §4.2). */
function infoHashesOf(values: readonly string[]): readonly Uint8Array[] {
  const found = new Map<string, Uint8Array>();
  for (const text of values.flatMap((value) => value.split(/[\s,]+/))) {
    const infoHash = text.length === 40 ? parseHex(text.toLowerCase()) : undefined;
    if (infoHash !== undefined) found.set(text.toLowerCase(), infoHash);
  }
  if (found.size === 0) throw fault('Infohash', 'an announce without an infohash');
  return [...found.values()];
}

/** One that is too long is none of ours, and nothing else matters. */
function cookieOf(values: readonly string[] | undefined): string | undefined {
  const cookie = values?.[0];
  return cookie !== undefined && isCookie(cookie) ? cookie : undefined;
}

/** Something that stands in a header and comes out of it as it was. */
function isCookie(text: string): boolean {
  return text.length <= MAX_COOKIE_BYTES && /^[!-~](?:[ -~]*[!-~])?$/.test(text);
}

function withoutCr(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

/** A character for each byte. */
function latin1(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

function fault(part: string, message: string, offset?: number): ProtocolError {
  return new ProtocolError(message, {
    rule: `BEP 14 ${part}`,
    ...(offset === undefined ? {} : { offset }),
  });
}
