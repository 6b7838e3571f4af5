/** Magnet links, reading (BEP 9; BEP 46 keys, BEP 52 hashes, BEP 53 selections). @module */

import { decodeUtf8, decodeUtf8Lossy, encodeUtf8, parseHex } from '../base/bytes.ts';
import { type Endpoint, parseEndpoint } from '../base/endpoint.ts';
import { ProtocolError } from '../base/errors.ts';
import { InfoHash, parseInfoHash } from '../base/ids.ts';
import type { Magnet } from './magnet.ts';
import { parseSelectOnly } from './select-only.ts';

/** Characters of a link. The longest that people share have a few thousand. */
export const MAX_MAGNET_LENGTH: number = 2 ** 18;

/** Trackers, web seeds, peers, nodes: so many of each are kept. */
const MAX_LISTED = 1000;

/** Trackers that BitTorrent knows: HTTP, UDP (BEP 15) and WebSocket (WebTorrent). */
const TRACKER = /^(?:https?|udp|wss?):\/\/[^\s\u007f]+$/i;

const WEB_SEED = /^(?:https?|ftp):\/\/[^\s\u007f]+$/i;

const SOURCE = /^https?:\/\/[^\s\u007f]+$/i;

/** A multihash of 32 bytes SHA-256: function 0x12, length 0x20. */
const SHA256_MULTIHASH = /^1220([0-9a-f]{64})$/i;

type Draft = { -readonly [Key in keyof Magnet]: Magnet[Key] } & {
  trackers: string[];
  webSeeds: string[];
  sources?: string[];
  peers: Endpoint[];
  nodes: Endpoint[];
  /** `N` of `tr.N` beside each tracker. */
  numbers: (number | undefined)[];
};

/**
 * Reads a link. Parts that bip does not know, and optional ones that make no sense, are left out;
 * of a part that should come once and comes twice, the last counts.
 *
 * @throws {ProtocolError} for text that is no magnet link, a hash that is none, a broken `%` escape,
 *   or a link that names no torrent.
 */
export function parseMagnet(text: string): Magnet {
  const query = /^magnet:\?(.*)$/is.exec(text)?.[1];
  if (query === undefined) throw malformed('it has to begin with `magnet:?`', 'scheme', 0);
  if (text.length > MAX_MAGNET_LENGTH) {
    throw malformed(`it is longer than ${MAX_MAGNET_LENGTH} characters`, 'length');
  }
  const draft: Draft = { trackers: [], webSeeds: [], peers: [], nodes: [], numbers: [] };
  let offset = text.length - query.length;
  for (const part of query.split('&')) {
    readPart(draft, part, offset);
    offset += part.length + 1;
  }
  const { numbers, ...magnet } = draft;
  if (
    draft.infoHash === undefined &&
    draft.infoHashV2 === undefined &&
    draft.publicKey === undefined
  ) {
    throw malformed(
      'it names no torrent: xt=urn:btih:… or xt=urn:btmh:… is missing',
      'exact topic',
    );
  }
  return numbers.some((number) => number !== undefined) ? sortTiers(magnet, numbers) : magnet;
}

interface Part {
  readonly value: string;
  /** `N` of a name like `tr.N`. */
  readonly number: string | undefined;
  /** Where the part begins in the link. */
  readonly offset: number;
}

const READERS: ReadonlyMap<string, (draft: Draft, part: Part) => void> = new Map([
  ['xt', readTopic],
  ['xs', readSource],
  ['tr', readTracker],
  ['ws', readWebSeed],
  ['x.pe', (draft, { value }) => keepEndpoint(draft.peers, value)],
  ['dht', (draft, { value }) => keepEndpoint(draft.nodes, value)],
  ['so', readSelection],
  ['dn', readName],
  ['xl', readLength],
  ['s', readSalt],
]);

function readPart(draft: Draft, part: string, offset: number): void {
  const equals = part.indexOf('=');
  if (equals === -1) return;
  const [, name = '', number] = /^(.*?)(?:\.(\d{1,6}))?$/s.exec(part.slice(0, equals)) ?? [];
  const value = unescape(part.slice(equals + 1), offset + equals + 1);
  READERS.get(name.toLowerCase())?.(draft, { value, number, offset });
}

function readName(draft: Draft, { value }: Part): void {
  if (value !== '') draft.name = value;
}

function readLength(draft: Draft, { value }: Part): void {
  if (/^\d{1,15}$/.test(value)) draft.length = Number(value);
}

function readSalt(draft: Draft, { value }: Part): void {
  if (/^(?:[0-9a-f]{2})+$/i.test(value)) draft.salt = value.toLowerCase();
}

function readWebSeed(draft: Draft, { value }: Part): void {
  if (WEB_SEED.test(value)) keep(draft.webSeeds, value);
}

function readSelection(draft: Draft, { value }: Part): void {
  const indices = parseSelectOnly(value);
  if (indices !== undefined) draft.selectOnly = indices;
}

