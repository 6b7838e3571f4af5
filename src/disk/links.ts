/** Symbolic links of a torrent (BEP 47 attribute `l`). @module */

import type { Files } from '../runtime/ports.ts';
import type { StorageFile, StorageLayout } from './layout.ts';
import { assertSafePath, joinPath, linkTarget } from './paths.ts';

/** Everything in a torrent that a link may lead to, as joined paths; empty when it has no links. */
export function linkTargets(layout: StorageLayout): ReadonlySet<string> {
  const targets = new Set<string>();
  if (!layout.files.some((file) => file.symlink !== undefined)) return targets;
  for (const { path, padding } of layout.files) {
    if (padding) continue;
    let depth = path.length;
    while (depth > 0 && !targets.has(path.slice(0, depth).join('/'))) {
      targets.add(path.slice(0, depth--).join('/'));
    }
  }
  return targets;
}

/**
 * Makes the link `file` unless something stands there already. It is relative, and made only when
 * it leads to something of the same torrent.
 *
 * @throws {StorageError} `BIP_UNSAFE_PATH` for a target that could lead elsewhere, or what the
 * system says.
 */
export async function makeLink(
  files: Files,
  options: {
    readonly root: string;
    readonly file: StorageFile;
    readonly targets: ReadonlySet<string>;
  },
): Promise<void> {
  const { root, file, targets } = options;
  const { path, symlink = [] } = file;
  assertSafePath(symlink);
  const target = linkTarget(path, symlink);
  if (target === undefined || !targets.has(symlink.join('/'))) return;
  const place = joinPath(root, path);
  if ((await files.statLink(place)) !== undefined) return;
  await files.makeDirectory(joinPath(root, path.slice(0, -1)));
  await files.makeSymlink(place, target);
}
