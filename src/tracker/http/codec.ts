/**
 * Announces over HTTP: the query (BEP 3, BEP 23) and the bencoded answer (BEP 3, 7, 23, 24, 31); and
 * scrapes (BEP 48).
 *
 * @module
 */

import { decodeUtf8, decodeUtf8Lossy, formatHex } from '../../base/bytes.ts';
import type { Endpoint } from '../../base/endpoint.ts';
import { decodeCompact } from '../../base/endpoint.ts';
import { ProtocolError } from '../../base/errors.ts';
import type { InfoHash } from '../../base/ids.ts';
import { formatIp, parseIp } from '../../base/ip.ts';
import { type BencodeNode, decode } from '../../bencode/index.ts';
import type { AnnounceRequest } from '../model.ts';
import { latin1Hash, type SwarmFigures } from '../scraping.ts';
import { MAX_WORDS, oneLine } from '../words.ts';

/** A tracker says no. */
export interface HttpFailure {
  readonly type: 'failure';
  readonly reason: string;
  /** BEP 31. */
  readonly retryInSeconds?: number | 'never';
}

/** What a tracker says to an announce. */
export interface HttpAnnounced {
  readonly type: 'announce';
  readonly intervalSeconds: number;
  readonly minIntervalSeconds?: number;
  readonly seeders?: number;
  readonly leechers?: number;
  /** `host` may be a name (BEP 3 dictionaries); port 0 is left out. */
  readonly peers: readonly Endpoint[];
  readonly externalIp?: string;
  readonly warning?: string;
  readonly trackerId?: Uint8Array;
}

/** What a tracker says to a scrape. */
export interface HttpScraped {
  readonly type: 'scrape';
  /** By the hex of 20 bytes. */
  readonly swarms: ReadonlyMap<string, SwarmFigures>;
  readonly minRequestIntervalSeconds?: number;
}

/** Path and query of an announce: the tracker's own `target` with the parameters added behind. */
export function encodeAnnounce(
  target: string,
  request: AnnounceRequest,
  trackerId: Uint8Array | undefined,
): string {
  const { event, key, numWant, ip } = request;
  const pairs = [
    `info_hash=${percentEncode(request.infoHash.wire)}`,
    `peer_id=${percentEncode(request.peerId.bytes)}`,
    `port=${request.port}`,
    `uploaded=${request.uploaded}`,
    `downloaded=${request.downloaded}`,
    `left=${request.left}`,
    'compact=1',
  ];
  if (numWant !== undefined) pairs.push(`numwant=${numWant}`);
  if (key !== undefined)
    pairs.push(`key=${(key >>> 0).toString(16).toUpperCase().padStart(8, '0')}`);
  if (event !== undefined) pairs.push(`event=${event}`);
  if (ip !== undefined) pairs.push(`ip=${encodeURIComponent(ip)}`);
  if (trackerId !== undefined) pairs.push(`trackerid=${percentEncode(trackerId)}`);
  return withPairs(target, pairs);
}

/** Path and query of a scrape (BEP 48); `target` is the tracker's own of its scrapes. */
export function encodeScrape(target: string, infoHashes: readonly InfoHash[]): string {
  const pairs = infoHashes.map(({ wire }) => `info_hash=${percentEncode(wire)}`);
  return pairs.length === 0 ? target : withPairs(target, pairs);
}

function withPairs(target: string, pairs: readonly string[]): string {
  const path = target === '' || target.startsWith('?') ? `/${target}` : target;
  const joint = !path.includes('?') ? '?' : /[?&]$/.test(path) ? '' : '&';
  return `${path}${joint}${pairs.join('&')}`;
}

/** Raw bytes in a query: only the unreserved characters of RFC 3986 §2.3 stand for themselves. */
export function percentEncode(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) {
    const character = String.fromCharCode(byte);
    text += /[\w.~-]/.test(character)
      ? character
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return text;
}

/**
 * The answer to an announce. Dictionary entries that name no usable peer are left out, as long as
 * one is usable.
 *
 * @throws {ProtocolError} when it is no bencoded dictionary or its peers make no sense.
 */
export function decodeAnnounce(body: Uint8Array): HttpFailure | HttpAnnounced {
  const answer = decodeDictionary(body);
  const failure = decodeFailure(answer);
  if (failure !== undefined) return failure;
  return {
    type: 'announce',
    intervalSeconds: count(answer.get('interval')) ?? DEFAULT_INTERVAL_SECONDS,
    peers: [...decodePeers(answer.get('peers')), ...decodePeers6(answer.get('peers6'))],
    ...defined({
      minIntervalSeconds: count(answer.get('min interval')),
      seeders: count(answer.get('complete')),
      leechers: count(answer.get('incomplete')),
      externalIp: decodeIp(answer.get('external ip')?.asBytes()),
      warning: textOf(answer.get('warning message')),
      trackerId: answer.get('tracker id')?.asBytes()?.slice(),
    }),
  };
}

/**
 * The answer to a scrape. Keys of `files` that are no infohash are left out.
 *
 * @throws {ProtocolError} when it is no bencoded dictionary with `files` that are one of dictionaries.
 */
export function decodeScrape(body: Uint8Array): HttpFailure | HttpScraped {
  const answer = decodeDictionary(body);
  const failure = decodeFailure(answer);
  if (failure !== undefined) return failure;
  const swarms = decodeFiles(answer.get('files'));
  const interval = count(answer.get('flags')?.get('min_request_interval'));
  return { type: 'scrape', swarms, ...defined({ minRequestIntervalSeconds: interval }) };
}

