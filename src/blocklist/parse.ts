/** Lists of addresses that are not to be dealt with, in the formats that are around. @module */

import { decodeUtf8Lossy } from '../base/bytes.ts';
import { ProtocolError } from '../base/errors.ts';
import { gunzip, isGzip } from '../base/inflate.ts';
import { parseIp } from '../base/ip.ts';
import { lastOf, parseNetwork } from '../base/ip-network.ts';
import { IpRangesBuilder } from '../base/ip-ranges.ts';

/** What came of one list. */
export interface ParsedList {
  /** Ranges, networks and addresses that were taken in. */
  readonly entries: number;
  /** Lines that could not be understood. */
  readonly faults: number;
  /** The number of the first of them. */
  readonly firstFault?: number;
}

/**
 * Reads a list into `ranges`. Lines may be of any of these kinds, and the file may be packed by gzip:
 *
 * - PeerGuardian (P2P): `some name:192.0.2.0-192.0.2.255`
 * - eMule (DAT): `192.000.002.000 - 192.000.002.255 , 000 , some name`; levels above 127 are not blocked
 * - networks, ranges and addresses: `192.0.2.0/24`, `2001:db8::-2001:db8::ff`, `192.0.2.7`
 *
 * Blank lines and those that begin with `#`, `;` or `//` do not count; of others, few that are not
 * understood are passed over, since lists are made by people.
 *
 * @throws {ProtocolError} `BIP_BLOCKLIST` when it is no such list, and what {@link gunzip} throws.
 */
export function parseBlocklist(bytes: Uint8Array, ranges: IpRangesBuilder): ParsedList {
  const text = isGzip(bytes) ? gunzip(bytes, { maxBytes: MAX_UNPACKED }) : bytes;
  let entries = 0;
  let faults = 0;
  let firstFault: number | undefined;
  for (const { line, number } of linesOf(text)) {
    const took = takeLine(line, ranges);
    if (took === 'taken') entries++;
    if (took !== 'fault') continue;
    faults++;
    firstFault ??= number;
  }
  if (faults > entries) throw noList(firstFault ?? 1);
  return { entries, faults, ...(firstFault === undefined ? {} : { firstFault }) };
}

type Took = 'taken' | 'nothing' | 'fault';

function takeLine(line: string, ranges: IpRangesBuilder): Took {
  if (line === '' || /^(?:[#;]|\/\/)/.test(line)) return 'nothing';
  const range = rangeOf(line);
  if (range === undefined) return 'fault';
  if (range === 'allowed') return 'nothing';
  return ranges.add(range.first, range.last) ? 'taken' : 'fault';
}

interface Range {
  readonly first: Uint8Array;
  readonly last: Uint8Array;
}

function rangeOf(line: string): Range | 'allowed' | undefined {
  // P2P: the name may hold anything, so that it counts from the end.
  const named = /:\s*([\d.]+)\s*-\s*([\d.]+)$/.exec(line);
  if (named !== null) return between(named[1], named[2]);
  const levelled = /^([\d.]+)\s*-\s*([\d.]+)\s*(?:,\s*(\d{1,3})\s*(?:,.*)?)?$/.exec(line);
  if (levelled !== null) {
    const [, first, last, level] = levelled;
    return Number(level ?? 0) > LAST_BLOCKED_LEVEL ? 'allowed' : between(first, last);
  }
  const [first, last, ...rest] = line.split(/\s*-\s*/);
  if (last !== undefined) return rest.length === 0 ? between(first, last) : undefined;
  const network = parseNetwork(line.replace(/\s+[#;].*$/, ''));
  return network && { first: network.address, last: lastOf(network) };
}

function between(first = '', last = ''): Range | undefined {
  const [from, to] = [parseIp(unpadded(first)), parseIp(unpadded(last))];
  return from === undefined || to === undefined ? undefined : { first: from, last: to };
}

/** eMule writes three digits of each part. */
function unpadded(address: string): string {
  return address.includes(':') ? address : address.replace(/\b0+(?=\d)/g, '');
}

function* linesOf(
  bytes: Uint8Array,
): Generator<{ readonly line: string; readonly number: number }, void, undefined> {
  let number = 0;
  for (const text of textsOf(bytes)) {
    for (const line of text.split('\n')) {
      number++;
      // More of a line than this is no entry, whatever it is.
      yield { line: line.slice(0, MAX_LINE).trim(), number };
    }
  }
}

/** Some lines at once: one after the other takes longer, all of them take much memory. */
function* textsOf(bytes: Uint8Array): Generator<string, void, undefined> {
  for (let at = 0; at < bytes.length; ) {
    const feed = bytes.indexOf(LINE_FEED, at + TEXT_BYTES);
    const end = feed === -1 ? bytes.length : feed;
    const text = decodeUtf8Lossy(bytes.subarray(at, end));
    // Editors of Windows begin files with a byte order mark.
    yield at === 0 ? text.replace(/^\uFEFF/, '') : text;
    at = end + 1;
  }
}

function noList(line: number): ProtocolError {
  return new ProtocolError(
    `most lines are no addresses, line ${line} first; blocklists are text in the formats of PeerGuardian (P2P), eMule (DAT) or CIDR, packed by gzip or not`,
    { rule: 'bip blocklist', code: 'BIP_BLOCKLIST' },
  );
}

const LINE_FEED = 0x0a;
const TEXT_BYTES = 65_536;
/** Characters. */
const MAX_LINE = 1024;
/** Bytes of an unpacked list: some ten million lines. */
const MAX_UNPACKED: number = 512 * 2 ** 20;
/** eMule's `ipfilter.dat`: "access level below 128 is blocked". */
const LAST_BLOCKED_LEVEL = 127;
