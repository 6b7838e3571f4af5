/** Where the data of a torrent lies: what its name points to, or the folder that holds that. @module */

import { StorageError } from '../../src/base/errors.ts';
import type { FileEntry, Metainfo } from '../../src/metainfo/index.ts';
import type { Files } from '../../src/runtime/ports.ts';
import { plainPath } from './flags.ts';

/** A folder, and the torrent as it stands there: its first component may have another name. */
export interface Located {
  readonly root: string;
  readonly metainfo: Metainfo;
}

/**
 * Looks where the first file of the torrent is.
 *
 * @param places what the user named, or else the folders to look in
 * @throws {StorageError} when it is in none of them.
 */
export async function locateContent(
  files: Files,
  metainfo: Metainfo,
  places: { readonly content?: string; readonly folders: readonly string[] },
): Promise<Located> {
  const candidates = candidatesOf(metainfo, places);
  const first = metainfo.files.find(({ padding, length }) => !padding && length > 0);
  for (const candidate of candidates) {
    const path = first === undefined ? [metainfo.name] : renamed(first, candidate.name);
    const stat = await files.stat([candidate.root, ...path].join('/'));
    if (stat?.kind === 'file')
      return { root: candidate.root, metainfo: rename(metainfo, candidate.name) };
  }
  const where = candidates.map(({ root, name }) => `${root}/${name}`).join(' or ');
  throw new StorageError(
    `the data of ${metainfo.name} is not at ${where}; --content PATH says where it is`,
    { code: 'BIP_NOT_FOUND' },
  );
}

/** The last component of a path. */
export function nameOf(path: string): string {
  return plainPath(path).split('/').at(-1) ?? path;
}

/** The folder that holds what a path points to. */
export function parentOf(path: string): string {
  const plain = plainPath(path);
  const slash = plain.lastIndexOf('/');
  if (slash === -1) return '.';
  return slash === 0 ? '/' : plain.slice(0, slash);
}

function candidatesOf(
  metainfo: Metainfo,
  { content, folders }: { readonly content?: string; readonly folders: readonly string[] },
): { readonly root: string; readonly name: string }[] {
  if (content === undefined) return folders.map((root) => ({ root, name: metainfo.name }));
  return [
    { root: parentOf(content), name: nameOf(content) },
    { root: plainPath(content), name: metainfo.name },
  ];
}

function rename(metainfo: Metainfo, name: string): Metainfo {
  const [first] = metainfo.files;
  if (first === undefined || first.path[0] === name) return metainfo;
  return {
    ...metainfo,
    files: metainfo.files.map((file) => ({ ...file, path: renamed(file, name) })),
  };
}

function renamed({ path, padding }: FileEntry, name: string): readonly string[] {
  return padding ? path : [name, ...path.slice(1)];
}
