/** Symbolic links of a torrent (BEP 47 attribute `l`). @module */

import type { Files } from '../runtime/ports.ts';
import type { StorageFile, StorageLayout } from './layout.ts';
import { assertSafePath, joinPath, linkTarget } from './paths.ts';

/** Links on the way to one target, as systems limit them. */
const MAX_HOPS = 40;

/** What links may lead to. */
interface Places {
  /** Every file, folder and link of the torrent, as joined paths. */
  readonly known: ReadonlySet<string>;
  /** Where the links lead, as joined paths. */
  readonly links: ReadonlyMap<string, string>;
}

/**
 * Makes all links of a torrent, relative ones, except where something stands already. Those that
 * lead to themselves or to nothing in the torrent are left out.
 *
 * @throws {StorageError} `BIP_UNSAFE_PATH` for a target that could lead elsewhere, or what the
 * system says.
 */
export async function makeLinks(files: Files, root: string, layout: StorageLayout): Promise<void> {
  if (!layout.files.some((file) => file.symlink !== undefined)) return;
  const places = placesOf(layout);
  for (const { path, symlink } of layout.files) {
    if (symlink === undefined) continue;
    assertSafePath(symlink);
    const target = linkTarget(path, symlink);
    if (target === undefined || !leadsSomewhere(symlink.join('/'), places)) continue;
    const place = joinPath(root, path);
    if ((await files.statLink(place)) !== undefined) continue;
    await files.makeDirectory(joinPath(root, path.slice(0, -1)));
    await files.makeSymlink(place, target);
  }
}

function placesOf({ files }: StorageLayout): Places {
  const known = new Set<string>();
  const links = new Map<string, string>();
  for (const file of files) {
    if (file.padding) continue;
    addWithFolders(known, file);
    if (file.symlink !== undefined) links.set(file.path.join('/'), file.symlink.join('/'));
  }
  return { known, links };
}

function addWithFolders(known: Set<string>, { path }: StorageFile): void {
  for (let depth = path.length; depth > 0; depth--) {
    const key = path.slice(0, depth).join('/');
    if (known.has(key)) return;
    known.add(key);
  }
}

/** True for what is in the torrent, also by way of its other links. */
function leadsSomewhere(target: string, places: Places): boolean {
  let path: string | undefined = target;
  for (let hop = 0; hop < MAX_HOPS && path !== undefined; hop++) {
    if (places.known.has(path)) return true;
    path = throughLink(path, places);
  }
  return false;
}

/** The path with its first folder that is a link replaced by where that leads. */
function throughLink(path: string, { links }: Places): string | undefined {
  for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1)) {
    const target = links.get(path.slice(0, slash));
    if (target !== undefined) return target + path.slice(slash);
  }
  return undefined;
}
