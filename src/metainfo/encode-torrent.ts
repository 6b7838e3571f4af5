/** Whole torrents, to bytes (BEP 3, 5, 12, 17, 19, 52), and how many bytes those will be. @module */

import { parseHex } from '../base/bytes.ts';
import { invariant } from '../base/errors.ts';
import { HASH_LENGTH } from '../base/merkle.ts';
import { type BencodeInput, type BencodeNode, decode, encode } from '../bencode/index.ts';
import type { InfoDraft, InfoPlan, SurroundingsDraft } from './draft.ts';
import { type Entries, entriesOf, infoDictionary } from './encode-info.ts';
import { MAX_NESTING } from './limits.ts';
import { planInfo } from './plan.ts';

/**
 * A .torrent, canonical but for the info dictionary, which stays as it is.
 *
 * @param pieceLayers v2 and hybrid: the hashes of each file's pieces by its root in hex. They are
 *   written even when there are none, as libtorrent does it; with v1 they never are.
 * @throws {ProtocolError} when `infoBytes` are no bencode.
 */
export function encodeTorrent(
  infoBytes: Uint8Array,
  surroundings: SurroundingsDraft,
  pieceLayers: ReadonlyMap<string, Uint8Array> = new Map(),
): Uint8Array {
  const info = decode(infoBytes, { maxDepth: MAX_NESTING });
  const entries = surroundingEntries(surroundings);
  entries.set('info', info);
  if (hasTree(info)) entries.set('piece layers', layerEntries(pieceLayers));
  return encode(entries);
}

/**
 * Bytes of the .torrent that will come of a draft, known before anything is hashed. It becomes
 * smaller only when files of several pieces have the same content: they share their hashes.
 *
 * @throws {UsageError} as {@link planInfo}.
 */
export function torrentSize(draft: InfoDraft, surroundings: SurroundingsDraft): number {
  const plan = planInfo(draft);
  const entries = surroundingEntries(surroundings);
  entries.set('info', 0);
  if (draft.version !== 'v1') entries.set('piece layers', 0);
  const layers = draft.version === 'v1' ? 0 : layersSize(plan) - ZERO_SIZE;
  return encode(entries).length + infoSize(plan) - ZERO_SIZE + layers;
}

/** Bytes of `i0e`, which stands for what is not made to be measured. */
const ZERO_SIZE = 3;

function infoSize(plan: InfoPlan): number {
  const pieces = new Uint8Array();
  const root = new Uint8Array(HASH_LENGTH);
  const roots = new Map(Array.from(plan.files.keys(), (at) => [at, root]));
  const info = infoDictionary(plan, { pieces, roots });
  const isReplaced = info.get('pieces') !== pieces;
  const missing = isReplaced ? 0 : stringSize(plan.pieceCount * 20) - stringSize(0);
  return encode(info).length + missing;
}

function layersSize({ files, pieceLength }: InfoPlan): number {
  let size = 'de'.length;
  for (const { length, padding } of files) {
    if (padding || length <= pieceLength) continue;
    const layer = Math.ceil(length / pieceLength) * HASH_LENGTH;
    size += stringSize(HASH_LENGTH) + stringSize(layer);
  }
  return size;
}

/** Bytes of a string of `length` bytes in bencode. */
function stringSize(length: number): number {
  return `${length}:`.length + length;
}

function surroundingEntries(draft: SurroundingsDraft): Entries {
  const { webSeeds = [], httpSeeds = [], nodes = [] } = draft;
  const tiers = (draft.announce ?? []).filter((tier) => tier.length > 0);
  const trackers = tiers.flat();
  const entries = entriesOf(
    {
      announce: trackers[0],
      'announce-list': trackers.length > 1 ? tiers : undefined,
      comment: draft.comment,
      'created by': draft.createdBy,
      'creation date': draft.creationDate,
      encoding: draft.encoding,
      httpseeds: listInput(httpSeeds),
      nodes: listInput(nodes.map(({ host, port }) => [host, port])),
      'url-list': listInput(webSeeds),
    },
    draft.extra,
  );
  entries.delete('info');
  entries.delete('piece layers');
  return entries;
}

/** Empty lists are not written. */
function listInput(list: readonly BencodeInput[]): BencodeInput | undefined {
  return list.length === 0 ? undefined : list;
}

function hasTree(info: BencodeNode): boolean {
  return info.get('file tree') !== undefined;
}

function layerEntries(
  layers: ReadonlyMap<string, Uint8Array>,
): ReadonlyMap<Uint8Array, BencodeInput> {
  const entries = new Map<Uint8Array, BencodeInput>();
  for (const [root, layer] of layers) {
    const key = parseHex(root);
    invariant(key?.length === HASH_LENGTH, `${root} is no pieces root`);
    entries.set(key, layer);
  }
  return entries;
}
