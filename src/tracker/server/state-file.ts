/** The file that swarms outlive a restart in. @module */

import type { Files } from '../../runtime/ports.ts';

/** Bytes read at once. */
const CHUNK = 1024 * 1024;

/**
 * Writes all `chunks` beside `path` and then takes its place, so that whatever happens meanwhile, a
 * whole file stands there: the old one or the new one.
 *
 * @throws {StorageError} and leaves the old file as it was.
 */
export async function writeStateFile(
  files: Files,
  path: string,
  chunks: Iterable<Uint8Array>,
): Promise<void> {
  const unfinished = unfinishedOf(path);
  try {
    await writeAll(files, unfinished, chunks);
    await files.rename(unfinished, path);
  } catch (error) {
    await files.remove(unfinished).catch(() => undefined);
    throw error;
  }
}

/**
 * Sees whether {@link writeStateFile} could begin, and leaves nothing behind.
 *
 * @throws {StorageError} when there can be no file at `path`.
 */
export async function tryStateFile(files: Files, path: string): Promise<void> {
  const unfinished = unfinishedOf(path);
  const handle = await files.open(unfinished, 'create');
  await handle[Symbol.asyncDispose]();
  await files.remove(unfinished);
}

function unfinishedOf(path: string): string {
  return `${path}.new`;
}

async function writeAll(files: Files, path: string, chunks: Iterable<Uint8Array>): Promise<void> {
  await using handle = await files.open(path, 'create');
  await handle.resize(0);
  let position = 0;
  for (const chunk of chunks) {
    await handle.write(chunk, position);
    position += chunk.length;
  }
  await handle.sync();
}

/**
 * Feeds the file at `path` to `feed`, in parts that are good during the call. Returns false when there
 * is no such file.
 *
 * @throws {StorageError} when it cannot be read.
 */
export async function readStateFile(
  files: Files,
  path: string,
  feed: (bytes: Uint8Array) => void,
): Promise<boolean> {
  if ((await files.stat(path)) === undefined) return false;
  await using handle = await files.open(path, 'read');
  const buffer = new Uint8Array(CHUNK);
  for (let position = 0; ; ) {
    const length = await handle.read(buffer, position);
    feed(buffer.subarray(0, length));
    position += length;
    if (length < buffer.length) return true;
  }
}
