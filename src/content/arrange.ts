/** Lays out content that was found elsewhere where its torrent wants it, by links or copies. @module */

import { StorageError } from '../base/errors.ts';
import { assertSafePath, linkTarget } from '../disk/index.ts';
import type { FileEntry, Metainfo } from '../metainfo/index.ts';
import type { Files } from '../runtime/ports.ts';
import { type ContentPlace, placeOf } from './verify-place.ts';

/** Bytes copied at once. */
const COPY_BYTES: number = 1024 * 1024;

/** `link`: hard links, or symbolic ones where the file system has no hard ones between the two. */
export type ArrangeMethod = 'link' | 'symlink' | 'copy';

/** What is made at a place. `empty`: a file without bytes; `torrent-link`: a symlink of the torrent. */
export type PlacedAs = 'hard-link' | 'symlink' | 'copy' | 'empty' | 'torrent-link';

/** Something that is to be made. */
export interface Placement {
  /** Path in the torrent, with `/`. */
  readonly path: string;
  /** Where it is to be. */
  readonly target: string;
  /** What it is made of: a file, or the text of a symlink; nothing for empty files. */
  readonly at?: string;
  /** `hard-link` may still become `symlink`. */
  readonly as: PlacedAs;
  /** Bytes. */
  readonly length: number;
  readonly executable: boolean;
}

export interface ArrangeOptions extends ContentPlace {
  readonly metainfo: Metainfo;
  /** Where the content of files is, by their index. */
  readonly found: ReadonlyMap<number, string>;
  readonly method: ArrangeMethod;
}

/**
 * What has to be made so that everything found, every empty file and every symlink is where the
 * torrent wants it. Changes nothing.
 *
 * @throws {StorageError} `BIP_EXISTS` naming what is in the way: nothing is ever replaced.
 */
export async function planArrangement(
  files: Files,
  options: ArrangeOptions,
): Promise<readonly Placement[]> {
  const { metainfo, found } = options;
  const folders = new Map<string, Promise<void>>();
  const placements: Placement[] = [];
  for (const [index, file] of metainfo.files.entries()) {
    const isNeeded = found.has(index) || (file.length === 0 && !file.padding);
    const placement = isNeeded ? placementOf(options, index, file) : undefined;
    if (placement === undefined) continue;
    assertSafePath(file.path);
    await checkFolders(files, options, { file, folders });
    if (!(await isInPlace(files, placement))) placements.push(placement);
  }
  return placements;
}

/**
 * Makes what was planned, and says how each was made, in the order of the plan.
 *
 * @throws {StorageError} when the system refuses; what was made before stays.
 * @throws the reason of `signal` when cancelled; a copy that was under way is removed.
 */
export async function* arrange(
  files: Files,
  placements: readonly Placement[],
  options: {
    readonly signal: AbortSignal;
    /** Bytes copied so far. */
    readonly onProgress?: (doneBytes: number) => void;
  },
): AsyncGenerator<Placement, void, undefined> {
  let copied = 0;
  const onCopied = (bytes: number): void => options.onProgress?.((copied += bytes));
  for (const placement of placements) {
    options.signal.throwIfAborted();
    await files.makeDirectory(folderOf(placement.target));
    yield await make(files, placement, { signal: options.signal, onCopied });
  }
}

function placementOf(
  options: ArrangeOptions,
  index: number,
  file: FileEntry,
): Placement | undefined {
  const { found, method } = options;
  const { path, length, executable, symlink } = file;
  const common = { path: path.join('/'), target: placeOf(options, path), length, executable };
  if (symlink !== undefined) {
    const at = linkTarget(path, symlink);
    return at === undefined ? undefined : { ...common, at, as: 'torrent-link' };
  }
  const at = found.get(index);
  if (at === undefined) return { ...common, as: 'empty' };
  return { ...common, at, as: method === 'link' ? 'hard-link' : method };
}

