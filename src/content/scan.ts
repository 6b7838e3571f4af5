/** Finding the files that are to become a torrent. @module */

import { compareNames } from '../base/bytes.ts';
import type { Files } from '../runtime/ports.ts';
import { childPath, type Input, readInputs, torrentName } from './inputs.ts';
import { type LinkBounds, resolveLinks } from './links.ts';
import type { Scan, ScannedFile, ScanOptions } from './scanned.ts';
import { sortFiles } from './sort.ts';
import { Walk, type WalkRoot } from './walk.ts';

/**
 * Looks at all inputs and reads nothing of their files. Folders without files are in no torrent,
 * so that they are not in the result.
 *
 * @throws {UsageError} for inputs that make no torrent, and links that cannot be followed or kept.
 * @throws {StorageError} for what is missing or unreadable; the sentence names it.
 */
export async function scanContent(files: Files, options: ScanOptions): Promise<Scan> {
  const inputs = await readInputs(files, options.inputs);
  const name = torrentName(inputs, options);
  const isFolder = inputs.length > 1 || inputs[0]?.stat.kind === 'directory';
  const roots = rootsOf(inputs);
  const found = await new Walk(files, options).find(
    roots.filter(({ stat }) => stat.kind === 'directory'),
  );
  const walked = resolveLinks(found.files, found.linkTexts, boundsOf(roots));
  const unsorted = [...roots.flatMap((root) => fileOf(root)), ...walked];
  const inOrder = inputs.length === 1 && options.sort === undefined;
  const sorted = inOrder ? unsorted : sortFiles(unsorted, options.sort ?? []);
  return {
    name,
    isFolder,
    files: sorted,
    skipped: found.skipped,
    totalBytes: sorted.reduce((sum, { length }) => sum + length, 0),
    roots: inputs.map(({ source }) => source),
  };
}

/** An input with its place in the torrent. */
interface Root extends Input, WalkRoot {}

/** One input is the torrent; several lie in it, in the order of their names. */
function rootsOf(inputs: readonly Input[]): readonly Root[] {
  if (inputs.length === 1) return inputs.map((input) => ({ ...input, path: [] }));
  return inputs
    .map((input) => ({ ...input, path: [input.name] }))
    .toSorted((a, b) => compareNames(a.name, b.name));
}

function fileOf({ path, source, stat }: Root): readonly ScannedFile[] {
  const { kind, size, modified, executable } = stat;
  return kind === 'file' ? [{ path, source, length: size, modified, executable }] : [];
}

/** Links may climb from one input to another where the two lie in one folder on disk as well. */
function boundsOf(roots: readonly Root[]): LinkBounds {
  const folder = roots[0]?.folder ?? '';
  const together = roots.every((root) => root.real === childPath(folder, root.name));
  return { roots, floor: roots.length === 1 || together ? 0 : 1 };
}
