/** Torrent files, to bytes (BEP 3, 5, 12, 17, 19, 52). @module */

import { parseHex } from '../base/bytes.ts';
import { invariant } from '../base/errors.ts';
import { HASH_LENGTH } from '../base/merkle.ts';
import { type BencodeInput, decode, encode } from '../bencode/index.ts';
import type { InfoDraft, SurroundingsDraft } from './draft.ts';
import { encodeInfo } from './encode-info.ts';
import { MAX_NESTING } from './limits.ts';
import { planInfo } from './plan.ts';

/** `infoBytes` stands in the torrent as it is. `pieceLayers` is by root in hex (v2 and hybrid). */
export function encodeTorrent(
  infoBytes: Uint8Array,
  surroundings: SurroundingsDraft,
  pieceLayers?: ReadonlyMap<string, Uint8Array>,
): Uint8Array {
  const info = decode(infoBytes, { maxDepth: MAX_NESTING });
  const isV2 = info.get('meta version') !== undefined;
  const torrent = new Map<string, BencodeInput>();
  for (const [key, value] of surroundingKeys(surroundings)) {
    if (value !== undefined) torrent.set(key, value);
  }
  torrent.set('info', info);
  if (isV2) torrent.set('piece layers', layersOf(pieceLayers ?? new Map()));
  for (const [key, value] of surroundings.extra ?? []) {
    if (value === undefined) torrent.delete(key);
    else torrent.set(key, value);
  }
  return encode(torrent);
}

/** Bytes of the .torrent of `draft`, known before anything is hashed. @throws {UsageError} as `planInfo` */
export function torrentSize(draft: InfoDraft, surroundings: SurroundingsDraft): number {
  const plan = planInfo(draft);
  const roots = new Map<number, Uint8Array>();
  let layerBytes = 0;
  const root = new Uint8Array(HASH_LENGTH);
  for (const [at, { length, padding }] of plan.files.entries()) {
    if (length === 0 || padding) continue;
    roots.set(at, root);
    if (length > plan.pieceLength) layerBytes += layerSize(length, plan.pieceLength);
  }
  const pieces = new Uint8Array(plan.pieceCount * 20);
  const info = encodeInfo(plan, draft.version === 'v2' ? { roots } : { pieces, roots });
  const layers = draft.version === 'v1' ? 0 : layerBytes;
  return encodeTorrent(info, surroundings).length + layers;
}

/** A layer with its key as they stand in the torrent: two strings of bencode. */
function layerSize(length: number, pieceLength: number): number {
  const bytes = Math.ceil(length / pieceLength) * HASH_LENGTH;
  return `${HASH_LENGTH}:`.length + HASH_LENGTH + `${bytes}:`.length + bytes;
}

function layersOf(pieceLayers: ReadonlyMap<string, Uint8Array>): Map<Uint8Array, Uint8Array> {
  const layers = new Map<Uint8Array, Uint8Array>();
  for (const [hex, layer] of pieceLayers) {
    const root = parseHex(hex);
    invariant(root?.length === HASH_LENGTH, `${hex} is no root`);
    layers.set(root, layer);
  }
  return layers;
}

function* surroundingKeys(
  surroundings: SurroundingsDraft,
): Iterable<readonly [string, BencodeInput | undefined]> {
  const { announce = [], webSeeds = [], httpSeeds = [], nodes = [] } = surroundings;
  const trackers = announce.flat();
  yield ['announce', trackers[0]];
  yield ['announce-list', trackers.length > 1 ? announce : undefined];
  yield ['comment', surroundings.comment];
  yield ['created by', surroundings.createdBy];
  yield ['creation date', surroundings.creationDate];
  yield ['encoding', surroundings.encoding];
  yield ['httpseeds', httpSeeds.length > 0 ? httpSeeds : undefined];
  yield ['nodes', nodes.length > 0 ? nodes.map(({ host, port }) => [host, port]) : undefined];
  yield ['url-list', webSeeds.length > 0 ? webSeeds : undefined];
}
