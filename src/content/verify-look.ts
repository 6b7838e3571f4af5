/** What there is of a torrent's content on the disk, before anything is hashed. @module */

import { StorageError } from '../base/errors.ts';
import { forEachParallel, isStored, linkTarget } from '../disk/index.ts';
import type { FileEntry, Metainfo } from '../metainfo/index.ts';
import type { FileStat, Files } from '../runtime/ports.ts';
import { type ContentPlace, placeOf, rawPlaceOf } from './verify-place.ts';

/** Questions to the file system that are under way at once. */
const PARALLEL_STATS = 16;

/** A symlink of the torrent, as it is on the disk. */
export type LinkState = 'good' | 'bad' | 'missing';

/** Every file of a torrent, by its index in the metainfo. */
export interface Look {
  /** Bytes; −1 for what is not there, and for padding and links. */
  readonly sizes: Float64Array;
  /** Milliseconds since 1970. */
  readonly modified: Float64Array;
  /** Those that are not at their place: where they are instead. */
  readonly elsewhere: ReadonlyMap<number, string>;
  readonly links: ReadonlyMap<number, LinkState>;
  /** Those that the system does not let us look at. */
  readonly errors: ReadonlyMap<number, StorageError>;
  /** Where a file is read from. */
  pathOf(file: number): string;
}

export interface LookOptions {
  readonly metainfo: Metainfo;
  readonly place: ContentPlace;
  /** Files that are read from elsewhere. */
  readonly sources?: ReadonlyMap<number, string>;
}

/** Looks at every file; symlinks in the place of files are followed, as for seeding. */
export async function lookAtContent(files: Files, options: LookOptions): Promise<Look> {
  const { metainfo, place, sources } = options;
  const count = metainfo.files.length;
  const sizes = new Float64Array(count).fill(-1);
  const modified = new Float64Array(count);
  const elsewhere = new Map<number, string>(sources);
  const links = new Map<number, LinkState>();
  const errors = new Map<number, StorageError>();
  const look = async (index: number, file: FileEntry): Promise<void> => {
    if (file.symlink !== undefined) {
      links.set(index, await lookAtLink(files, place, file));
      return;
    }
    const own = elsewhere.get(index) ?? placeOf(place, file.path);
    let stat = await files.stat(own);
    if (stat === undefined && !elsewhere.has(index)) {
      const raw = rawPlaceOf(place, file);
      stat = raw === undefined ? undefined : await files.stat(raw);
      if (raw !== undefined && stat !== undefined) elsewhere.set(index, raw);
    }
    if (!isRegular(stat)) return;
    sizes[index] = stat.size;
    modified[index] = stat.modified;
  };
  await forEachParallel(count, PARALLEL_STATS, async (index) => {
    const file = metainfo.files[index];
    if (file === undefined || file.padding) return;
    try {
      await look(index, file);
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      errors.set(index, error);
    }
  });
  const pathOf = (index: number): string =>
    elsewhere.get(index) ?? placeOf(place, metainfo.files[index]?.path ?? []);
  return { sizes, modified, elsewhere, links, errors, pathOf };
}

/** Bytes of a file that can be read as its content: what is too long counts up to its length. */
export function availableBytes({ sizes }: Look, index: number, file: FileEntry): number {
  if (!isStored(file) || file.symlink !== undefined) return 0;
  return Math.max(0, Math.min(file.length, sizes[index] ?? -1));
}

function isRegular(stat: FileStat | undefined): stat is FileStat {
  return stat?.kind === 'file';
}

/** A link that leads to itself in the torrent is one that nobody can make, and nobody misses. */
async function lookAtLink(files: Files, place: ContentPlace, file: FileEntry): Promise<LinkState> {
  const { path, symlink = path } = file;
  if (linkTarget(path, symlink) === undefined) return 'good';
  const own = placeOf(place, path);
  const stat = await files.statLink(own);
  if (stat === undefined) return 'missing';
  if (stat.kind !== 'symlink') return 'bad';
  if (leadsTo(path, await files.readLink(own)) === symlink.slice(1).join('/')) return 'good';
  // Written in another way, it may still lead to the same file.
  const target = placeOf(place, symlink);
  if ((await files.stat(own)) === undefined || (await files.stat(target)) === undefined) {
    return 'bad';
  }
  return (await files.realPath(own)) === (await files.realPath(target)) ? 'good' : 'bad';
}

/** Where the text of a link at `path` leads, below the torrent's folder; `undefined` for outside. */
function leadsTo(path: readonly string[], text: string): string | undefined {
  if (text.startsWith('/')) return undefined;
  const at = path.slice(1, -1);
  for (const step of text.split(/[/\\]/)) {
    if (step === '' || step === '.') continue;
    if (step !== '..') at.push(step);
    else if (at.pop() === undefined) return undefined;
  }
  return at.join('/');
}
