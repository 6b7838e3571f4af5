/**
 * Trackers, seeds and nodes as lists to change. Nothing that is text is left out or mended, so that
 * entries that nobody asked to change come out as they went in.
 *
 * @module
 */

import { decodeName, encodeName } from '../base/bytes.ts';
import { type Endpoint, parseEndpoint } from '../base/endpoint.ts';
import type { BencodeNode } from '../bencode/index.ts';
import type { KeyEdit } from './edit-splice.ts';

type Tiers = readonly (readonly string[])[];

/**
 * `announce-list` by tier, URLs by `decodeName`. A tracker of `announce` that is not in the list
 * comes first, in a tier of its own.
 */
export function readRawTiers(root: BencodeNode): Tiers {
  const tiers = [...(root.get('announce-list')?.items() ?? [])].map(textsOf);
  const single = textsOf(root.get('announce'))[0];
  const isListed = single === undefined || tiers.flat().includes(single);
  return [...(isListed ? [] : [[single]]), ...tiers].filter((tier) => tier.length > 0);
}

/** What makes `tiers` of the trackers of `root`: nothing when they are the same. */
export function tierEdits(root: BencodeNode, tiers: Tiers): readonly KeyEdit[] {
  const filled = tiers.filter((tier) => tier.length > 0);
  if (isSame(filled, readRawTiers(root))) return [];
  const urls = filled.flat().map(encodeName);
  const isList = urls.length > 1 || (urls.length > 0 && root.get('announce-list') !== undefined);
  const list = isList ? filled.map((tier) => tier.map(encodeName)) : undefined;
  return [
    { path: ['announce'], value: urls[0] },
    { path: ['announce-list'], value: list },
  ];
}

/** The URLs of `url-list` or `httpseeds`, a list or one string, by `decodeName`. */
export function readRawSeeds(root: BencodeNode, key: string): readonly string[] {
  return textsOf(root.get(key));
}

/** As {@link tierEdits}, for `url-list` or `httpseeds`. */
export function seedEdits(
  root: BencodeNode,
  key: string,
  urls: readonly string[],
): readonly KeyEdit[] {
  if (isSame(urls, readRawSeeds(root, key))) return [];
  return [{ path: [key], value: urls.length === 0 ? undefined : urls.map(encodeName) }];
}

/** The `nodes` (BEP 5) that have a host and a port. */
export function readRawNodes(root: BencodeNode): readonly Endpoint[] {
  const nodes: Endpoint[] = [];
  for (const item of root.get('nodes')?.items() ?? []) {
    const [host, port] = [...item.items()];
    const name = host?.asText() ?? '';
    const text = `${name.includes(':') ? `[${name}]` : name}:${port?.asNumber()}`;
    const endpoint = parseEndpoint(text);
    if (endpoint !== undefined) nodes.push(endpoint);
  }
  return nodes;
}

/** As {@link tierEdits}, for `nodes`. */
export function nodeEdits(root: BencodeNode, nodes: readonly Endpoint[]): readonly KeyEdit[] {
  if (isSame(nodes, readRawNodes(root))) return [];
  const value = nodes.map(({ host, port }) => [host, port]);
  return [{ path: ['nodes'], value: value.length === 0 ? undefined : value }];
}

/** One string or a list of them; empty ones say nothing. */
function textsOf(node: BencodeNode | undefined): readonly string[] {
  const items = node === undefined ? [] : node.kind === 'list' ? [...node.items()] : [node];
  return items
    .map((item) => item.asBytes())
    .filter((bytes) => bytes !== undefined)
    .filter((bytes) => bytes.length > 0)
    .map(decodeName);
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
