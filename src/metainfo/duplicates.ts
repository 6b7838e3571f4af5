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
type Occupant = 'folder' | 'file' | number;

/**
 * Renames files whose path is taken by a file before them or by any folder.
 *
 * @throws {ProtocolError} when that takes more than {@link MAX_DUPLICATES} attempts.
 */
export function renameDuplicates(drafts: readonly FileDraft[], warnings: Warnings): void {
  const taken = new Map<string, Occupant>();
  for (const { path } of drafts) occupyFolders(taken, path);
  let attempts = 0;
  for (const draft of drafts) {
    const key = keyOf(draft.path);
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

function occupyFolders(taken: Map<string, Occupant>, path: readonly string[]): void {
  for (let depth = path.length - 1; depth > 0; depth--) {
    const key = keyOf(path.slice(0, depth));
    // Whoever put it there put the folders above it there, too.
    if (taken.has(key)) return;
    taken.set(key, 'folder');
  }
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
    const path = [...draft.path.slice(0, -1), `${base}.${number}${extension}`];
    const key = keyOf(path);
    if (taken.has(key)) continue;
    taken.set(key, draft.padding ? draft.length : 'file');
    draft.path = path;
    return attempts;
  }
}

/** Equal for paths that may be one on some file system: case and composition of accents apart. */
function keyOf(path: readonly string[]): string {
  return path.join('/').normalize('NFC').toLowerCase();
}
