/** Hashes files that are to become a torrent. @module */

import { StorageError } from '../base/errors.ts';
import type { Runtime } from '../runtime/ports.ts';
import { HandleCache } from './handle-cache.ts';
import { type FileStates, inspectFiles } from './inspect.ts';
import { isStored, LayoutMap, type StorageLayout } from './layout.ts';
import { joinPath } from './paths.ts';
import { SHA1_LENGTH } from './piece-hashes.ts';
import { readAhead } from './read-ahead.ts';
import { readSpans } from './span-reader.ts';

/**
 * SHA-1 of every piece (BEP 3 `pieces`), from files that exist as the layout says.
 *
 * @throws {StorageError} naming the file that is missing, cannot be read, or changes meanwhile
 * (`BIP_FILE_CHANGED`); the reason of `signal` when cancelled.
 */
export async function hashPieces(
  runtime: Pick<Runtime, 'files' | 'hashers'>,
  options: {
    readonly root: string;
    readonly layout: StorageLayout;
    readonly signal: AbortSignal;
    /** Bytes hashed so far and in all, padding included. */
    readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
  },
): Promise<Uint8Array> {
  const { root, layout, signal, onProgress } = options;
  const map = new LayoutMap(layout);
  const look = async (): Promise<FileStates> =>
    inspectFiles(runtime.files, { root, layout, readOnly: true, force: true });
  const pathOf = (file: number): string => joinPath(root, layout.files[file]?.path ?? []);
  const changed = (file: number): StorageError =>
    new StorageError(
      `${pathOf(file)} changed while it was read; run again when nothing writes to it`,
      { code: 'BIP_FILE_CHANGED' },
    );

  const before = await look();
  for (const [index, file] of layout.files.entries()) {
    if (isStored(file) && before.sizes[index] !== file.length) throw changed(index);
  }
  const hashes = new Uint8Array(layout.pieceCount * SHA1_LENGTH);
  let done = 0;
  onProgress?.(done, map.totalBytes);
  await using handles = new HandleCache(async (file) => runtime.files.open(pathOf(file), 'read'));
  await readAhead({
    map,
    signal,
    allocate: (length) => runtime.hashers.allocate(length),
    wanted: () => true,
    read: async (from, into) => {
      await readSpans(handles, map.spans(from, from + into.length), into, {
        short: ({ file }) => {
          throw changed(file);
        },
      });
      return [];
    },
    whole: async (piece, data) => {
      hashes.set(await runtime.hashers.digest('sha1', [data]), piece * SHA1_LENGTH);
      done += data.length;
      onProgress?.(done, map.totalBytes);
    },
    broken: () => {},
  });
  const after = await look();
  for (const [index, size] of before.sizes.entries()) {
    const same = after.sizes[index] === size && after.modified[index] === before.modified[index];
    if (!same) throw changed(index);
  }
  return hashes;
}
