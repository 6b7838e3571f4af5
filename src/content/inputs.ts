/** The files and folders that the user named. @module */

import { StorageError, UsageError } from '../base/errors.ts';
import type { FileStat, Files } from '../runtime/ports.ts';
import type { ScanOptions } from './scanned.ts';

export interface Input {
  /** The path as given, without slashes at its end. */
  readonly source: string;
  /** Its last component; empty for the root of a file system. */
  readonly name: string;
  /** Of what it points to. */
  readonly stat: FileStat;
  /** The absolute path of what it points to; for a folder with no symlink in it. */
  readonly real: string;
  /** The absolute path of its folder, with no symlink in it. */
  readonly folder: string;
}

/**
 * Looks at the inputs.
 *
 * @throws {UsageError} for none, for two of one name, for one inside another.
 * @throws {StorageError} for what is missing, unreadable, or neither a file nor a folder.
 */
export async function readInputs(files: Files, paths: readonly string[]): Promise<Input[]> {
  if (paths.length === 0) throw new UsageError('there is nothing to scan: name a file or a folder');
  const inputs: Input[] = [];
  const realFolders = new Map<string, string>();
  for (const path of paths) inputs.push(await readInput(files, path, realFolders));
  if (inputs.length > 1) assertApart(inputs);
  return inputs;
}

/**
 * What the torrent is called: `options.name`, or what the only input is called.
 *
 * @throws {UsageError} when there is no name, or none that can be one.
 */
export function torrentName(inputs: readonly Input[], { name }: ScanOptions): string {
  if (name === undefined && inputs.length > 1) {
    throw new UsageError(`${inputs.length} inputs become one folder; pass --name to say its name`);
  }
  const wanted = name ?? inputs[0]?.name ?? '';
  if (isName(wanted)) return wanted;
  if (name === undefined) {
    throw new UsageError(`${inputs[0]?.source} has no name of its own; pass --name`);
  }
  throw new UsageError(
    `--name: \`${name}\` cannot be the name of a file or folder; leave out slashes, and dots alone`,
  );
}

/** The path of what is called `name` in a folder. */
export function childPath(folder: string, name: string): string {
  return folder.endsWith('/') ? folder + name : `${folder}/${name}`;
}

/** True when `path` is `folder` or lies in it, both absolute. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(childPath(folder, ''));
}

/** @param realFolders the real path of each folder that was asked for before */
async function readInput(
  files: Files,
  path: string,
  realFolders: Map<string, string>,
): Promise<Input> {
  if (path === '') throw new UsageError('an input is the empty text; name a file or a folder');
  const source = path.replace(/(?<=.)\/+$/, '');
  const stat = await files.stat(source);
  if (stat === undefined) throw await missing(files, source);
  const isFile = stat.kind === 'file';
  if (!isFile && stat.kind !== 'directory') {
    throw new StorageError(`${source} is neither a file nor a folder; a torrent cannot hold it`, {
      code: 'BIP_SPECIAL_FILE',
    });
  }
  if (isFile && path.endsWith('/')) {
    throw new StorageError(`${path} is a file, not a folder; leave out the slash at its end`, {
      code: 'BIP_NOT_DIRECTORY',
    });
  }
  const name = lastComponent(source);
  if (!isName(name)) {
    const real = await files.realPath(source);
    return { source, name: lastComponent(real), stat, real, folder: parentOf(real) };
  }
  const parent = parentOf(source);
  const folder = realFolders.get(parent) ?? (await files.realPath(parent));
  realFolders.set(parent, folder);
  const real = isFile ? childPath(folder, name) : await files.realPath(source);
  return { source, name, stat, real, folder };
}

async function missing(files: Files, source: string): Promise<StorageError> {
  const isLink = (await files.statLink(source))?.kind === 'symlink';
  const what = isLink
    ? `is a symbolic link to ${await files.readLink(source)}, where nothing is`
    : 'does not exist';
  return new StorageError(`${source} ${what}`, { code: 'BIP_NOT_FOUND' });
}

/** Content that is in a torrent twice is a mistake, and two of one name would overwrite each other. */
function assertApart(inputs: readonly Input[]): void {
  const byName = new Map<string, Input>();
  const byPlace = new Map<string, Input>();
  for (const input of inputs) {
    if (!isName(input.name)) throw nameless(input);
    const twin = byName.get(input.name);
    if (twin !== undefined) throw sameName(twin, input);
    byName.set(input.name, input);
    byPlace.set(childPath(input.folder, input.name), input);
  }
  for (const input of inputs) {
    for (let at = input.folder; at !== '' && at !== '.'; at = at === '/' ? '' : parentOf(at)) {
      const outer = byPlace.get(at);
      if (outer !== undefined) throw inside(input, outer);
    }
  }
}

function nameless({ source }: Input): UsageError {
  return new UsageError(
    `${source} has no name of its own, so that it can be the only input but not one of several`,
  );
}

function inside(inner: Input, outer: Input): UsageError {
  return new UsageError(
    `${inner.source} lies inside of ${outer.source} and would be in the torrent twice; name one of them`,
  );
}

function sameName(a: Input, b: Input): UsageError {
  return new UsageError(
    `${a.source} and ${b.source} would both be called ${b.name} in the torrent; rename one of them`,
  );
}

function parentOf(path: string): string {
  const at = lastSlash(path);
  if (at === -1) return '.';
  return at === 0 ? '/' : path.slice(0, at);
}

function lastComponent(path: string): string {
  return path.slice(lastSlash(path) + 1);
}

/** Backslashes separate on Windows only, whose paths begin with a drive. */
function lastSlash(path: string): number {
  const slash = path.lastIndexOf('/');
  return /^[a-z]:/i.test(path) ? Math.max(slash, path.lastIndexOf('\\')) : slash;
}

function isName(name: string): boolean {
  // oxlint-disable-next-line no-control-regex -- NUL ends a name in the system's calls
  return name !== '' && name !== '.' && name !== '..' && !/[/\u0000]/.test(name);
}
