/** Names that are possible in a torrent, and that other programs or systems would change. @module */

import { encodeName, isPlainName } from '../base/bytes.ts';
import { keyOf } from './duplicates.ts';
import { sanitizeComponent } from './path.ts';
import { show, showPath } from './report.ts';

export interface NameLint {
  /**
   * `name-not-utf-8`: clients look for a file of another name. `name-changes`: they do so because
   * the name is not safe. `name-not-portable`: those on Windows do so.
   */
  readonly code: 'name-not-portable' | 'name-not-utf-8' | 'name-changes';
  /** One sentence without a full stop. */
  readonly message: string;
}

export interface PathClash {
  /** The paths, two or more, in their order. */
  readonly paths: readonly (readonly string[])[];
  /** One sentence without a full stop. */
  readonly message: string;
}

/** What is odd about the names in `path`; each kind once. */
export function nameLints(path: readonly string[]): readonly NameLint[] {
  const lints = new Map<NameLint['code'], NameLint>();
  for (const part of path) {
    const lint = lintOf(part, path);
    if (lint !== undefined && !lints.has(lint.code)) lints.set(lint.code, lint);
  }
  return [...lints.values()];
}

/**
 * Files whose paths differ in case, or in how accents are composed, and nothing else: on many
 * systems they are one file. Files that clash so with a folder count as well.
 */
export function pathClashes(paths: readonly (readonly string[])[]): readonly PathClash[] {
  const groups = new Map<string, (readonly string[])[]>();
  for (const path of paths) {
    const key = keyOf(path.join('/'));
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [path]);
    else group.push(path);
  }
  addFolders(paths, groups);
  return [...groups.values()].filter((group) => group.length > 1).map(clashOf);
}

/** A folder joins the group of a file at the same place, once. */
function addFolders(
  paths: readonly (readonly string[])[],
  groups: ReadonlyMap<string, (readonly string[])[]>,
): void {
  const seen = new Set<string>();
  for (const path of paths) {
    for (let depth = path.length - 1; depth > 0; depth--) {
      const folder = path.slice(0, depth);
      const joined = folder.join('/');
      if (seen.has(joined)) break;
      seen.add(joined);
      groups.get(keyOf(joined))?.push(folder);
    }
  }
}

function clashOf(paths: readonly (readonly string[])[]): PathClash {
  const [first = [], second = []] = paths;
  const more = paths.length > 2 ? ` (and ${paths.length - 2} more)` : '';
  return {
    paths,
    message: `${showPath(first)} and ${showPath(second)}${more} are one path on systems that do not tell case or accents apart`,
  };
}

/** Names that nobody changes, as most are; the others are looked at closely. */
const ORDINARY = /^(?!con|prn|aux|nul|clock|com|lpt)(?:[\w\-+,()]|[ .](?=[\w\-+,()])){1,200}$/i;

function lintOf(part: string, path: readonly string[]): NameLint | undefined {
  if (ORDINARY.test(part)) return undefined;
  const bytes = encodeName(part);
  const safe = sanitizeComponent(bytes, { force: true });
  if (!isPlainName(part)) {
    const message = `a name in ${showPath(path)} is not UTF-8; most clients write it as ${show(safe)}`;
    return { code: 'name-not-utf-8', message };
  }
  if (safe !== part) {
    const message = `a name in ${showPath(path)} is not safe; clients write it as ${show(safe)}`;
    return { code: 'name-changes', message };
  }
  const onWindows = sanitizeComponent(bytes, { force: true, windows: true });
  if (onWindows === part) return undefined;
  const message = `a name in ${showPath(path)} is not possible on Windows; clients write it there as ${show(onWindows)}`;
  return { code: 'name-not-portable', message };
}
