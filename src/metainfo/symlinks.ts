/**
 * Symlinks may point to what is in the torrent and to nothing else (BEP 47). A target that is not
 * there is replaced by the link itself, which leads nowhere.
 *
 * @module
 */

import type { FileDraft } from './attributes.ts';
import { showPath, type Warnings } from './report.ts';

/** Links on the way to one target, as systems limit them. */
const MAX_HOPS = 40;

/** Everything that links may point to; paths joined by `/`, below the torrent's folder. */
interface Places {
  readonly files: ReadonlyMap<string, FileDraft>;
  readonly folders: ReadonlySet<string>;
  /** Links that may stand for a folder: their path and where they lead. */
  readonly links: Map<string, string>;
}

/**
 * Sets the `symlink` of each link to a path in the torrent. Returns the file that each one points
 * to, for those that point to a file: files may be renamed later.
 */
export function resolveSymlinks(
  drafts: readonly FileDraft[],
  warnings: Warnings,
): ReadonlyMap<FileDraft, FileDraft> {
  const targets = new Map<FileDraft, FileDraft>();
  const links = drafts.filter((draft) => draft.symlink !== undefined);
  if (links.length === 0) return targets;
  const places = placesOf(drafts);
  const pending = links.filter((link) => !resolveDirectly(link, places));
  for (const link of pending) {
    if (leadsSomewhere(joined(link.symlink ?? []), places)) continue;
    warnings.add('symlink-target', `the symlink ${showPath(link.path)} points to nothing here`);
    link.symlink = inside(link.path);
  }
  for (const link of links) {
    const target = places.files.get(joined(link.symlink ?? []));
    if (target !== undefined) targets.set(link, target);
    link.symlink = [...link.path.slice(0, 1), ...(link.symlink ?? [])];
  }
  return targets;
}

/** The path below the torrent's folder. */
function inside(path: readonly string[]): readonly string[] {
  return path.slice(1);
}

function joined(path: readonly string[]): string {
  return path.join('/');
}

function placesOf(drafts: readonly FileDraft[]): Places {
  const files = new Map<string, FileDraft>();
  const folders = new Set<string>();
  for (const draft of drafts) {
    const path = inside(draft.path);
    const key = joined(path);
    if (!files.has(key)) files.set(key, draft);
    for (let depth = path.length - 1; depth > 0; depth--) {
      const folder = joined(path.slice(0, depth));
      if (folders.has(folder)) break;
      folders.add(folder);
    }
  }
  return { files, folders, links: new Map() };
}

/** Targets count from the torrent's folder (BEP 47); older writers count from the link's. */
function resolveDirectly(link: FileDraft, places: Places): boolean {
  const target = link.symlink ?? [];
  const path = inside(link.path);
  if (target.length === 0) return false;
  for (const candidate of [target, [...path.slice(0, -1), ...target]]) {
    const key = joined(candidate);
    const file = places.files.get(key);
    const isFolder = places.folders.has(key);
    if (file === undefined && !isFolder) continue;
    link.symlink = candidate;
    if (isFolder || file?.symlink !== undefined) places.links.set(joined(path), key);
    return true;
  }
  return false;
}

/** Follows links in the folders of `target`. */
function leadsSomewhere(target: string, places: Places): boolean {
  let path = target;
  for (let hop = 0; hop < MAX_HOPS; hop++) {
    if (places.files.has(path) || places.folders.has(path)) return true;
    const next = throughLink(path, places);
    if (next === undefined) return false;
    path = next;
  }
  return false;
}

/** `path` with its first folder that is a link replaced by where that leads. */
function throughLink(path: string, { folders, links }: Places): string | undefined {
  for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1)) {
    const folder = path.slice(0, slash);
    if (folders.has(folder)) continue;
    const link = links.get(folder);
    return link === undefined ? undefined : link + path.slice(slash);
  }
  return undefined;
}