/** Topics of other networks (`urn:ed2k:`, `urn:tree:tiger:`) are no business of ours. */
function readTopic(draft: Draft, { value, offset }: Part): void {
  const [, kind, hash = ''] = /^urn:(btih|btmh):(.*)$/is.exec(value) ?? [];
  if (kind === undefined) return;
  if (kind.toLowerCase() === 'btih') {
    const infoHash = parseInfoHash(hash);
    if (infoHash?.version !== 'v1') {
      throw malformed(
        `\`${shorten(hash)}\` is no infohash; urn:btih: takes 40 hex digits or 32 of base32`,
        'btih',
        offset,
      );
    }
    draft.infoHash = infoHash;
    return;
  }
  const bytes = parseHex(SHA256_MULTIHASH.exec(hash)?.[1] ?? 'none');
  if (bytes === undefined) {
    throw malformed(
      `\`${shorten(hash)}\` is no v2 infohash; urn:btmh: takes 1220 and 64 hex digits`,
      'btmh',
      offset,
    );
  }
  draft.infoHashV2 = new InfoHash(bytes);
}

/** A key (BEP 46), or the URL of the .torrent; sources of other networks are no business of ours. */
function readSource(draft: Draft, { value, offset }: Part): void {
  if (SOURCE.test(value)) {
    draft.sources ??= [];
    keep(draft.sources, value);
    return;
  }
  const key = /^urn:btpk:(.*)$/is.exec(value)?.[1];
  if (key === undefined) return;
  if (!/^[0-9a-f]{64}$/i.test(key)) {
    throw malformed(
      `\`${shorten(key)}\` is no public key; urn:btpk: takes 64 hex digits`,
      'btpk',
      offset,
    );
  }
  draft.publicKey = key.toLowerCase();
}

function readTracker(draft: Draft, { value, number }: Part): void {
  const url = value.trim();
  if (!TRACKER.test(url) || !keep(draft.trackers, url)) return;
  draft.numbers.push(number === undefined ? undefined : Number(number));
}

/** Behind every `N` of `tr.N`. */
const UNNUMBERED = 1_000_000;

/**
 * By tier, counted from 1; a tracker without a number is a tier of its own behind those with one.
 * Tiers are left out when each has one tracker.
 */
function sortTiers(magnet: Magnet, numbers: readonly (number | undefined)[]): Magnet {
  const numberAt = (at: number): number => numbers[at] ?? UNNUMBERED;
  const order = [...numbers.keys()].toSorted((a, b) => numberAt(a) - numberAt(b) || a - b);
  const tiers: number[] = [];
  let last: number | undefined;
  for (const at of order) {
    const joins = numbers[at] !== undefined && numbers[at] === last;
    tiers.push((tiers.at(-1) ?? 0) + (joins ? 0 : 1));
    last = numbers[at];
  }
  const trackers = order.map((at) => magnet.trackers[at] ?? '');
  return { ...magnet, trackers, ...(tiers.at(-1) === trackers.length ? {} : { tiers }) };
}

function keepEndpoint(list: Endpoint[], value: string): void {
  const endpoint = parseEndpoint(value);
  if (endpoint !== undefined && list.length < MAX_LISTED) list.push(endpoint);
}

/** False when it was there before, or when the list is full. */
function keep(list: string[], value: string): boolean {
  if (list.length >= MAX_LISTED || list.includes(value)) return false;
  list.push(value);
  return true;
}

/** Percent escapes of bytes, and `+` for a space; bytes that are not UTF-8 become U+FFFD. */
function unescape(text: string, offset: number): string {
  if (!/[%+]/.test(text)) return text.toWellFormed();
  const source = encodeUtf8(text);
  const bytes = new Uint8Array(source.length);
  let length = 0;
  for (let at = 0; at < source.length; at++) {
    const byte = source[at] ?? 0;
    if (byte !== 0x25) {
      bytes[length++] = byte === 0x2b ? 0x20 : byte;
      continue;
    }
    const digits = decodeUtf8(source.subarray(at + 1, at + 3)) ?? '';
    const [value] = digits.length === 2 ? (parseHex(digits) ?? []) : [];
    if (value === undefined) {
      throw malformed(
        'it has a `%` without two hex digits behind it',
        'percent escape',
        offset + at,
      );
    }
    bytes[length++] = value;
    at += 2;
  }
  return decodeUtf8Lossy(bytes.subarray(0, length));
}

function shorten(text: string): string {
  const line = text.replace(/[\s\p{Cc}]/gu, '␣');
  return line.length <= 80 ? line : `${line.slice(0, 79)}…`;
}

function malformed(what: string, rule: string, offset?: number): ProtocolError {
  return new ProtocolError(`this is no magnet link that bip can use: ${what}`, {
    rule: `BEP 9 magnet ${rule}`,
    code: 'BIP_MAGNET_MALFORMED',
    ...(offset === undefined ? {} : { offset }),
  });
}
