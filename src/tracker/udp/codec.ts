/** The packets of UDP trackers: BEP 15, with the URL data of BEP 41. @module */

import { concatBytes, decodeUtf8Lossy, encodeUtf8 } from '../../base/bytes.ts';
import { COMPACT_LENGTH, decodeCompact, type Endpoint } from '../../base/endpoint.ts';
import { ProtocolError } from '../../base/errors.ts';
import type { InfoHash } from '../../base/ids.ts';
import { parseIp } from '../../base/ip.ts';
import type { AnnounceRequest } from '../model.ts';
import { MAX_WORDS, oneLine } from '../words.ts';

export type UdpResponse =
  | { readonly action: 'connect'; readonly transaction: number; readonly connection: bigint }
  | {
      readonly action: 'announce';
      readonly transaction: number;
      readonly intervalSeconds: number;
      readonly leechers: number;
      readonly seeders: number;
      readonly peers: readonly Endpoint[];
    }
  | {
      readonly action: 'scrape';
      readonly transaction: number;
      /** One for each torrent asked for, in that order; fewer when the tracker says less. */
      readonly swarms: readonly UdpFigures[];
    }
  /** An announce answer of only its head: how opentracker refuses a torrent that it does not list. */
  | { readonly action: 'announce-cut'; readonly transaction: number }
  | { readonly action: 'error'; readonly transaction: number; readonly reason: string };

/** What a scrape tells of one torrent. */
export interface UdpFigures {
  readonly seeders: number;
  readonly completed: number;
  readonly leechers: number;
}

/** BEP 15 has room for "about 74", which IP has to cut into two; so many arrive in one piece. */
export const MAX_SCRAPED = 70;

/** A connect request, 16 bytes. */
export function encodeConnect(transaction: number): Uint8Array<ArrayBuffer> {
  const packet = new Uint8Array(CONNECT_LENGTH);
  const view = new DataView(packet.buffer);
  view.setBigUint64(0, PROTOCOL_ID);
  view.setUint32(8, ACTION.connect);
  view.setUint32(12, transaction);
  return packet;
}

/**
 * An announce request, 98 bytes and the options of BEP 41. `target` is path and query of the
 * tracker's URL; empty sends no options.
 */
export function encodeAnnounce(
  { connection, transaction }: { readonly connection: bigint; readonly transaction: number },
  request: AnnounceRequest,
  target: string,
): Uint8Array<ArrayBuffer> {
  const packet = new Uint8Array(ANNOUNCE_LENGTH);
  const view = new DataView(packet.buffer);
  view.setBigUint64(0, connection);
  view.setUint32(8, ACTION.announce);
  view.setUint32(12, transaction);
  packet.set(request.infoHash.wire, 16);
  packet.set(request.peerId.bytes, 36);
  view.setBigUint64(56, BigInt(request.downloaded));
  view.setBigUint64(64, BigInt(request.left));
  view.setBigUint64(72, BigInt(request.uploaded));
  view.setUint32(80, request.event === undefined ? 0 : EVENT[request.event]);
  const ip = request.ip === undefined ? undefined : parseIp(request.ip);
  if (ip?.length === 4) packet.set(ip, 84);
  view.setUint32(88, request.key ?? 0);
  view.setInt32(92, request.numWant ?? -1);
  view.setUint16(96, request.port);
  return target === '' ? packet : concatBytes(packet, encodeUrlData(target));
}

/** A scrape request of at most {@link MAX_SCRAPED} torrents: 16 bytes, and 20 for each. */
export function encodeScrape(
  { connection, transaction }: { readonly connection: bigint; readonly transaction: number },
  infoHashes: readonly InfoHash[],
): Uint8Array<ArrayBuffer> {
  const packet = new Uint8Array(SCRAPE_LENGTH + infoHashes.length * HASH_LENGTH);
  const view = new DataView(packet.buffer);
  view.setBigUint64(0, connection);
  view.setUint32(8, ACTION.scrape);
  view.setUint32(12, transaction);
  for (const [at, { wire }] of infoHashes.entries()) {
    packet.set(wire, SCRAPE_LENGTH + at * HASH_LENGTH);
  }
  return packet;
}

/** BEP 41 option 2, as often as its one-byte length asks for. */
export function encodeUrlData(target: string): Uint8Array<ArrayBuffer> {
  const data = encodeUtf8(target);
  const options: Uint8Array[] = [];
  for (let at = 0; at < data.length; at += MAX_OPTION_LENGTH) {
    const part = data.subarray(at, at + MAX_OPTION_LENGTH);
    options.push(Uint8Array.of(URL_DATA, part.length), part);
  }
  return concatBytes(...options);
}

