/** Verifies one torrent: where its content is, what is good of it, what can be found elsewhere. @module */

import { UsageError } from '../../src/base/errors.ts';
import {
  type ArrangeMethod,
  arrange,
  findPlace,
  type Placement,
  placeOf,
  planArrangement,
  type SearchResult,
  searchContent,
  topOf,
  type Verification,
  verifyContent,
} from '../../src/content/index.ts';
import type { Metainfo } from '../../src/metainfo/index.ts';
import type { FileHashers } from '../../src/runtime/ports.ts';
import type { Context } from '../cli/context.ts';
import { HashProgress } from '../cli/hash-progress.ts';
import { printable } from '../cli/printable.ts';
import type { Reporter } from '../cli/reporter.ts';
import { maskSecrets } from '../cli/secrets.ts';
import { loadTorrent } from '../cli/torrent-argument.ts';
import { nameOf, parentOf } from '../transfer/content-path.ts';
import { selectFiles } from './verify-files.ts';

/** What is done with each torrent. */
export interface VerifyTask {
  readonly context: Context;
  readonly reporter: Reporter;
  /** There are others: `content` is the folder that holds them. */
  readonly isOneOfMany: boolean;
  readonly content?: string;
  readonly files?: readonly string[];
  readonly search: readonly string[];
  readonly method?: ArrangeMethod;
  readonly dryRun: boolean;
  readonly failFast: boolean;
  /** A hybrid by both of its versions. */
  readonly both: boolean;
  /** Hashers that are worth it for so many bytes; they are shared and not disposed here. */
  hashersFor(totalBytes: number): Promise<FileHashers>;
}

/** What came out for one torrent. */
export interface VerifyResult extends Verification {
  /** The argument, secrets masked. */
  readonly torrent: string;
  readonly metainfo: Metainfo;
  /** The file or folder that is the content. */
  readonly content: string;
  /** What was found elsewhere, when that was asked for. */
  readonly search?: SearchResult;
  /** What was laid out, or would be. */
  readonly placed?: readonly Placement[];
}

/**
 * @throws {UsageError} for a magnet link, and for a selection that names no file.
 * @throws {StorageError} for a folder that cannot be searched, and when something is in the way.
 */
export async function verifyTorrent(task: VerifyTask, torrent: string): Promise<VerifyResult> {
  const { context, reporter, failFast, both } = task;
  const { runtime, signal } = context;
  const metainfo = await loadMetainfo(context, torrent);
  const files = task.files === undefined ? undefined : await selectFiles(metainfo, task.files);
  const place = await locate(task, torrent, metainfo);
  const hashers = await task.hashersFor(metainfo.length);
  const progress = new HashProgress(runtime.clock, reporter, metainfo.name);
  const common = { metainfo, ...place, hashers, signal };
  const options = {
    ...common,
    both,
    ...(files === undefined ? {} : { files }),
    onProgress: (done: number, total: number) => progress.show(done, total),
  };
  try {
    const verification = await verifyContent(runtime, { ...options, failFast });
    const content = placeOf(place, []);
    const result = { ...verification, torrent: maskSecrets(torrent), metainfo, content };
    if (task.search.length === 0) return result;
    const search = await searchContent(runtime, {
      ...common,
      folders: task.search,
      wanted: missed(verification),
      onProgress: (done) => progress.show(done, undefined),
    });
    for (const path of search.unreadable) reporter.warn(`${path} cannot be searched`);
    const sources = search.found;
    const again =
      sources.size === 0
        ? verification
        : await verifyContent(runtime, { ...options, sources, known: verification });
    const placed = await layOut(task, { metainfo, ...place, found: sources }, progress);
    return { ...result, ...again, search, ...(placed === undefined ? {} : { placed }) };
  } finally {
    progress.clear();
  }
}

async function loadMetainfo(context: Context, torrent: string): Promise<Metainfo> {
  const source = await loadTorrent(context, torrent, { signal: context.signal });
  if (source.type === 'metainfo') return source.metainfo;
  throw new UsageError(
    'a magnet link or infohash has no hashes of pieces to verify anything with; take the .torrent',
  );
}

interface Place {
  readonly root: string;
  readonly name: string;
}

async function locate(task: VerifyTask, torrent: string, metainfo: Metainfo): Promise<Place> {
  const candidates = candidatesFor(task, torrent, metainfo);
  const { files } = task.context.runtime;
  const place = await findPlace(files, metainfo, candidates);
  const { isThere, root, name = topOf(metainfo) } = place;
  if (!isThere) {
    const where = candidates.map((candidate) => placeOf(candidate, [])).join(' or ');
    task.reporter.warn(
      `nothing of ${printable(metainfo.name)} is at ${printable(where)}; --content PATH says where it is`,
    );
  }
  return { root, name };
}

/** Where nothing is anywhere, the first one counts: files are missing there, and laid out there. */
function candidatesFor(
  task: VerifyTask,
  torrent: string,
  metainfo: Metainfo,
): readonly [Place, ...Place[]] {
  const { content, isOneOfMany } = task;
  const name = topOf(metainfo);
  if (content === undefined) {
    const isFile = torrent !== '-' && !/^https?:\/\//i.test(torrent);
    const beside = isFile ? parentOf(torrent) : '.';
    const here = heldBy('.', metainfo);
    return beside === '.' ? here : [...heldBy(beside, metainfo), ...here];
  }
  const within = heldBy(content, metainfo);
  if (isOneOfMany) return within;
  const itself = { root: parentOf(content), name: nameOf(content) };
  return itself.name === name ? [itself, ...within] : [...within, itself];
}

/** A folder with one file in it may have become a torrent of that file: see `topOf`. */
function heldBy(root: string, metainfo: Metainfo): readonly [Place, ...Place[]] {
  const name = topOf(metainfo);
  const held = { root, name };
  return name === metainfo.name
    ? [held]
    : [held, { root: placeOf({ root }, [metainfo.name]), name }];
}

/** Files that are to be searched for. */
function missed({ files }: Verification): readonly number[] {
  return files
    .filter(({ state, symlink }) => state !== 'good' && symlink === undefined)
    .map(({ index }) => index);
}

async function layOut(
  task: VerifyTask,
  what: Place & { readonly metainfo: Metainfo; readonly found: ReadonlyMap<number, string> },
  progress: HashProgress,
): Promise<readonly Placement[] | undefined> {
  const { context, method, dryRun } = task;
  if (method === undefined) return undefined;
  const { files } = context.runtime;
  const plan = await planArrangement(files, { ...what, method });
  if (dryRun) return plan;
  const placed: Placement[] = [];
  const { signal } = context;
  const onProgress = (done: number): void => progress.show(done, undefined);
  for await (const placement of arrange(files, plan, { signal, onProgress })) {
    placed.push(placement);
  }
  return placed;
}
