/** What stands beside the info dictionary (BEP 3, 5, 12, 17, 19). Wrong types count as absent. @module */

import { decodeUtf8Lossy } from '../base/bytes.ts';
import { type Endpoint, parseEndpoint } from '../base/endpoint.ts';
import { InfoHash } from '../base/ids.ts';
import type { BencodeNode } from '../bencode/index.ts';
import type { Fields } from './attributes.ts';
import { MAX_LISTED } from './limits.ts';
import type { Surroundings } from './metainfo.ts';
import type { Warnings } from './report.ts';
import { readSeeds, readTiers } from './urls.ts';

/** `isFolder`: the torrent has more than a single file at its top. */
export function readSurroundings(
  root: Fields,
  options: { readonly isFolder: boolean; readonly warnings: Warnings },
): Surroundings {
  const comment = readText(root, 'comment');
  const createdBy = readText(root, 'created by');
  const creationDate = root.get('creation date')?.asNumber();
  return {
    announce: readTiers(root.get('announce-list'), root.get('announce'), options.warnings),
    webSeeds: readSeeds(root.get('url-list'), options),
    httpSeeds: readSeeds(root.get('httpseeds'), { ...options, isFolder: false }),
    nodes: readNodes(root.get('nodes'), options.warnings),
    ...(comment === undefined ? {} : { comment }),
    ...(createdBy === undefined ? {} : { createdBy }),
    ...(creationDate === undefined || creationDate < 0 ? {} : { creationDate }),
  };
}

/** `key.utf-8` wins over `key`; bytes that are not UTF-8 become U+FFFD. */
export function readText(fields: Fields, key: string): string | undefined {
  const bytes = fields.get(`${key}.utf-8`)?.asBytes() ?? fields.get(key)?.asBytes();
  return bytes === undefined || bytes.length === 0 ? undefined : decodeUtf8Lossy(bytes);
}

/** `[[host, port], …]` (BEP 5). */
function readNodes(node: BencodeNode | undefined, warnings: Warnings): readonly Endpoint[] {
  const nodes: Endpoint[] = [];
  for (const item of node?.items() ?? []) {
    const [host, port] = [...take(item.items(), 2)];
    const name = host?.asText() ?? '';
    const endpoint = parseEndpoint(
      `${name.includes(':') ? `[${name}]` : name}:${port?.asNumber()}`,
    );
    if (endpoint === undefined) continue;
    if (nodes.length < MAX_LISTED) nodes.push(endpoint);
    else warnings.addLimit('DHT nodes', MAX_LISTED);
  }
  return nodes;
}

/** BEP 38: `similar` inside and outside of the info dictionary. */
export function readSimilar(
  lists: readonly (BencodeNode | undefined)[],
  warnings: Warnings,
): readonly InfoHash[] {
  const hashes = new Map<string, InfoHash>();
  for (const item of itemsOf(lists)) {
    const bytes = item.asBytes();
    if (bytes?.length !== 20 && bytes?.length !== 32) continue;
    const hash = new InfoHash(bytes);
    if (hashes.size < MAX_LISTED) hashes.set(hash.hex, hash);
    else if (!hashes.has(hash.hex)) warnings.addLimit('similar torrents', MAX_LISTED);
  }
  return [...hashes.values()];
}

/** BEP 38: `collections` inside and outside of the info dictionary. */
export function readCollections(
  lists: readonly (BencodeNode | undefined)[],
  warnings: Warnings,
): readonly string[] {
  const names = new Set<string>();
  for (const item of itemsOf(lists)) {
    const bytes = item.asBytes();
    if (bytes === undefined) continue;
    const name = decodeUtf8Lossy(bytes);
    if (names.size < MAX_LISTED) names.add(name);
    else if (!names.has(name)) warnings.addLimit('collections', MAX_LISTED);
  }
  return [...names];
}

function* itemsOf(lists: readonly (BencodeNode | undefined)[]): Iterable<BencodeNode> {
  for (const list of lists) yield* list?.items() ?? [];
}

function* take<Item>(items: Iterable<Item>, count: number): Iterable<Item> {
  let left = count;
  for (const item of items) {
    if (left-- <= 0) return;
    yield item;
  }
}
