/** Where the content of a torrent lies, and how its files are called there. @module */

import { StorageError } from '../base/errors.ts';
import { joinPath } from '../disk/index.ts';
import type { FileEntry, Metainfo } from '../metainfo/index.ts';
import type { FileStat, Files } from '../runtime/ports.ts';

/** A folder, and what the torrent's file or folder is called in it. */
export interface ContentPlace {
  readonly root: string;
  /** What stands for the first component of all paths; what the torrent says by default. */
  readonly name?: string;
}

/** A place, and whether any of the content is there. */
export interface FoundPlace extends ContentPlace {
  readonly isThere: boolean;
}

/** Files looked at to tell one place from another, spread over all of them. */
const SAMPLE = 64;

/**
 * The one of `candidates` where most of the torrent's files are, by their names and sizes; the first
 * one where nothing is anywhere.
 */
export async function findPlace(
  files: Files,
  metainfo: Pick<Metainfo, 'name' | 'files'>,
  candidates: readonly [ContentPlace, ...ContentPlace[]],
): Promise<FoundPlace> {
  let best: FoundPlace = { ...candidates[0], isThere: false };
  let most = 0;
  for (const place of candidates) {
    const score = await scoreOf(files, metainfo, place);
    if (score <= most) continue;
    most = score;
    best = { ...place, isThere: true };
  }
  return best;
}

/**
 * What a torrent's files lie in, or what its only file is called. In v2 that need not be the name of
 * the torrent: a folder with one file in it is told from that file by nothing else.
 */
export function topOf({ name, files }: Pick<Metainfo, 'name' | 'files'>): string {
  return files.find(({ padding }) => !padding)?.path[0] ?? name;
}

/** Where a file of the torrent belongs. */
export function placeOf(place: ContentPlace, path: readonly string[]): string {
  return joinPath(place.root, place.name === undefined ? path : [place.name, ...path.slice(1)]);
}

/**
 * Where else a file may be: under the name that it has in the torrent, when that was not safe to
 * write everywhere; `undefined` when there is no such place below the root.
 */
export function rawPlaceOf(place: ContentPlace, { rawPath }: FileEntry): string | undefined {
  return rawPath !== undefined && rawPath.every(staysInside) ? placeOf(place, rawPath) : undefined;
}

/** What `path` points to; `undefined` when it cannot be looked at, whatever the reason. */
export async function lookAt(files: Files, path: string): Promise<FileStat | undefined> {
  try {
    return await files.stat(path);
  } catch (error) {
    if (error instanceof StorageError) return undefined;
    throw error;
  }
}

/** The torrent's own name counts little, a file of it more, one of the right size most. */
async function scoreOf(
  files: Files,
  metainfo: Pick<Metainfo, 'name' | 'files'>,
  place: ContentPlace,
): Promise<number> {
  const name = topOf(metainfo);
  const top = await lookAt(files, placeOf(place, [name]));
  const stored = metainfo.files.filter((file) => !file.padding && file.symlink === undefined);
  const isFolder = stored.some(({ path }) => path.length > 1);
  if (top?.kind !== (isFolder ? 'directory' : 'file')) return 0;
  const step = Math.max(1, Math.floor(stored.length / SAMPLE));
  let score = (place.name ?? name) === name ? 1 : 0;
  for (const file of stored.filter((_, at) => at % step === 0)) {
    const stat = await lookAtFile(files, place, file);
    if (stat?.kind === 'file') score += stat.size === file.length ? 3 : 1;
  }
  return score;
}

async function lookAtFile(
  files: Files,
  place: ContentPlace,
  file: FileEntry,
): Promise<FileStat | undefined> {
  const stat = await lookAt(files, placeOf(place, file.path));
  const raw = stat === undefined ? rawPlaceOf(place, file) : undefined;
  return raw === undefined ? stat : lookAt(files, raw);
}

/** Also on systems where a backslash separates. */
function staysInside(component: string): boolean {
  return (
    !component.includes('/') &&
    !component.includes('\0') &&
    component.split('\\').every((part) => part !== '' && part !== '.' && part !== '..')
  );
}
