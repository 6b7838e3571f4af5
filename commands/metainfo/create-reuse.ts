/** `--reuse DIR`: torrents that may be of the same content. @module */

import { BipError, UsageError } from '../../src/base/errors.ts';
import { MAX_LOCAL_TORRENT_BYTES, type Metainfo, parseMetainfo } from '../../src/metainfo/index.ts';
import type { Context } from '../cli/context.ts';
import { joinPath } from '../cli/paths.ts';
import type { Reporter } from '../cli/reporter.ts';
import { parseOptions } from '../cli/torrent-argument.ts';

/** A torrent and the file that it was read from. */
export interface Candidate {
  readonly path: string;
  readonly metainfo: Metainfo;
}

/** Deeper folders are not searched. */
const MAX_DEPTH = 64;

/** Torrents kept for a look at their files. */
const MAX_CANDIDATES = 64;

/**
 * The torrents below `folders` with content of `totalBytes`, by path; whatever is no torrent is
 * passed over. Symlinks to folders are not followed.
 *
 * @throws {StorageError} for a folder that cannot be read.
 */
export async function findCandidates(
  { context, reporter }: { readonly context: Context; readonly reporter: Reporter },
  folders: readonly string[],
  totalBytes: number,
): Promise<readonly Candidate[]> {
  const found: Candidate[] = [];
  for (const folder of folders) {
    const there = await context.runtime.files.stat(folder);
    if (there?.kind !== 'directory') {
      throw new UsageError(`--reuse: ${folder} is no folder; name one that holds torrents`);
    }
    for await (const path of torrentsIn(context, folder, 0)) {
      context.signal.throwIfAborted();
      if (found.length >= MAX_CANDIDATES) return found;
      const metainfo = await read(context, path, reporter);
      if (metainfo?.length === totalBytes) found.push({ path, metainfo });
    }
  }
  return found;
}

async function* torrentsIn(context: Context, folder: string, depth: number): AsyncIterable<string> {
  const { files } = context.runtime;
  const names = await files.list(folder);
  for (const name of names.toSorted()) {
    const path = joinPath(folder, name);
    if (/\.torrent$/i.test(name)) {
      if ((await files.stat(path))?.kind === 'file') yield path;
    } else if (depth < MAX_DEPTH && (await files.statLink(path))?.kind === 'directory') {
      yield* torrentsIn(context, path, depth + 1);
    }
  }
}

async function read(
  context: Context,
  path: string,
  reporter: Reporter,
): Promise<Metainfo | undefined> {
  try {
    const maxBytes = MAX_LOCAL_TORRENT_BYTES;
    const bytes = await context.runtime.files.readFile(path, { maxBytes });
    return parseMetainfo(bytes, parseOptions(context));
  } catch (error) {
    if (!(error instanceof BipError)) throw error;
    reporter.explain(`${path} is passed over: ${error.message}`);
    return undefined;
  }
}
