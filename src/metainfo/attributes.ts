/** Fields of one file that v1 and v2 share: length, attributes, symlink (BEP 3, BEP 47, BEP 52). @module */

import { compareBytes, encodeUtf8, equalBytes } from '../base/bytes.ts';
import type { BencodeNode } from '../bencode/index.ts';
import { MAX_TOTAL_LENGTH } from './limits.ts';
import { refuse, type Warnings } from './report.ts';

/** A file as it was read; becomes a `FileEntry` once all are known. */
export interface FileDraft {
  path: readonly string[];
  rawPath?: readonly string[];
  length: number;
  offset: number;
  padding: boolean;
  executable: boolean;
  hidden: boolean;
  symlink?: readonly string[];
  piecesRoot?: Uint8Array;
}

/** A dictionary by key, read in one go: a lookup for each key would scan it each time. */
export type Fields = ReadonlyMap<string, BencodeNode>;

/** The keys that bip knows, by their length, so that no text is made of those in the input. */
const KNOWN_KEYS: readonly (readonly { readonly text: string; readonly bytes: Uint8Array }[])[] =
  byLength(
    'announce',
    'announce-list',
    'attr',
    'collections',
    'comment',
    'comment.utf-8',
    'created by',
    'created by.utf-8',
    'creation date',
    'file tree',
    'files',
    'httpseeds',
    'info',
    'length',
    'meta version',
    'name',
    'name.utf-8',
    'nodes',
    'path',
    'path.utf-8',
    'piece layers',
    'piece length',
    'pieces',
    'pieces root',
    'private',
    'similar',
    'source',
    'source.utf-8',
    'symlink path',
    'update-url',
    'update-url.utf-8',
    'url-list',
  );

/** What stands under the keys that bip knows. Warns of keys that are not in their order (BEP 3). */
export function fieldsOf(dictionary: BencodeNode, warnings?: Warnings): Fields {
  const fields = new Map<string, BencodeNode>();
  let before: Uint8Array | undefined;
  let isSorted = true;
  for (const [key, value] of dictionary.entries()) {
    const text = knownKey(key);
    if (text !== undefined) fields.set(text, value);
    isSorted &&= before === undefined || compareBytes(before, key) <= 0;
    before = key;
  }
  if (!isSorted) {
    warnings?.add(
      'unsorted-keys',
      `the keys of the dictionary at byte ${dictionary.offset} are not in order; some programs refuse such a torrent, or take it for another`,
    );
  }
  return fields;
}

function knownKey(key: Uint8Array): string | undefined {
  for (const { text, bytes } of KNOWN_KEYS[key.length] ?? []) {
    if (equalBytes(key, bytes)) return text;
  }
  return undefined;
}

function byLength(...keys: readonly string[]): { text: string; bytes: Uint8Array }[][] {
  const longest = Math.max(...keys.map((key) => key.length));
  return Array.from({ length: longest + 1 }, (_, length) =>
    keys.filter((key) => key.length === length).map((text) => ({ text, bytes: encodeUtf8(text) })),
  );
}

/** Letters of `attr` (BEP 47); unknown ones are ignored. */
export interface Attributes {
  readonly symlink: boolean;
  readonly executable: boolean;
  readonly hidden: boolean;
  readonly padding: boolean;
}

const NO_ATTRIBUTES: Attributes = {
  symlink: false,
  executable: false,
  hidden: false,
  padding: false,
};

export function readAttributes(fields: Fields): Attributes {
  const letters = fields.get('attr')?.asBytes();
  if (letters === undefined || letters.length === 0) return NO_ATTRIBUTES;
  return {
    symlink: letters.includes(0x6c),
    executable: letters.includes(0x78),
    hidden: letters.includes(0x68),
    padding: letters.includes(0x70),
  };
}

/**
 * The length of a file in bytes; symlinks have none, whatever they say (BEP 47).
 *
 * @throws {ProtocolError} missing, negative, no integer, or beyond `max`.
 */
export function readLength(
  fields: Fields,
  { symlink }: Attributes,
  place: { readonly offset: number; readonly max?: number },
): number {
  if (symlink) return 0;
  const length = fields.get('length')?.asNumber();
  if (length !== undefined && length >= 0 && length <= (place.max ?? MAX_TOTAL_LENGTH)) {
    return length;
  }
  throw refuse(
    'LENGTH',
    `the file at byte ${place.offset} has no usable length: it has to be from 0 to ${place.max ?? MAX_TOTAL_LENGTH} bytes`,
    { rule: 'BEP 3 length', offset: place.offset },
  );
}
