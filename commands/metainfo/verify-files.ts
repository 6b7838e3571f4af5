/** `--files SELECTION`: some of the files of a torrent. @module */

import { UsageError } from '../../src/base/errors.ts';
import type { FileEntry, Metainfo } from '../../src/metainfo/index.ts';
import { GlobList } from './glob-list.ts';

/** A file or symlink, with its index in the metainfo. */
interface Numbered {
  readonly index: number;
  readonly file: FileEntry;
}

/**
 * Indices in `metainfo.files` of what `selections` name: numbers from 1 on (`1-5,8`; padding has no
 * number), paths, or globs; a folder stands for all that is in it.
 *
 * @throws {UsageError} for what names no file of the torrent.
 */
export async function selectFiles(
  metainfo: Metainfo,
  selections: readonly string[],
): Promise<ReadonlySet<number>> {
  const files = metainfo.files
    .map((file, index): Numbered => ({ index, file }))
    .filter(({ file }) => !file.padding);
  const selected = new Set<number>();
  for (const selection of selections) {
    const taken = /^[\d\s,-]+$/.test(selection)
      ? byNumber(files, selection)
      : await byPath(files, selection);
    if (taken.length === 0) {
      throw new UsageError(`--files: \`${selection}\` is no file of ${metainfo.name}`);
    }
    for (const { index } of taken) selected.add(index);
  }
  return selected;
}

function byNumber(files: readonly Numbered[], selection: string): readonly Numbered[] {
  return selection.split(',').flatMap((range) => {
    const match = /^\s*(\d+)(?:\s*-\s*(\d+))?\s*$/.exec(range);
    const first = Number(match?.[1]);
    const last = Number(match?.[2] ?? match?.[1]);
    if (match === null || first < 1 || last < first || last > files.length) {
      throw new UsageError(
        `--files: \`${range.trim()}\` is no number of a file or range of them; there are 1-${files.length}`,
      );
    }
    return files.slice(first - 1, last);
  });
}

/** A path as it stands first: names may look like globs. */
async function byPath(files: readonly Numbered[], selection: string): Promise<readonly Numbered[]> {
  const path = selection.replace(/\/+$/, '');
  const named = files.filter(({ file }) => pathsOf(file).some((own) => isWithin(own, path)));
  if (named.length > 0) return named;
  const { default: match } = await import('picomatch');
  const globs = new GlobList(match, [selection], '--files');
  return files.filter(({ file }) => pathsOf(file).some((own) => globs.has(own.split('/'), 'file')));
}

/** Below the torrent's folder, and with its name. */
function pathsOf({ path }: FileEntry): readonly string[] {
  const below = path.slice(1).join('/');
  return below === '' ? [path.join('/')] : [below, path.join('/')];
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}
