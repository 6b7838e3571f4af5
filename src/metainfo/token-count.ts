/** How many values and keys a torrent will have: readers take so many, and no more. @module */

import { UsageError } from '../base/errors.ts';
import type { DraftFile, InfoDraft, InfoPlan, PlannedFile } from './draft.ts';
import { MAX_TOKENS } from './limits.ts';

/** Left for all that is not about files: trackers, web seeds, further keys. */
const TOKENS_BESIDE_FILES = 100_000;

/** @throws {UsageError} when there are more files than readers open, bip and libtorrent among them. */
export function checkTokens(plan: InfoPlan): void {
  const { draft } = plan;
  const count = countTokens(plan);
  if (count <= MAX_TOKENS - TOKENS_BESIDE_FILES) return;
  const help = draft.version === 'hybrid' ? 'make it v1 or v2' : 'pack some of them';
  throw new UsageError(
    `a ${draft.version} torrent of ${draft.files.length} files has more values than clients read; share fewer files, or ${help}`,
  );
}

function countTokens({ draft, files, pieceLength }: InfoPlan): number {
  const { version } = draft;
  let count = version === 'v1' ? 0 : 2 * countFolders(draft);
  for (const file of files) {
    const own = 2 * countProperties(file, draft.files[file.draft ?? -1]);
    // The dictionary, `length`, `path` and its components without the torrent's name.
    if (version !== 'v2') count += own + 1 + 2 + 2 + file.path.length - 1;
    if (version === 'v1' || file.padding) continue;
    // The name and what is under it, twice; `length`, `pieces root`, and a layer beside all that.
    count += own + 4 + 2 + (file.length > 0 ? 2 : 0) + (file.length > pieceLength ? 2 : 0);
  }
  return count;
}

/** Keys of an entry beyond those that every file has; rather too many for the targets of links. */
function countProperties({ padding, executable }: PlannedFile, file?: DraftFile): number {
  if (file === undefined) return padding ? 1 : 0;
  const { hidden, symlink, checksums = {} } = file;
  const hasAttributes = executable === true || hidden === true || symlink !== undefined;
  const links = symlink === undefined ? 0 : 1 + symlink.length;
  return Object.keys(checksums).length + (hasAttributes ? 1 : 0) + links;
}

function countFolders({ files }: InfoDraft): number {
  const folders = new Set<string>();
  for (const { path } of files) {
    for (let depth = path.length - 1; depth > 0; depth--) {
      const folder = path.slice(0, depth).join('/');
      if (folders.has(folder)) break;
      folders.add(folder);
    }
  }
  return folders.size;
}
