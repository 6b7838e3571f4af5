/**
 * Finds content that was renamed or moved: by size first, then proven by hashes.
 *
 * v2: the root of the file's tree proves it. v1: the pieces that lie in the file alone prove it; a
 * file without such a piece is proven together with its neighbours in one of its pieces, or else
 * only a candidate.
 *
 * @module
 */

import { isStored, LayoutMap } from '../disk/index.ts';
import type { Metainfo } from '../metainfo/index.ts';
import type { FileHashers, ReadOrder, Runtime } from '../runtime/ports.ts';
import { runsAtOnce } from './at-once.ts';
import type { Findings, Hunt } from './search-hunt.ts';
import { findByPieces } from './search-v1.ts';
import { findByRoots } from './search-v2.ts';
import { walkBySize } from './search-walk.ts';
import { lookAtContent } from './verify-look.ts';
import type { ContentPlace } from './verify-place.ts';

export interface SearchOptions extends ContentPlace {
  readonly metainfo: Metainfo;
  /** Folders to search in, with all that is below. */
  readonly folders: readonly string[];
  /** Indices of the files that are missed: those that are not good where they belong. */
  readonly wanted: readonly number[];
  /** Used and not disposed. Without it `threads` and `order` make one. */
  readonly hashers?: FileHashers;
  /** As many as there are cores by default. */
  readonly threads?: number;
  /** `auto` by default. */
  readonly order?: ReadOrder;
  readonly signal: AbortSignal;
  /** Bytes hashed so far. */
  readonly onProgress?: (doneBytes: number) => void;
}

export interface SearchResult extends Findings {
  /** Folders that the system does not let us list. */
  readonly unreadable: readonly string[];
}

/**
 * @throws {StorageError} for a folder that is none or cannot be listed.
 * @throws the reason of `signal` when cancelled.
 */
export async function searchContent(
  runtime: Pick<Runtime, 'files' | 'hashers'>,
  options: SearchOptions,
): Promise<SearchResult> {
  const { metainfo, folders, root, name, signal, onProgress } = options;
  const wanted = options.wanted.filter((file) => isWantable(metainfo, file));
  const sizes = new Set(wanted.map((file) => metainfo.files[file]?.length ?? 0));
  const walk = await walkBySize(runtime.files, folders, { sizes, signal });
  const place = name === undefined ? { root } : { root, name };
  const look = await lookAtContent(runtime.files, { metainfo, place });
  await using hashers = hashersFor(runtime, options);
  let hashedBytes = 0;
  const hunt: Hunt = {
    metainfo,
    map: new LayoutMap(metainfo),
    wanted,
    inPlace: (file) =>
      look.sizes[file] === metainfo.files[file]?.length ? look.pathOf(file) : undefined,
    ...candidatesOf(walk.bySize, metainfo),
    hash: async (run) => {
      const hashed = await hashers.use.hash(run);
      for (const { length } of run.parts) hashedBytes += length;
      onProgress?.(hashedBytes);
      return hashed;
    },
    pace: { limit: runsAtOnce(hashers.use), signal },
  };
  const isV1 = metainfo.version === 'v1';
  const result = isV1 ? await findByPieces(hunt) : await findByRoots(hunt, runtime.hashers);
  return { ...result, unreadable: walk.unreadable };
}

/** Files of the same size by their names: what was only moved is found at once. */
function candidatesOf(
  bySize: ReadonlyMap<number, readonly string[]>,
  { files }: Metainfo,
): Pick<Hunt, 'namesakes' | 'candidates'> {
  const byName = new Map<string, string[]>();
  for (const [size, paths] of bySize) {
    for (const path of paths) {
      const key = `${size}/${path.slice(path.lastIndexOf('/') + 1)}`;
      const known = byName.get(key);
      if (known === undefined) byName.set(key, [path]);
      else known.push(path);
    }
  }
  const nameOf = (file: number): string => {
    const { path = [], rawPath = path } = files[file] ?? {};
    return rawPath.at(-1) ?? '';
  };
  return {
    namesakes: (file) => byName.get(`${files[file]?.length}/${nameOf(file)}`) ?? [],
    candidates: (file) => bySize.get(files[file]?.length ?? 0) ?? [],
  };
}

function isWantable({ files }: Metainfo, index: number): boolean {
  const file = files[index];
  return file !== undefined && isStored(file) && file.symlink === undefined;
}

function hashersFor(
  { hashers }: Pick<Runtime, 'hashers'>,
  options: SearchOptions,
): AsyncDisposable & { readonly use: FileHashers } {
  const { threads, order = 'auto', metainfo } = options;
  if (options.hashers !== undefined) {
    return { use: options.hashers, [Symbol.asyncDispose]: async () => undefined };
  }
  const use = hashers.openFileHashers({
    order,
    totalBytes: metainfo.length,
    ...(threads === undefined ? {} : { threads }),
  });
  return { use, [Symbol.asyncDispose]: () => use[Symbol.asyncDispose]() };
}