/** The transaction id of an answer; `undefined` when it is too short to have one. */
export function transactionOf(bytes: Uint8Array): number | undefined {
  return bytes.length < HEAD_LENGTH ? undefined : viewOf(bytes).getUint32(4);
}

/**
 * An answer. Peers are of the `family` of the socket it came through (BEP 15, "IPv6").
 *
 * @throws {ProtocolError} when it is shorter than its kind, of an unknown kind, or holds a part of a peer.
 */
export function decodeResponse(bytes: Uint8Array, family: 4 | 6): UdpResponse {
  need(bytes, HEAD_LENGTH);
  const view = viewOf(bytes);
  const action = view.getUint32(0);
  const transaction = view.getUint32(4);
  switch (action) {
    case ACTION.connect:
      need(bytes, CONNECT_LENGTH);
      return { action: 'connect', transaction, connection: view.getBigUint64(8) };
    case ACTION.announce:
      if (bytes.length === HEAD_LENGTH) return { action: 'announce-cut', transaction };
      return { action: 'announce', transaction, ...decodeAnnounce(bytes, family) };
    case ACTION.scrape:
      return { action: 'scrape', transaction, swarms: decodeFigures(bytes) };
    case ACTION.error:
      return { action: 'error', transaction, reason: decodeReason(bytes.subarray(HEAD_LENGTH)) };
    default:
      throw new ProtocolError(`an answer with the unknown action ${action}`, {
        rule: 'BEP 15 action',
        offset: 0,
      });
  }
}

function decodeAnnounce(
  bytes: Uint8Array,
  family: 4 | 6,
): { intervalSeconds: number; leechers: number; seeders: number; peers: Endpoint[] } {
  need(bytes, PEERS_OFFSET);
  const view = viewOf(bytes);
  const compact = bytes.subarray(PEERS_OFFSET);
  if (compact.length % COMPACT_LENGTH[family] !== 0) {
    throw new ProtocolError(
      `its peers take ${compact.length} bytes, no multiple of ${COMPACT_LENGTH[family]}`,
      { rule: 'BEP 15 peers', offset: PEERS_OFFSET },
    );
  }
  return {
    intervalSeconds: view.getUint32(8),
    leechers: view.getUint32(12),
    seeders: view.getUint32(16),
    peers: decodeCompact(compact, family),
  };
}

function decodeFigures(bytes: Uint8Array): UdpFigures[] {
  const length = bytes.length - HEAD_LENGTH;
  if (length % FIGURES_LENGTH !== 0) {
    throw new ProtocolError(`its torrents take ${length} bytes, no multiple of ${FIGURES_LENGTH}`, {
      rule: 'BEP 15 scrape',
      offset: HEAD_LENGTH,
    });
  }
  const view = viewOf(bytes);
  const swarms: UdpFigures[] = [];
  for (let at = HEAD_LENGTH; at < bytes.length; at += FIGURES_LENGTH) {
    swarms.push({
      seeders: view.getUint32(at),
      completed: view.getUint32(at + 4),
      leechers: view.getUint32(at + 8),
    });
  }
  return swarms;
}

/** Text, which C programs end with a zero byte. */
function decodeReason(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return oneLine(decodeUtf8Lossy(end < 0 ? bytes : bytes.subarray(0, end)), MAX_WORDS);
}

function need(bytes: Uint8Array, length: number): void {
  if (bytes.length >= length) return;
  throw new ProtocolError(`an answer of ${bytes.length} bytes, expected at least ${length}`, {
    rule: 'BEP 15 packet length',
    offset: bytes.length,
  });
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Opens every connect request (BEP 15). */
const PROTOCOL_ID = 0x41727101980n;
const ACTION = { connect: 0, announce: 1, scrape: 2, error: 3 } as const;
const EVENT = { completed: 1, started: 2, stopped: 3 } as const;
const HEAD_LENGTH = 8;
const CONNECT_LENGTH = 16;
const ANNOUNCE_LENGTH = 98;
const PEERS_OFFSET = 20;
const SCRAPE_LENGTH = 16;
const HASH_LENGTH = 20;
/** Of one torrent in the answer to a scrape. */
const FIGURES_LENGTH = 12;
/** BEP 41. */
const URL_DATA = 2;
const MAX_OPTION_LENGTH = 255;
