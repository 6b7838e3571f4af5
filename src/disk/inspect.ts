/** What stands in the output folder before a torrent is written there or seeded from it. @module */

import { StorageError } from '../base/errors.ts';
import type { FileStat, Files } from '../runtime/ports.ts';
import { isStored, type StorageFile, type StorageLayout } from './layout.ts';
import { assertSafePath, joinPath, STATE_FOLDER } from './paths.ts';

/** Questions to the file system that are under way at once. */
const PARALLEL_STATS = 16;

/** Size and time of every file of a layout, by its index. */
export interface FileStates {
  /** Bytes; −1 for what does not exist or is not stored (padding, links, empty files). */
  readonly sizes: Float64Array;
  /** Milliseconds since 1970; 0 where there is no file. */
  readonly modified: Float64Array;
}

/** Where to look, and how strictly. */
export interface InspectOptions {
  readonly root: string;
  readonly layout: StorageLayout;
  /** Files of the wrong size are no error; bip may make them fit. */
  readonly force?: boolean;
  /** For seeding: nothing will be written, links are followed. */
  readonly readOnly?: boolean;
}

/**
 * Looks at every file of the layout, and changes nothing.
 *
 * Below the root no symbolic link is followed when files are to be written: neither as a folder on
 * the way nor in the place of a file, wherever it leads. The root itself may be one, since the user
 * named it. For seeding (`readOnly`) links are followed: what is served has to match the hashes
 * anyway.
 *
 * @throws {StorageError} `BIP_UNSAFE_PATH` for names that could leave the root, `BIP_EXISTS` when
 * something else is in the way, `BIP_WRONG_SIZE` for a file of another size that is not empty.
 */
export async function inspectFiles(files: Files, options: InspectOptions): Promise<FileStates> {
  const { root, layout, readOnly = false } = options;
  const folders = collectFolders(layout, readOnly);
  const rootStat = await files.stat(root);
  if (rootStat !== undefined && rootStat.kind !== 'directory') {
    throw inTheWay(root, rootStat, 'the output folder');
  }
  const states: FileStates = {
    sizes: new Float64Array(layout.files.length).fill(-1),
    modified: new Float64Array(layout.files.length),
  };
  if (rootStat === undefined) return states;
  const look = (path: string): Promise<FileStat | undefined> =>
    readOnly ? files.stat(path) : files.statLink(path);
  const present = await presentFolders(folders, root, look);
  await forEachParallel(layout.files.length, PARALLEL_STATS, async (index) => {
    const file = layout.files[index];
    if (file === undefined || file.padding || !present.has(folderKey(file.path))) return;
    const path = joinPath(root, file.path);
    const stat = await look(path);
    if (stat === undefined) return;
    assertFits(path, stat, { file, options });
    if (!isStored(file)) return;
    states.sizes[index] = stat.size;
    states.modified[index] = stat.modified;
  });
  return states;
}

/** Runs `task` for 0 … count − 1, at most `parallel` at once; the first failure stops and is thrown. */
export async function forEachParallel(
  count: number,
  parallel: number,
  task: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    try {
      while (next < count) await task(next++);
    } catch (error) {
      next = count;
      throw error;
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: Math.min(parallel, count) }, lane));
  for (const result of lanes) if (result.status === 'rejected') throw result.reason;
}

/** Every folder above a file, parents first, by key; refuses names that are unsafe or clash. */
function collectFolders(layout: StorageLayout, readOnly: boolean): Map<string, readonly string[]> {
  const folders = new Map<string, readonly string[]>([['', []]]);
  const taken = new Set<string>();
  for (const { path, padding } of layout.files) {
    if (padding) continue;
    assertSafePath(path);
    if (!readOnly && path[0]?.toLowerCase() === STATE_FOLDER) throw reserved(path);
    const key = path.join('/');
    if (taken.has(key)) throw clash(key);
    taken.add(key);
    addFolders(folders, path);
  }
  for (const key of folders.keys()) if (taken.has(key)) throw clash(key);
  return folders;
}

function addFolders(folders: Map<string, readonly string[]>, path: readonly string[]): void {
  let known = path.length - 1;
  while (!folders.has(path.slice(0, known).join('/'))) known--;
  for (let depth = known + 1; depth < path.length; depth++) {
    const components = path.slice(0, depth);
    folders.set(components.join('/'), components);
  }
}

function folderKey(path: readonly string[]): string {
  return path.slice(0, -1).join('/');
}

async function presentFolders(
  folders: ReadonlyMap<string, readonly string[]>,
  root: string,
  look: (path: string) => Promise<FileStat | undefined>,
): Promise<Set<string>> {
  const present = new Set(['']);
  for (const [key, components] of folders) {
    if (key === '' || !present.has(folderKey(components))) continue;
    const path = joinPath(root, components);
    const stat = await look(path);
    if (stat === undefined) continue;
    if (stat.kind !== 'directory') throw inTheWay(path, stat, 'a folder of the torrent');
    present.add(key);
  }
  return present;
}

function assertFits(
  path: string,
  stat: FileStat,
  { file, options }: { readonly file: StorageFile; readonly options: InspectOptions },
): void {
  const { force = false, readOnly = false } = options;
  if (file.symlink !== undefined) {
    if (stat.kind !== 'symlink' && !readOnly) throw inTheWay(path, stat, 'a link of the torrent');
    return;
  }
  if (stat.kind !== 'file') throw inTheWay(path, stat, 'a file of the torrent');
  if (stat.size === file.length || stat.size === 0 || force) return;
  throw wrongSize(path, stat.size, { wanted: file.length, readOnly });
}

/** The refusal of a file that is neither empty nor as long as the torrent's. */
export function wrongSize(
  path: string,
  size: number,
  { wanted, readOnly }: { readonly wanted: number; readonly readOnly: boolean },
): StorageError {
  const help = readOnly
    ? 'it is not the content of this torrent, or not all of it'
    : 'move it away, choose another folder with --output, or pass --force to overwrite it';
  return new StorageError(
    `${path} is ${size} bytes long, but the torrent's file has ${wanted}; ${help}`,
    { code: 'BIP_WRONG_SIZE' },
  );
}

function inTheWay(path: string, stat: FileStat, wanted: string): StorageError {
  const found = {
    file: 'a file',
    directory: 'a folder',
    symlink: 'a symbolic link, which bip does not write through,',
    other: 'neither a file nor a folder but',
  }[stat.kind];
  return new StorageError(
    `${path} is ${found} in the place of ${wanted}; move it away or choose another folder with --output`,
    { code: 'BIP_EXISTS' },
  );
}

function clash(key: string): StorageError {
  return new StorageError(
    `the torrent uses the path ${JSON.stringify(key)} twice, so that one file would overwrite the other`,
    { code: 'BIP_UNSAFE_PATH' },
  );
}

function reserved(path: readonly string[]): StorageError {
  return new StorageError(
    `the torrent is named ${path[0]}, where bip keeps its own state; it cannot be stored under this name`,
    { code: 'BIP_UNSAFE_PATH' },
  );
}
