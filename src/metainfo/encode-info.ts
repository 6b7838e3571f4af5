/** Info dictionaries, to bytes (BEP 3, 27, 38, 39, 47, 52). @module */

import { encodeName } from '../base/bytes.ts';
import { invariant } from '../base/errors.ts';
import { HASH_LENGTH } from '../base/merkle.ts';
import { type BencodeInput, encode } from '../bencode/index.ts';
import type { DraftFile, InfoDraft, InfoHashes, InfoPlan, PlannedFile } from './draft.ts';
import { isSingle, PADDING_FOLDER } from './plan.ts';

const SHA1_LENGTH = 20;

/** What a dictionary may hold while it is put together. */
type Entries = Map<string, BencodeInput>;

/** Canonical. Its hash is the infohash: nobody encodes it again. */
export function encodeInfo(plan: InfoPlan, hashes: InfoHashes): Uint8Array {
  const { draft } = plan;
  const { version, pieceLength } = draft;
  const info: Entries = new Map<string, BencodeInput>([
    ['name', encodeName(draft.name)],
    ['piece length', pieceLength],
  ]);
  if (version !== 'v2') addV1(info, plan, hashes);
  if (version !== 'v1') {
    info.set('meta version', 2);
    info.set('file tree', fileTree(plan, hashes));
  }
  addSettings(info, draft);
  for (const [key, value] of draft.extra ?? []) {
    if (value === undefined) info.delete(key);
    else info.set(key, value);
  }
  return encode(info);
}

function addV1(info: Entries, { draft, files, pieceCount }: InfoPlan, hashes: InfoHashes): void {
  const { pieces } = hashes;
  invariant(
    pieces?.length === pieceCount * SHA1_LENGTH,
    `${pieces?.length} bytes of hashes for ${pieceCount} pieces`,
  );
  info.set('pieces', pieces);
  const [single] = draft.files;
  if (single === undefined || !isSingle(draft)) {
    info.set(
      'files',
      files.map((file) => fileEntry(file, draft)),
    );
    return;
  }
  info.set('length', single.length);
  addFileKeys(info, single);
}

function fileEntry({ path, length, draft: index }: PlannedFile, draft: InfoDraft): Entries {
  const file = index === undefined ? undefined : draft.files[index];
  const entry: Entries = new Map<string, BencodeInput>([['length', length]]);
  if (file === undefined) {
    entry.set('attr', 'p');
    entry.set('path', [PADDING_FOLDER, `${length}`]);
    return entry;
  }
  entry.set('path', path.slice(1).map(encodeName));
  addFileKeys(entry, file);
  return entry;
}

/** What entries of v1 and leaves of v2 have in common. */
function addFileKeys(entry: Entries, file: DraftFile): void {
  const { symlink, hidden = false, executable = false, checksums = {} } = file;
  // In libtorrent's order, so that the infohash is the same.
  const attributes = `${hidden ? 'h' : ''}${executable ? 'x' : ''}${symlink === undefined ? '' : 'l'}`;
  if (attributes !== '') entry.set('attr', attributes);
  if (symlink !== undefined) entry.set('symlink path', symlink.map(encodeName));
  for (const [key, value] of Object.entries(checksums)) entry.set(key, value);
}

/** Folders nest at most 100 deep; files come in the order of the tree. */
function fileTree({ draft, files }: InfoPlan, { roots }: InfoHashes): Entries {
  const tree: Entries = new Map();
  const folders = new Map<string, Entries>([['', tree]]);
  const single = isSingle(draft);
  for (const [at, { path, length, draft: index }] of files.entries()) {
    const file = index === undefined ? undefined : draft.files[index];
    if (file === undefined) continue;
    const leaf: Entries = new Map();
    // BEP 47 lets the length of links out; libtorrent does so in the tree, and not in the list.
    if (file.symlink === undefined) leaf.set('length', length);
    if (length > 0) leaf.set('pieces root', rootOf(at, roots));
    addFileKeys(leaf, file);
    const below = single ? path : path.slice(1);
    const folder = folderOf(below.slice(0, -1), folders);
    folder.set(below.at(-1) ?? '', new Map([['', leaf]]));
  }
  return tree;
}

/** `folders` holds at least the top, under the empty path. */
function folderOf(path: readonly string[], folders: Map<string, Entries>): Entries {
  const key = path.join('/');
  const known = folders.get(key);
  if (known !== undefined) return known;
  const folder: Entries = new Map();
  folders.set(key, folder);
  folderOf(path.slice(0, -1), folders).set(path.at(-1) ?? '', folder);
  return folder;
}

function rootOf(at: number, roots: InfoHashes['roots']): Uint8Array {
  const root = roots?.get(at);
  invariant(root?.length === HASH_LENGTH, `file ${at} has no root`);
  return root;
}

function addSettings(info: Entries, draft: InfoDraft): void {
  const { source, similar = [], collections = [], updateUrl } = draft;
  if (draft.private !== undefined) info.set('private', Number(draft.private));
  if (source !== undefined) info.set('source', source);
  if (similar.length > 0)
    info.set(
      'similar',
      similar.map(({ bytes }) => bytes),
    );
  if (collections.length > 0) info.set('collections', collections);
  if (updateUrl !== undefined) info.set('update-url', updateUrl);
}