/** Below the root only real folders are entered: a link could lead anywhere. */
async function checkFolders(
  files: Files,
  place: ContentPlace,
  { file, folders }: { readonly file: FileEntry; readonly folders: Map<string, Promise<void>> },
): Promise<void> {
  for (let depth = 1; depth < file.path.length; depth++) {
    const folder = placeOf(place, file.path.slice(0, depth));
    const known = folders.get(folder) ?? checkFolder(files, folder);
    folders.set(folder, known);
    await known;
  }
}

async function checkFolder(files: Files, folder: string): Promise<void> {
  const stat = await files.statLink(folder);
  if (stat !== undefined && stat.kind !== 'directory') {
    throw inTheWay(folder, 'a folder of the torrent');
  }
}

/** @throws {StorageError} when something else is there. */
async function isInPlace(files: Files, { target, at, as }: Placement): Promise<boolean> {
  const there = await files.statLink(target);
  if (there === undefined) return false;
  const isSame =
    as === 'empty'
      ? there.kind === 'file' && there.size === 0
      : as === 'torrent-link'
        ? there.kind === 'symlink' && (await files.readLink(target)) === at
        : (await files.stat(target)) !== undefined &&
          (await files.realPath(target)) === (await files.realPath(at ?? ''));
  if (!isSame) throw inTheWay(target, 'a file of the torrent');
  return true;
}

function inTheWay(path: string, of: string): StorageError {
  return new StorageError(
    `${path} is in the place of ${of}, and bip replaces nothing; move it away or choose another folder with --content`,
    { code: 'BIP_EXISTS' },
  );
}

interface Making {
  readonly signal: AbortSignal;
  onCopied(bytes: number): void;
}

async function make(files: Files, placement: Placement, making: Making): Promise<Placement> {
  const { target, at = '', as } = placement;
  switch (as) {
    case 'empty':
      await makeEmpty(files, target);
      return placement;
    case 'torrent-link':
      await files.makeSymlink(target, at);
      return placement;
    case 'symlink':
      await files.makeSymlink(target, await files.realPath(at));
      return placement;
    case 'copy':
      await copyFile(files, placement, making);
      return placement;
    case 'hard-link':
      return { ...placement, as: await makeLink(files, target, await files.realPath(at)) };
  }
}

async function makeEmpty(files: Files, target: string): Promise<void> {
  await using handle = await files.open(target, 'create');
  await handle.sync();
}

/** Other devices and some file systems take no hard links. */
async function makeLink(files: Files, target: string, at: string): Promise<PlacedAs> {
  try {
    await files.makeHardLink(target, at);
    return 'hard-link';
  } catch (error) {
    if (!(error instanceof StorageError) || error.code === 'BIP_EXISTS') throw error;
    await files.makeSymlink(target, at);
    return 'symlink';
  }
}

/** By a name beside the target, so that nobody ever sees half a file. */
async function copyFile(files: Files, placement: Placement, making: Making): Promise<void> {
  const { target, at = '', executable } = placement;
  const part = `${target}.bip-part`;
  if ((await files.statLink(part)) !== undefined) throw inTheWay(part, 'a copy under way');
  try {
    await copyBytes(files, at, part, making);
    if (executable) await files.makeExecutable(part);
    if ((await files.statLink(target)) !== undefined)
      throw inTheWay(target, 'a file of the torrent');
    await files.rename(part, target);
  } catch (error) {
    await files.remove(part);
    throw error;
  }
}

async function copyBytes(files: Files, from: string, to: string, making: Making): Promise<void> {
  await using source = await files.open(from, 'read');
  await using target = await files.open(to, 'create');
  const buffer = new Uint8Array(COPY_BYTES);
  for (let position = 0; ; ) {
    making.signal.throwIfAborted();
    const count = await source.read(buffer, position);
    await target.write(buffer.subarray(0, count), position);
    making.onCopied(count);
    position += count;
    if (count < buffer.length) return;
  }
}

function folderOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash <= 0 ? '/' : path.slice(0, slash);
}
