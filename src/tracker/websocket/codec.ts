/**
 * What WebSocket trackers are told and tell: JSON in texts, its strings of bytes in Latin-1 (no BEP;
 * as the npm package `bittorrent-tracker` speaks it).
 *
 * @module
 */

import { ProtocolError } from '../../base/errors.ts';
import type { InfoHash } from '../../base/ids.ts';
import type { AnnounceRequest } from '../model.ts';
import { latin1Hash, type SwarmFigures } from '../scraping.ts';
import { MAX_WORDS, oneLine } from '../words.ts';

/** Infohashes are the hex of 20 bytes. */
export type WebSocketMessage =
  | { readonly type: 'failure'; readonly infoHash?: string; readonly reason: string }
  | {
      readonly type: 'announce';
      readonly infoHash: string;
      readonly intervalSeconds: number;
      readonly minIntervalSeconds?: number;
      readonly seeders?: number;
      readonly leechers?: number;
      readonly warning?: string;
      readonly trackerId?: Uint8Array;
    }
  | {
      readonly type: 'scrape';
      readonly swarms: ReadonlyMap<string, SwarmFigures>;
      readonly minRequestIntervalSeconds?: number;
    }
  /** Offers and answers of other peers (WebRTC), and what else there is. */
  | { readonly type: 'other' };

/** An announce without offers: nobody is to connect to us. */
export function encodeAnnounce(
  request: AnnounceRequest,
  trackerId: Uint8Array | undefined,
): string {
  const { infoHash, peerId, uploaded, downloaded, left, event } = request;
  return JSON.stringify({
    action: 'announce',
    info_hash: latin1(infoHash.wire),
    peer_id: latin1(peerId.bytes),
    uploaded,
    downloaded,
    left,
    event,
    numwant: 0,
    offers: [],
    trackerid: trackerId === undefined ? undefined : latin1(trackerId),
  });
}

export function encodeScrape(infoHashes: readonly InfoHash[]): string {
  return JSON.stringify({
    action: 'scrape',
    info_hash: infoHashes.map(({ wire }) => latin1(wire)),
  });
}

/** @throws {ProtocolError} when it is no JSON, no object, or an answer without what it needs. */
export function decodeMessage(text: string): WebSocketMessage {
  const fields = parseObject(text);
  const infoHash = hashOf(fields.get('info_hash'));
  const reason = fields.get('failure reason');
  if (typeof reason === 'string') {
    const words = oneLine(reason, MAX_WORDS);
    return { type: 'failure', reason: words, ...(infoHash === undefined ? {} : { infoHash }) };
  }
  if (fields.get('action') === 'scrape') return decodeScrape(fields);
  const relayed = fields.has('offer') || fields.has('answer');
  if (fields.get('action') !== 'announce' || relayed) return { type: 'other' };
  if (infoHash === undefined) throw broken('an announce is answered without its `info_hash`');
  return decodeAnnounce(fields, infoHash);
}

type Fields = ReadonlyMap<string, unknown>;

function decodeAnnounce(fields: Fields, infoHash: string): WebSocketMessage {
  const warning = fields.get('warning message');
  const trackerId = fields.get('tracker id');
  return {
    type: 'announce',
    infoHash,
    intervalSeconds: count(fields.get('interval')) ?? DEFAULT_INTERVAL_SECONDS,
    ...numbers({
      minIntervalSeconds: fields.get('min interval'),
      seeders: fields.get('complete'),
      leechers: fields.get('incomplete'),
    }),
    ...(typeof warning === 'string' ? { warning: oneLine(warning, MAX_WORDS) } : {}),
    ...(typeof trackerId === 'string' ? { trackerId: bytesOf(trackerId) } : {}),
  };
}

function decodeScrape(fields: Fields): WebSocketMessage {
  const files = fieldsOf(fields.get('files'));
  if (files === undefined) throw broken('a scrape is answered without `files`');
  const swarms = new Map<string, SwarmFigures>();
  for (const [key, value] of files) {
    const infoHash = hashOf(key);
    const entry = fieldsOf(value);
    if (entry === undefined) throw broken('a torrent of a scrape is no object');
    if (infoHash === undefined) continue;
    swarms.set(
      infoHash,
      numbers({
        seeders: entry.get('complete'),
        leechers: entry.get('incomplete'),
        completed: entry.get('downloaded'),
        downloaders: entry.get('downloaders'),
      }),
    );
  }
  const interval = fieldsOf(fields.get('flags'))?.get('min_request_interval');
  return { type: 'scrape', swarms, ...numbers({ minRequestIntervalSeconds: interval }) };
}

function parseObject(text: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw broken('it is no JSON', error);
  }
  const fields = fieldsOf(value);
  if (fields === undefined) throw broken('it is no object');
  return fields;
}

function fieldsOf(value: unknown): Fields | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return new Map<string, unknown>(Object.entries(value));
}

/** Those of `fields` that are counts. */
function numbers<Name extends string>(
  fields: Readonly<Record<Name, unknown>>,
): { readonly [Key in Name]?: number };
function numbers(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, number>> {
  const known: Record<string, number> = {};
  for (const [name, value] of Object.entries(fields)) {
    const number = count(value);
    if (number !== undefined) known[name] = number;
  }
  return known;
}

function count(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

function hashOf(value: unknown): string | undefined {
  return typeof value === 'string' ? latin1Hash(value) : undefined;
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function broken(message: string, cause?: unknown): ProtocolError {
  return new ProtocolError(message, { rule: 'WebSocket tracker message', cause });
}

/** As over HTTP, when a tracker does not say. */
const DEFAULT_INTERVAL_SECONDS = 1800;