function decodeFiles(files: BencodeNode | undefined): Map<string, SwarmFigures> {
  if (files?.kind !== 'dictionary') {
    const what = files === undefined ? 'is missing' : 'is no dictionary';
    throw badScrape(`\`files\` ${what}`, files?.offset ?? 0);
  }
  const swarms = new Map<string, SwarmFigures>();
  for (const [key, entry] of files.entries()) {
    if (entry.kind !== 'dictionary') throw badScrape('a torrent is no dictionary', entry.offset);
    const infoHash = decodeHash(key);
    if (infoHash !== undefined) swarms.set(infoHash, decodeFigures(entry));
  }
  return swarms;
}

/** 20 bytes; npm's `bittorrent-tracker` 11 writes them as the UTF-8 of their Latin-1. */
function decodeHash(key: Uint8Array): string | undefined {
  return key.length === HASH_LENGTH ? formatHex(key) : latin1Hash(decodeUtf8(key) ?? '');
}

function decodeFigures(entry: BencodeNode): SwarmFigures {
  return defined({
    seeders: count(entry.get('complete')),
    leechers: count(entry.get('incomplete')),
    completed: count(entry.get('downloaded')),
    downloaders: count(entry.get('downloaders')),
  });
}

function decodeDictionary(body: Uint8Array): BencodeNode {
  const answer = decode(body, { maxDepth: 8, maxTokens: MAX_TOKENS, fullDecode: false });
  if (answer.kind === 'dictionary') return answer;
  throw new ProtocolError('a tracker answers with a dictionary', {
    rule: 'BEP 3 tracker response',
    offset: 0,
  });
}

function decodeFailure(answer: BencodeNode): HttpFailure | undefined {
  const reason = textOf(answer.get('failure reason'));
  if (reason === undefined) return undefined;
  const retryInSeconds = decodeRetryIn(answer.get('retry in'));
  return { type: 'failure', reason, ...defined({ retryInSeconds }) };
}

/** BEP 31: minutes, as an integer or in digits, or the word `never`. */
function decodeRetryIn(node: BencodeNode | undefined): number | 'never' | undefined {
  const word = node?.asText();
  if (word === 'never') return 'never';
  const minutes = word !== undefined && /^\d{1,9}$/.test(word) ? Number(word) : count(node);
  return minutes === undefined ? undefined : minutes * 60;
}

/** Compact (BEP 23) or dictionaries (BEP 3); absent means none. */
function decodePeers(node: BencodeNode | undefined): Endpoint[] {
  if (node === undefined) return [];
  const compact = node.asBytes();
  if (compact !== undefined) return decodeCompact(compact, 4);
  if (node.kind !== 'list') throw badPeers('`peers` is neither a string nor a list', node.offset);
  const peers: Endpoint[] = [];
  for (const entry of node.items()) {
    const peer = decodePeer(entry);
    if (peer !== undefined) peers.push(peer);
  }
  if (peers.length === 0 && node.length > 0) {
    throw badPeers('no entry of `peers` is a dictionary with an `ip` and a `port`', node.offset);
  }
  return peers;
}

function decodePeers6(node: BencodeNode | undefined): Endpoint[] {
  if (node === undefined) return [];
  const compact = node.asBytes();
  if (compact === undefined) throw badPeers('`peers6` is no string', node.offset);
  return decodeCompact(compact, 6);
}

function decodePeer(entry: BencodeNode): Endpoint | undefined {
  const host = entry.get('ip')?.asText();
  const port = entry.get('port')?.asNumber();
  if (host === undefined || port === undefined || !(port >= 1 && port <= 65_535)) return undefined;
  const address = parseIp(host);
  if (address !== undefined) return { host: formatIp(address), port };
  return /^[a-z\d](?:[a-z\d.-]{0,251}[a-z\d])?$/i.test(host) ? { host, port } : undefined;
}

/** BEP 24: 4 or 16 raw bytes; some trackers write text. */
function decodeIp(bytes: Uint8Array | undefined): string | undefined {
  if (bytes === undefined) return undefined;
  if (bytes.length === 4 || bytes.length === 16) return formatIp(bytes);
  const literal = parseIp(decodeUtf8Lossy(bytes));
  return literal === undefined ? undefined : formatIp(literal);
}

function count(node: BencodeNode | undefined): number | undefined {
  const value = node?.asNumber();
  return value === undefined || value < 0 ? undefined : value;
}

function textOf(node: BencodeNode | undefined): string | undefined {
  const bytes = node?.asBytes();
  return bytes === undefined ? undefined : oneLine(decodeUtf8Lossy(bytes), MAX_WORDS);
}

/** `fields` without the absent ones, so that they are left out of the object and not `undefined`. */
function defined<Fields extends object>(
  fields: Fields,
): { [Key in keyof Fields]?: Exclude<Fields[Key], undefined> };
function defined(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function badPeers(message: string, offset: number): ProtocolError {
  return new ProtocolError(message, { rule: 'BEP 3 peers', offset });
}

function badScrape(message: string, offset: number): ProtocolError {
  return new ProtocolError(message, { rule: 'BEP 48 scrape response', offset });
}

const HASH_LENGTH = 20;
/** As libtorrent, when a tracker does not say. */
const DEFAULT_INTERVAL_SECONDS = 1800;
/** More than any answer below the size limit of the driver needs with eight-token entries. */
const MAX_TOKENS = 300_000;
