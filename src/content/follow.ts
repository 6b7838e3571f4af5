/** Symbolic links that are followed: what they lead to is in the torrent in their place. @module */

import { StorageError, UsageError } from '../base/errors.ts';
import type { FileStat, Files } from '../runtime/ports.ts';
import { isWithin } from './inputs.ts';

/** A folder on the way from the root of the walk. */
export interface FolderOnTheWay {
  /** Its absolute path, with no symlink in it. */
  readonly real: string;
  readonly parent: FolderOnTheWay | undefined;
}

/**
 * What the link at `source` leads to; `undefined` when that is missing.
 *
 * @throws {StorageError} when the system cannot follow it.
 */
export async function statTarget(files: Files, source: string): Promise<FileStat | undefined> {
  try {
    return await files.stat(source);
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    const text = await files.readLink(source);
    throw new StorageError(
      `the symbolic link ${source} leads to ${text}, which cannot be reached: it leads in a circle, or through a folder that may not be read; pass --symlinks skip`,
      { code: error.code, cause: error },
    );
  }
}

/** The error for a link that leads nowhere. */
export async function brokenLink(files: Files, source: string): Promise<StorageError> {
  return new StorageError(
    `the symbolic link ${source} leads to ${await files.readLink(source)}, where nothing is; remove it or pass --symlinks skip`,
    { code: 'BIP_NOT_FOUND' },
  );
}

/**
 * The real path of the folder that the link at `source` leads to.
 *
 * A way that never ends passes some folder twice, by a link between the two: then the target of the
 * last such link holds the folder, which is on the way to the link already.
 *
 * @throws {UsageError} when the target holds a folder on the way to the link.
 */
export async function enterLink(
  files: Files,
  source: string,
  from: FolderOnTheWay,
): Promise<string> {
  const real = await files.realPath(source);
  for (let folder: FolderOnTheWay | undefined = from; folder; folder = folder.parent) {
    if (!isWithin(folder.real, real)) continue;
    throw new UsageError(
      `the symbolic link ${source} leads back to ${real}, so that the torrent would never end; pass --symlinks keep or --symlinks skip`,
      { code: 'BIP_SYMLINK' },
    );
  }
  return real;
}
