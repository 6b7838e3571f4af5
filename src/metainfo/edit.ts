/**
 * Torrents changed in place: what nobody asked to change keeps its bytes and its place, whether bip
 * knows it or not, and so the infohash changes with the info dictionary only.
 *
 * @module
 */

import { concatBytes, decodeName, encodeUtf8 } from '../base/bytes.ts';
import type { Endpoint } from '../base/endpoint.ts';
import { ProtocolError, UsageError } from '../base/errors.ts';
import { type BencodeInput, type BencodeNode, decode } from '../bencode/index.ts';
import {
  nodeEdits,
  readRawNodes,
  readRawSeeds,
  readRawTiers,
  seedEdits,
  tierEdits,
} from './edit-lists.ts';
import { type KeyChange, type KeyEdit, spliceKeys } from './edit-splice.ts';
import { MAX_NESTING, MAX_TOKENS } from './limits.ts';
import type { Metainfo } from './metainfo.ts';
import { type ParseOptions, parseMetainfo } from './parse.ts';
import { sanitizeComponent } from './path.ts';
import { show } from './report.ts';

/** What is to change. Functions get a list as it stands and give it as it is to be. */
export interface TorrentEdits {
  /** Of several for one key the last counts. */
  readonly keys?: readonly KeyEdit[];
  /** A new name; for a single file of v2 it is the name of the file as well. */
  readonly name?: string;
  /** Trackers by tier, also those that bip cannot use; none takes all away. */
  readonly announce?: (tiers: readonly (readonly string[])[]) => readonly (readonly string[])[];
  readonly webSeeds?: (urls: readonly string[]) => readonly string[];
  readonly httpSeeds?: (urls: readonly string[]) => readonly string[];
  readonly nodes?: (nodes: readonly Endpoint[]) => readonly Endpoint[];
  /** Takes away the keys beside the info dictionary that no BEP knows; what `keys` sets stays. */
  readonly clean?: boolean;
}

export interface EditedTorrent {
  /** The very bytes that came when nothing changed. Bytes behind the torrent are kept. */
  readonly bytes: Uint8Array;
  /** Paths of keys as `formatPath` writes them, e.g. `announce`, `info.source`. */
  readonly changed: readonly string[];
  readonly changes: readonly KeyChange[];
  readonly before: Metainfo;
  readonly after: Metainfo;
}

/** Of BEP 3, 5, 12, 17, 19, 35, 38, 52, and those that are older than the BEPs and everywhere. */
const KNOWN_KEYS: ReadonlySet<string> = new Set([
  'announce',
  'announce-list',
  'collections',
  'comment',
  'comment.utf-8',
  'created by',
  'created by.utf-8',
  'creation date',
  'encoding',
  'httpseeds',
  'info',
  'nodes',
  'piece layers',
  'signatures',
  'similar',
  'url-list',
]);

/**
 * Changes a .torrent.
 *
 * @throws {ProtocolError} as `parseMetainfo`, for a torrent that is broken before.
 * @throws {UsageError} for edits that would break it, or lead into what is no dictionary.
 */
export function editTorrent(
  bytes: Uint8Array,
  edits: TorrentEdits,
  options: ParseOptions = {},
): EditedTorrent {
  const before = parseMetainfo(bytes, options);
  const root = decode(bytes, { fullDecode: false, maxDepth: MAX_NESTING, maxTokens: MAX_TOKENS });
  const { bytes: spliced, changes } = spliceKeys(root, keyEdits(root, edits, before));
  if (changes.length === 0) return { bytes, changed: [], changes, before, after: before };
  const whole = concatBytes(spliced, bytes.subarray(root.end));
  const after = reparse(whole, before, options);
  return { bytes: whole, changed: changes.map(({ key }) => key), changes, before, after };
}

/**
 * A text, or none for `undefined`. Its older twin `KEY.utf-8`, which would win, goes away.
 */
export function textEdits(path: readonly string[], text: string | undefined): readonly KeyEdit[] {
  const twin = [...path.slice(0, -1), `${path.at(-1)}.utf-8`];
  return [
    { path, value: text },
    { path: twin, value: undefined },
  ];
}

function keyEdits(root: BencodeNode, edits: TorrentEdits, before: Metainfo): readonly KeyEdit[] {
  const { keys = [], name, announce, webSeeds, httpSeeds, nodes, clean = false } = edits;
  return [
    ...(clean ? cleanEdits(root, keys) : []),
    ...keys,
    ...(name === undefined ? [] : nameEdits(root, name, before)),
    ...(announce === undefined ? [] : tierEdits(root, announce(readRawTiers(root)))),
    ...(webSeeds === undefined ? [] : seedsOf(root, 'url-list', webSeeds)),
    ...(httpSeeds === undefined ? [] : seedsOf(root, 'httpseeds', httpSeeds)),
    ...(nodes === undefined ? [] : nodeEdits(root, nodes(readRawNodes(root)))),
  ];
}

function seedsOf(
  root: BencodeNode,
  key: string,
  change: (urls: readonly string[]) => readonly string[],
): readonly KeyEdit[] {
  return seedEdits(root, key, change(readRawSeeds(root, key)));
}

function cleanEdits(root: BencodeNode, keys: readonly KeyEdit[]): readonly KeyEdit[] {
  const wanted = new Set([...KNOWN_KEYS, ...keys.map(({ path }) => path[0] ?? '')]);
  return [...root.entries()]
    .map(([key]) => decodeName(key))
    .filter((key) => !wanted.has(key))
    .map((key) => ({ path: [key], value: undefined }));
}

function nameEdits(root: BencodeNode, name: string, before: Metainfo): readonly KeyEdit[] {
  if (sanitizeComponent(encodeUtf8(name), { force: true }) !== name) {
    throw new UsageError(`\`${show(name)}\` is no name that every system could write`);
  }
  const edits = textEdits(['info', 'name'], name);
  const tree = root.get('info')?.get('file tree');
  const isSingle = before.files.every(({ path }) => path.length === 1);
  if (tree === undefined || !isSingle) return edits;
  const [file] = tree.values();
  const renamed = new Map<string, BencodeInput>(file === undefined ? [] : [[name, file]]);
  return [...edits, { path: ['info', 'file tree'], value: renamed }];
}

function reparse(bytes: Uint8Array, before: Metainfo, options: ParseOptions): Metainfo {
  try {
    const after = parseMetainfo(bytes, options);
    if (after.version === before.version) return after;
    throw new UsageError(
      `this would make a ${before.version} torrent ${after.version}; make a new one by \`bip metainfo create\``,
    );
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new UsageError(`this would break the torrent: ${error.message}`, { cause: error });
  }
}
