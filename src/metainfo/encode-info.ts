/** The info dictionary, to bytes (BEP 3, BEP 27, BEP 38, BEP 39, BEP 47, BEP 52). @module */

import { encodeName, isPlainName } from '../base/bytes.ts';
import { invariant } from '../base/errors.ts';
import { HASH_LENGTH } from '../base/merkle.ts';
import { type BencodeInput, encode } from '../bencode/index.ts';
import type { DraftFile, InfoHashes, InfoPlan, PlannedFile } from './draft.ts';
import { isSingle } from './plan.ts';

/** Bytes of a SHA-1. */
const PIECE_HASH_LENGTH = 20;

/** Canonical; what an infohash is taken of. @throws {InvariantError} for hashes that do not fit. */
export function encodeInfo(plan: InfoPlan, hashes: InfoHashes): Uint8Array {
  const { pieceCount, draft } = plan;
  invariant(
    draft.version === 'v2' || hashes.pieces?.length === pieceCount * PIECE_HASH_LENGTH,
    `${hashes.pieces?.length} bytes of hashes for ${pieceCount} pieces`,
  );
  return encode(infoDictionary(plan, hashes));
}

/** A dictionary that is being put together. */
export type Entries = Map<string, BencodeInput>;

/** With whatever stands for the hashes: they are not looked at, but for the length of roots. */
export function infoDictionary(plan: InfoPlan, hashes: InfoHashes): Entries {
  const { draft, pieceLength } = plan;
  const { version, similar = [], collections = [] } = draft;
  return entriesOf(
    {
      ...(version === 'v1' ? {} : treePart(plan, hashes.roots)),
      ...(version === 'v2' ? {} : listPart(plan, hashes.pieces)),
      name: nameInput(draft.name),
      'piece length': pieceLength,
      private: draft.private === undefined ? undefined : Number(draft.private),
      source: draft.source,
      similar: similar.length > 0 ? similar.map(({ bytes }) => bytes) : undefined,
      collections: collections.length > 0 ? collections : undefined,
      'update-url': draft.updateUrl,
    },
    draft.extra,
  );
}

/** `known` with `extra` laid over it, without what is `undefined`. */
export function entriesOf(
  known: Readonly<Record<string, BencodeInput | undefined>>,
  extra: ReadonlyMap<string, BencodeInput | undefined> = new Map(),
): Entries {
  const entries: Entries = new Map();
  for (const [key, value] of [...Object.entries(known), ...extra]) {
    if (value === undefined) entries.delete(key);
    else entries.set(key, value);
  }
  return entries;
}

/** What v1 reads besides the name. */
function listPart(
  plan: InfoPlan,
  pieces: Uint8Array | undefined,
): Readonly<Record<string, BencodeInput | undefined>> {
  const { files } = plan;
  const [single] = files;
  if (isSingle(plan.draft) && single !== undefined) {
    return { ...propertiesOf(plan, single), length: single.length, pieces };
  }
  const list = files.map((file) => ({
    ...propertiesOf(plan, file),
    length: file.length,
    path: file.path.slice(1).map(nameInput),
  }));
  return { files: list, pieces };
}

/** What v2 reads besides the name. */
function treePart(
  plan: InfoPlan,
  roots: ReadonlyMap<number, Uint8Array> = new Map(),
): Readonly<Record<string, BencodeInput>> {
  const tree: Folder = { entries: new Map(), folders: new Map() };
  for (const [at, file] of plan.files.entries()) {
    if (file.padding) continue;
    const root = roots.get(at);
    invariant(
      file.length === 0 || root?.length === HASH_LENGTH,
      `file ${at} of the plan has no pieces root`,
    );
    // A symlink has no length, as libtorrent writes it.
    const leaf = {
      ...propertiesOf(plan, file),
      length: file.symlink === undefined ? file.length : undefined,
      'pieces root': file.length === 0 ? undefined : root,
    };
    const path = isSingle(plan.draft) ? file.path : file.path.slice(1);
    folderOf(tree, path).entries.set(path.at(-1) ?? '', { '': leaf });
  }
  return { 'file tree': tree.entries, 'meta version': 2 };
}

/** A folder of the file tree: what is encoded, and its folders again to put files into. */
interface Folder {
  readonly entries: Entries;
  readonly folders: Map<string, Folder>;
}

/** The folder that the file at `path` lies in; made where it is missing. */
function folderOf(tree: Folder, path: readonly string[]): Folder {
  let folder = tree;
  for (const name of path.slice(0, -1)) {
    let inner = folder.folders.get(name);
    if (inner === undefined) {
      inner = { entries: new Map(), folders: new Map() };
      folder.folders.set(name, inner);
      folder.entries.set(name, inner.entries);
    }
    folder = inner;
  }
  return folder;
}

/** What both parts of a hybrid say of a file besides its place and length. */
function propertiesOf(
  { draft }: InfoPlan,
  { draft: index }: PlannedFile,
): Readonly<Record<string, BencodeInput | undefined>> {
  const file = index === undefined ? undefined : draft.files[index];
  if (file === undefined) return { attr: 'p' };
  return {
    ...file.checksums,
    attr: attributesOf(file),
    'symlink path': file.symlink?.map(nameInput),
  };
}

/** In libtorrent's order. To links it gives `x` as well, as systems do: that is up to the draft. */
function attributesOf({ hidden, executable, symlink }: DraftFile): string | undefined {
  const letters = [
    hidden === true ? 'h' : '',
    executable === true ? 'x' : '',
    symlink === undefined ? '' : 'l',
  ].join('');
  return letters === '' ? undefined : letters;
}

/** The bytes of a name; text where it stands for them. */
function nameInput(name: string): string | Uint8Array {
  return isPlainName(name) ? name : encodeName(name);
}
