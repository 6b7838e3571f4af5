/** Hybrid torrents describe the same files twice, and must mean the same (BEP 52). @module */

import type { FileDraft } from './attributes.ts';
import { roundUp } from './file-tree.ts';
import { refuse, showPath } from './report.ts';

/**
 * The files of the v1 list, padding included, with the paths and pieces roots of the v2 tree.
 *
 * Files with content have to agree in order, path, length and offset. The list may end with
 * padding up to the end of the piece or without: writers differ, and both are valid.
 *
 * @throws {ProtocolError} when list and tree differ.
 */
export function mergeHybrid(
  list: readonly FileDraft[],
  tree: readonly FileDraft[],
  pieceLength: number,
): FileDraft[] {
  const real = list.filter((file) => !file.padding);
  if (real.length !== tree.length) {
    throw inconsistent(`one has ${real.length} files and the other ${tree.length}`);
  }
  for (const [at, file] of real.entries()) {
    const twin = tree[at];
    if (twin === undefined || !agrees(file, twin)) {
      throw inconsistent(`they differ at ${showPath(file.path)}`);
    }
    if (twin.piecesRoot !== undefined) file.piecesRoot = twin.piecesRoot;
    file.path = twin.path;
    file.executable ||= twin.executable;
    file.hidden ||= twin.hidden;
  }
  const end = endOf(list);
  const treeEnd = endOf(tree);
  if (end !== treeEnd && end !== roundUp(treeEnd, pieceLength)) {
    throw inconsistent(`one ends at byte ${end} and the other at ${treeEnd}`);
  }
  return [...list];
}

/** Where an empty file or a symlink lies in the piece space matters to nobody, nor does its name. */
function agrees(a: FileDraft, b: FileDraft): boolean {
  if (a.length === 0 && b.length === 0) return true;
  return (
    a.length === b.length &&
    a.offset === b.offset &&
    a.path.length === b.path.length &&
    a.path.every((part, at) => part === b.path[at])
  );
}

function endOf(files: readonly FileDraft[]): number {
  let end = 0;
  for (const { offset, length } of files) if (length > 0) end = offset + length;
  return end;
}

function inconsistent(how: string): Error {
  return refuse('HYBRID', `the v1 file list and the v2 file tree do not agree: ${how}`, {
    rule: 'BEP 52 upgrade path',
  });
}
