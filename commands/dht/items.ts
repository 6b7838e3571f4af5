/** Items of the DHT as commands name, find and show them. @module */

import { formatHex, parseHex } from '../../src/base/bytes.ts';
import { UsageError } from '../../src/base/errors.ts';
import { parseInfoHash } from '../../src/base/ids.ts';
import { formatJson } from '../../src/bencode/index.ts';
import {
  type DhtItem,
  type DhtNode,
  decodeTorrentPointer,
  type LookupEvent,
  mutableTarget,
} from '../../src/dht/index.ts';
import { formatMagnet, parseMagnet } from '../../src/magnet/index.ts';
import { printable } from '../cli/printable.ts';
import { saltOf, valueNode } from './values.ts';

/** Where an item belongs: 20 bytes, and what they follow from. */
export interface ItemPlace {
  readonly target: Uint8Array;
  /** 32 bytes; undefined when only the target is known. */
  readonly publicKey: Uint8Array | undefined;
  readonly salt: Uint8Array;
}

/**
 * What TARGET|PUBLICKEY means: a target (40 hex digits or 32 of base32), a key (64), or a link with a
 * key in it (BEP 46), which may have the salt.
 *
 * @throws {UsageError} for all else; {ProtocolError} for a link that is none.
 */
export function parsePlace(argument: string, saltText: string | undefined): ItemPlace {
  const salt = saltOf(saltText);
  if (/^magnet:/i.test(argument)) return placeOfLink(argument, saltText);
  const id = parseInfoHash(argument);
  if (id?.version === 'v2') return placeOfKey(id.bytes, salt);
  if (id !== undefined) return { target: id.bytes, publicKey: undefined, salt };
  throw new UsageError(
    `\`${printable(argument.slice(0, 100))}\` is no item: write its target (40 hex digits), the public key of who puts it (64), or a link with xs=urn:btpk:`,
  );
}

export function placeOfKey(publicKey: Uint8Array, salt: Uint8Array): ItemPlace {
  return { target: mutableTarget(publicKey, salt), publicKey, salt };
}

function placeOfLink(link: string, saltText: string | undefined): ItemPlace {
  const { publicKey, salt } = parseMagnet(link);
  const key = parseHex(publicKey ?? '');
  if (key === undefined || key.length === 0) {
    throw new UsageError(
      'the link has no public key (xs=urn:btpk:) but names a torrent: `bip dht lookup` finds its peers',
    );
  }
  const own = saltText === undefined ? parseHex(salt ?? '') : undefined;
  return placeOfKey(key, own ?? saltOf(saltText));
}

/** The newest item of a place in the DHTs of all families; `undefined` when nobody has one. */
export async function findNewest(
  node: DhtNode,
  { target, salt }: ItemPlace,
  options: {
    readonly signal: AbortSignal;
    readonly onEvent: (event: LookupEvent) => void;
    readonly onItem?: (item: DhtItem) => void;
    readonly onForgery?: () => void;
  },
): Promise<DhtItem | undefined> {
  const found = await node.getItem(target, { ...options, salt });
  return found.map(({ item }) => item).reduce(newer, undefined);
}

/** The one with the higher sequence. */
export function newer(one: DhtItem | undefined, other: DhtItem | undefined): DhtItem | undefined {
  if (one?.type !== 'mutable' || other?.type !== 'mutable') return one ?? other;
  return other.sequence > one.sequence ? other : one;
}

/** The beginning of a line of JSON: keys in the order of cli.md, the value as it would be in a document. */
export function itemJsonText(target: Uint8Array, item: DhtItem, more: object): string {
  const value = formatJson(valueNode(item.value));
  const rest = JSON.stringify({ ...factsJson(item), ...more });
  return `{"target":"${formatHex(target)}","value":${value},${rest.slice(1)}`;
}

/** The link to the torrent that an item points to (BEP 46), by its infohash. */
export function torrentOf(item: DhtItem): { infoHash: string; magnet: string } | undefined {
  const pointer = decodeTorrentPointer(item.value);
  if (pointer === undefined) return undefined;
  const infoHash = formatHex(pointer);
  return { infoHash, magnet: `magnet:?xt=urn:btih:${infoHash}` };
}

/** The link that leads to whatever torrent the owner of the key points to (BEP 46). */
export function linkToKey(publicKey: Uint8Array, salt: Uint8Array): string {
  return formatMagnet({
    publicKey: formatHex(publicKey),
    ...(salt.length === 0 ? {} : { salt: formatHex(salt) }),
    ...{ trackers: [], webSeeds: [], peers: [], nodes: [] },
  });
}

function factsJson(item: DhtItem): object {
  if (item.type === 'immutable') return {};
  const { sequence, publicKey, signature, salt } = item;
  return {
    sequence: sequenceJson(sequence),
    publicKey: formatHex(publicKey),
    signature: formatHex(signature),
    salt: salt.length === 0 ? undefined : formatHex(salt),
    infoHash: torrentOf(item)?.infoHash,
  };
}

/** As bencode in JSON: a number where that is exact. */
function sequenceJson(sequence: bigint): number | { $int: string } {
  return sequence <= Number.MAX_SAFE_INTEGER ? Number(sequence) : { $int: String(sequence) };
}
