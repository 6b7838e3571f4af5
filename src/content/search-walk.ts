/** Finds files by their size below some folders. @module */

import { StorageError } from '../base/errors.ts';
import { forEachParallel, joinPath } from '../disk/index.ts';
import type { FileStat, Files } from '../runtime/ports.ts';
import { lookAt } from './verify-place.ts';

/** Questions to the file system that are under way at once. */
const PARALLEL_STATS = 16;

/** Files that were met, by size, and what could not be looked at. */
export interface Walk {
  readonly bySize: ReadonlyMap<number, readonly string[]>;
  /** Files that were looked at. */
  readonly count: number;
  /** Folders that the system does not let us list. */
  readonly unreadable: readonly string[];
}

/**
 * All files below `folders` whose size is one of `sizes`, each once, in the order of their paths.
 * Symlinks to files count, symlinks to folders are not entered.
 *
 * @throws {StorageError} for one of `folders` that is no folder or cannot be listed.
 */
export async function walkBySize(
  files: Files,
  folders: readonly string[],
  { sizes, signal }: { readonly sizes: ReadonlySet<number>; readonly signal: AbortSignal },
): Promise<Walk> {
  const found = new Map<string, number>();
  const unreadable: string[] = [];
  let count = 0;
  for (const folder of folders) {
    const top = await files.stat(folder);
    if (top?.kind !== 'directory') throw noFolder(folder, top);
    const names = await files.list(folder);
    const waiting = names.map((name) => joinPath(folder, [name]));
    while (waiting.length > 0) {
      signal.throwIfAborted();
      const batch = waiting.splice(-Math.min(waiting.length, 1024));
      await forEachParallel(batch.length, PARALLEL_STATS, async (at) => {
        const path = batch[at] ?? '';
        const below = await visit(files, path, (size) => {
          count++;
          if (sizes.has(size)) found.set(path, size);
        });
        if (below === undefined) unreadable.push(path);
        else waiting.push(...below);
      });
    }
  }
  const bySize = new Map<number, string[]>();
  for (const [path, size] of [...found].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const known = bySize.get(size);
    if (known === undefined) bySize.set(size, [path]);
    else known.push(path);
  }
  return { bySize, count, unreadable: unreadable.toSorted() };
}

/** What is to be visited next; `undefined` for a folder that cannot be listed. */
async function visit(
  files: Files,
  path: string,
  onFile: (size: number) => void,
): Promise<readonly string[] | undefined> {
  try {
    const own = await files.statLink(path);
    if (own?.kind === 'directory') {
      return (await files.list(path)).map((name) => joinPath(path, [name]));
    }
    const stat = own?.kind === 'symlink' ? await lookAt(files, path) : own;
    if (stat?.kind === 'file') onFile(stat.size);
    return [];
  } catch (error) {
    if (error instanceof StorageError) return undefined;
    throw error;
  }
}

function noFolder(path: string, stat: FileStat | undefined): StorageError {
  return stat === undefined
    ? new StorageError(`there is no folder ${path} to search in`, { code: 'BIP_NOT_FOUND' })
    : new StorageError(`${path} is no folder to search in`, { code: 'BIP_NOT_DIRECTORY' });
}
