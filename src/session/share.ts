/** Makes a torrent of files on disk, to seed them (BEP 3). @module */

import { compareBytes, encodeUtf8 } from '../base/bytes.ts';
import { StorageError } from '../base/errors.ts';
import { hashPieces, type StorageFile } from '../disk/index.ts';
import { choosePieceLength, encodeMetainfo } from '../metainfo/index.ts';
import type { Files, Runtime } from '../runtime/ports.ts';

/** Folders inside each other; deeper trees are links in circles or accidents. */
const MAX_DEPTH = 100;

export interface ShareOptions {
  /** The folder that holds what is shared. */
  readonly root: string;
  /** The file or folder in it; also the name of the torrent. */
  readonly name: string;
  /** Trackers by tier. */
  readonly announce?: readonly (readonly string[])[];
  readonly createdBy?: string;
  readonly signal: AbortSignal;
  /** Bytes hashed so far and in all. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Something in the folder was left out. */
  readonly onSkipped?: (path: string, why: string) => void;
}

/**
 * The bytes of a .torrent for what is on disk, files in the order of their names' bytes, so that two
 * machines make the same. Symbolic links are left out.
 *
 * @throws {StorageError} nothing there, nothing in it, or a file that cannot be read or changes.
 */
export async function shareFiles(runtime: Runtime, options: ShareOptions): Promise<Uint8Array> {
  const { root, name, signal, onProgress } = options;
  const found: { path: readonly string[]; length: number }[] = [];
  await collect(runtime.files, options, [name], found);
  const total = found.reduce((sum, { length }) => sum + length, 0);
  if (total === 0) {
    throw new StorageError(`${root}/${name} holds no bytes: there is nothing to share`, {
      code: 'BIP_NOTHING_TO_SHARE',
    });
  }
  const pieceLength = choosePieceLength(total);
  let offset = 0;
  const files: StorageFile[] = found.map(({ path, length }) => {
    const file = { path, length, offset, padding: false };
    offset += length;
    return file;
  });
  const layout = { files, pieceLength, pieceCount: Math.ceil(total / pieceLength) };
  const pieces = await hashPieces(runtime, {
    root,
    layout,
    signal,
    ...(onProgress === undefined ? {} : { onProgress }),
  });
  return encodeMetainfo({
    name,
    files: found,
    pieceLength,
    pieces,
    ...(options.announce === undefined ? {} : { announce: options.announce }),
    ...(options.createdBy === undefined ? {} : { createdBy: options.createdBy }),
  });
}

async function collect(
  files: Files,
  options: ShareOptions,
  path: readonly string[],
  found: { path: readonly string[]; length: number }[],
): Promise<void> {
  options.signal.throwIfAborted();
  const full = [options.root, ...path].join('/');
  // The thing that the user named may be a link; inside of it links are left out.
  const stat = path.length === 1 ? await files.stat(full) : await files.statLink(full);
  if (stat === undefined) {
    throw new StorageError(`${full} does not exist`, { code: 'BIP_NOT_FOUND' });
  }
  if (stat.kind === 'file') {
    found.push({ path, length: stat.size });
    return;
  }
  if (stat.kind !== 'directory' || path.length > MAX_DEPTH) {
    options.onSkipped?.(full, stat.kind === 'directory' ? 'is too deep' : 'is no regular file');
    return;
  }
  const names = (await files.list(full)).toSorted((a, b) =>
    compareBytes(encodeUtf8(a), encodeUtf8(b)),
  );
  for (const child of names) await collect(files, options, [...path, child], found);
}
