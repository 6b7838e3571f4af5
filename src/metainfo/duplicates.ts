/**
 * No two files of a torrent may end in one place on disk, on systems that tell upper from lower
 * case and on those that do not. The one that comes second gets a number before its extension, as
 * libtorrent does it.
 *
 * @module
 */

import type { FileDraft } from './attributes.ts';
import { MAX_DUPLICATES } from './limits.ts';
import { refuse, showPath, type Warnings } from './report.ts';

/** What stands at a path: a folder, a file, or padding of some length. */
type Occupant = Folder | 'file' | number;

/** What is taken in one folder, by {@link keyOf} of the name. */
interface Folder {
  readonly taken: Map<string, Occupant>;
}

/**
 * Renames files whose path is taken by a file before them or by any folder.
 *
 * @throws {ProtocolError} when that takes more than {@link MAX_DUPLICATES} attempts.
 */
export function renameDuplicates(drafts: readonly FileDraft[], warnings: Warnings): void {
  const top: Folder = { taken: new Map() };
  const folders = drafts.map(({ path }) => makeFolder(top, path));
  let attempts = 0;
  for (const [at, draft] of drafts.entries()) {
    const { taken } = folders[at] ?? top;
    const key = keyOf(draft.path.at(-1) ?? '');
    const other = taken.get(key);
    if (other === undefined) {
      taken.set(key, draft.padding ? draft.length : 'file');
      continue;
    }
    // Padding is never written; readers without BEP 47 write zeros of one length over each other.
    if (draft.padding && other === draft.length) continue;
    attempts = rename(draft, taken, attempts);
    warnings.add('duplicate-path', `a path is there twice; one becomes ${showPath(draft.path)}`);
  }
}

/** The folder that the file at `path` lies in; all folders are there before the first file is. */
function makeFolder(top: Folder, path: readonly string[]): Folder {
  let folder = top;
  for (let depth = 0; depth < path.length - 1; depth++) {
    const key = keyOf(path[depth] ?? '');
    const known = folder.taken.get(key);
    if (typeof known === 'object') {
      folder = known;
      continue;
    }
    const fresh: Folder = { taken: new Map() };
    folder.taken.set(key, fresh);
    folder = fresh;
  }
  return folder;
}

/** Gives `draft` the first free number and returns how many attempts failed so far. */
function rename(draft: FileDraft, taken: Map<string, Occupant>, before: number): number {
  const last = draft.path.at(-1) ?? '';
  const dot = last.lastIndexOf('.');
  const base = dot === -1 ? last : last.slice(0, dot);
  const extension = dot === -1 ? '' : last.slice(dot);
  for (let number = 1, attempts = before; ; number++, attempts++) {
    if (attempts > MAX_DUPLICATES) {
      throw refuse('DUPLICATES', `too many files have the same path, ${showPath(draft.path)}`, {
        rule: 'limit of duplicate paths',
      });
    }
    const name = `${base}.${number}${extension}`;
    const key = keyOf(name);
    if (taken.has(key)) continue;
    taken.set(key, draft.padding ? draft.length : 'file');
    draft.rawPath ??= draft.path;
    draft.path = [...draft.path.slice(0, -1), name];
    return attempts;
  }
}

/** Equal for names that may be one on some file system: case and composition of accents apart. */
export function keyOf(name: string): string {
  return name.normalize('NFC').toLowerCase();
}
