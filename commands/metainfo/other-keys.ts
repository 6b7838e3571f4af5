/** What stands in a torrent beside all that bip has a name for: nothing of it is to be lost. @module */

import { decodeUtf8, equalBytes } from '../../src/base/bytes.ts';
import { type BencodeNode, formatKey, type JsonValue, toJson } from '../../src/bencode/index.ts';
import type { Metainfo } from '../../src/metainfo/index.ts';
import { maskSecrets } from '../cli/secrets.ts';
import { formatIsoTime } from './iso-time.ts';

/** Keys and values, as bencode in JSON. */
export type OtherKeys = Readonly<Record<string, JsonValue>>;

/** True when bip says elsewhere all that the value says. */
type IsTold = (value: BencodeNode, beside: BencodeNode) => boolean;

type Told = ReadonlyMap<string, IsTold>;

/** Keys beside the info dictionary that the fields of an inspection do not show. */
export function otherRootKeys(root: BencodeNode, metainfo: Metainfo, reveal: boolean): OtherKeys {
  const trackers = metainfo.announce.flat();
  const told: Told = new Map([
    ...ROOT,
    ['announce', (value) => ['', ...trackers].includes(value.asText()?.trim() ?? ' ')],
  ]);
  return othersOf(root, told, reveal);
}

/** Keys of the info dictionary, as {@link otherRootKeys}. */
export function otherInfoKeys(info: BencodeNode, reveal: boolean): OtherKeys {
  return othersOf(info, INFO, reveal);
}

/**
 * Keys of each file, by its index in `metainfo.files`: checksums and the like. Both parts of a
 * hybrid are looked at.
 */
export function otherFileKeys(
  info: BencodeNode,
  { files, version }: Metainfo,
  reveal: boolean,
): ReadonlyMap<number, OtherKeys> {
  const found = new Map<number, OtherKeys>();
  const add = (index: number | undefined, node: BencodeNode): void => {
    const others = othersOf(node, FILE, reveal);
    if (index === undefined || Object.keys(others).length === 0) return;
    found.set(index, { ...found.get(index), ...others });
  };
  if (version !== 'v2') {
    for (const [index, node] of [...(info.get('files')?.items() ?? [])].entries()) add(index, node);
  }
  const tree = info.get('file tree');
  if (version === 'v1' || tree === undefined) return found;
  const real = [...files.keys()].filter((index) => files[index]?.padding === false);
  for (const [at, leaf] of [...leaves(tree)].entries()) add(real[at], leaf);
  return found;
}

/** JSON with the secrets in its URLs masked. */
export function maskJson(value: JsonValue): JsonValue {
  if (typeof value === 'string') return maskSecrets(value);
  if (typeof value === 'number') return value;
  if (isList(value)) return value.map(maskJson);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, maskJson(item)]));
}

function isList(value: object): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** Properties of files, in the order of the tree; torrents nest at most 100 folders. */
function* leaves(folder: BencodeNode): Iterable<BencodeNode> {
  for (const [key, node] of folder.entries()) {
    if (key.length === 0) yield node;
    else yield* leaves(node);
  }
}

function othersOf(dictionary: BencodeNode, told: Told, reveal: boolean): OtherKeys {
  const others: [string, JsonValue][] = [];
  for (const [key, value] of dictionary.entries()) {
    const text = decodeUtf8(key);
    if (text !== undefined && told.get(text)?.(value, dictionary) === true) continue;
    const json = toJson(value);
    others.push([formatKey(key), reveal ? json : maskJson(json)]);
  }
  return Object.fromEntries(others);
}

const isDictionary: IsTold = (value) => value.kind === 'dictionary';
const isListNode: IsTold = (value) => value.kind === 'list';
const isInteger: IsTold = (value) => value.kind === 'integer';
const isBytes: IsTold = (value) => value.kind === 'bytes';
const isListed: IsTold = (value) => value.kind === 'list' || value.kind === 'bytes';

/** Text that is shown as it is; bytes that are not UTF-8 are shown with something lost. */
const isText: IsTold = (value) => (value.asText() ?? '') !== '';

const isTime: IsTold = (value) => {
  const seconds = value.asNumber() ?? -1;
  return seconds >= 0 && formatIsoTime(seconds) !== undefined;
};

/** Letters that attributes of BEP 47 have. */
const isAttributes: IsTold = (value) => /^[lxhp]*$/.test(value.asText() ?? '-');

/** `KEY` counts for nothing when there is a `KEY.utf-8` that says something else. */
function unlessHidden(key: string, isTold: IsTold): IsTold {
  return (value, beside) => {
    const stronger = beside.get(`${key}.utf-8`);
    if (stronger === undefined || stronger.kind !== value.kind) return isTold(value, beside);
    return equalBytes(stronger.raw, value.raw);
  };
}

/** A text and its twin in UTF-8. */
function texts(...keys: readonly string[]): readonly (readonly [string, IsTold])[] {
  return keys.flatMap((key) => [
    [key, unlessHidden(key, isText)],
    [`${key}.utf-8`, isText],
  ]);
}

const ROOT: readonly (readonly [string, IsTold])[] = [
  ...texts('comment', 'created by'),
  ['announce-list', isListNode],
  ['collections', isListNode],
  ['creation date', isTime],
  ['encoding', isText],
  ['httpseeds', isListed],
  ['info', isDictionary],
  ['nodes', isListNode],
  ['piece layers', isDictionary],
  ['similar', isListNode],
  ['url-list', isListed],
];

/** `name` and `path` are shown as raw names when they are no text. */
const INFO: Told = new Map([
  ...texts('source', 'update-url'),
  ['attr', isAttributes],
  ['collections', isListNode],
  ['file tree', isDictionary],
  ['files', isListNode],
  ['length', isInteger],
  ['meta version', (value) => value.asNumber() === 2],
  ['name', unlessHidden('name', isBytes)],
  ['name.utf-8', isBytes],
  ['piece length', isInteger],
  ['pieces', isBytes],
  ['private', (value) => value.asNumber() === 1],
  ['similar', isListNode],
  ['symlink path', isListNode],
]);

const FILE: Told = new Map([
  ['attr', isAttributes],
  ['length', isInteger],
  ['path', unlessHidden('path', isListNode)],
  ['path.utf-8', isListNode],
  ['pieces root', isBytes],
  ['symlink path', isListNode],
]);
