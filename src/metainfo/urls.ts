/** Trackers and web seeds as torrents list them (BEP 3, BEP 12, BEP 17, BEP 19). @module */

import { decodeUtf8Lossy, encodeUtf8 } from '../base/bytes.ts';
import type { BencodeNode } from '../bencode/index.ts';
import { MAX_LISTED } from './limits.ts';
import { show, type Warnings } from './report.ts';

/** HTTP, UDP (BEP 15) and WebSocket (WebTorrent). */
const TRACKER = /^(?:https?|udp|wss?):\/\/[^\s\p{Cc}]+$/iu;

const WEB_SEED = /^(?:https?|ftp):\/\/.+$/i;

/** What may stand in a URL as it is (RFC 3986 §2), `%` included: it may be an escape already. */
const NOT_IN_URLS = /[^\w\-.~:/?#[\]@!$&'()*+,;=%]+/g;

/**
 * Tiers of `announce-list`; when that has nothing to offer, the one tracker of `announce`.
 * Entries that are no URL of a tracker are left out, tiers that are empty then as well.
 */
export function readTiers(
  list: BencodeNode | undefined,
  single: BencodeNode | undefined,
  warnings: Warnings,
): readonly (readonly string[])[] {
  const tiers: string[][] = [];
  let room = MAX_LISTED;
  for (const node of list?.items() ?? []) {
    const tier = readTier(node, room, warnings);
    room -= tier.length;
    if (tier.length > 0) tiers.push(tier);
  }
  if (tiers.length > 0) return tiers;
  const url = single === undefined ? undefined : trackerUrl(single, warnings);
  return url === undefined ? [] : [[url]];
}

function readTier(node: BencodeNode, room: number, warnings: Warnings): string[] {
  const urls = new Set<string>();
  for (const item of node.items()) {
    const url = trackerUrl(item, warnings);
    if (url === undefined) continue;
    if (urls.size < room) urls.add(url);
    else if (!urls.has(url)) warnings.addLimit('trackers', MAX_LISTED);
  }
  return [...urls];
}

function trackerUrl(node: BencodeNode, warnings: Warnings): string | undefined {
  const url = textOf(node)?.trim();
  if (url === undefined || url === '') return undefined;
  if (TRACKER.test(url)) return url;
  warnings.add('unsupported-url', `${show(url)} is no tracker that BitTorrent knows; left out`);
  return undefined;
}

/** `url-list` or `httpseeds`: a list or one string; each URL once, with spaces escaped. */
export function readSeeds(
  node: BencodeNode | undefined,
  options: { readonly isFolder: boolean; readonly warnings: Warnings },
): readonly string[] {
  const urls = new Set<string>();
  for (const item of node === undefined ? [] : node.kind === 'list' ? node.items() : [node]) {
    const url = textOf(item)?.trim();
    if (url === undefined || url === '') continue;
    if (urls.size >= MAX_LISTED) {
      options.warnings.addLimit('web seeds', MAX_LISTED);
      break;
    }
    if (WEB_SEED.test(url)) urls.add(seedUrl(url, options.isFolder));
    else options.warnings.add('unsupported-url', `${show(url)} is no web seed; left out`);
  }
  return [...urls];
}

/** BEP 19: with a slash at the end, the name and the path of a file are put behind it. */
function seedUrl(url: string, isFolder: boolean): string {
  const escaped = url.replace(NOT_IN_URLS, percentEncode);
  return isFolder && !escaped.endsWith('/') ? `${escaped}/` : escaped;
}

function percentEncode(text: string): string {
  let escaped = '';
  for (const byte of encodeUtf8(text)) {
    escaped += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return escaped;
}

function textOf(node: BencodeNode): string | undefined {
  const bytes = node.asBytes();
  return bytes === undefined ? undefined : decodeUtf8Lossy(bytes);
}
