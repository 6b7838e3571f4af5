/** Files read and written as a whole. @module */

import { randomBytes } from 'node:crypto';
import type { Stats } from 'node:fs';
import { type FileHandle, open, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { StorageError } from '../../base/errors.ts';
import { storageFailure } from '../failures.ts';
import { systemCode } from './system-error.ts';
import { systemPath } from './system-path.ts';

/** Bytes read at a time from what does not tell its size (pipes, /proc). */
const STREAM_CHUNK = 64 * 1024;

/** @throws {StorageError} `BIP_TOO_LARGE` when it is longer than `maxBytes`. */
export async function readFile(
  path: string,
  { maxBytes }: { readonly maxBytes: number },
): Promise<Uint8Array> {
  return attempt(`cannot read ${path}`, async () => {
    await using handle = await open(systemPath(path), 'r');
    const stats = await handle.stat();
    if (stats.isFile() && stats.size > maxBytes) throw tooLarge(path, maxBytes);
    const bytes = await readAll(handle, { expected: stats.size, maxBytes });
    if (bytes === 'too large') throw tooLarge(path, maxBytes);
    return bytes;
  });
}

/**
 * A symlink at `path` is replaced, not followed. What is no file (a device, a FIFO) cannot be
 * replaced and is written into. The permissions of the file before are kept.
 */
export async function writeFile(path: string, bytes: Uint8Array): Promise<void> {
  await attempt(`cannot write ${path}`, async () => {
    const before = await existing(path);
    if (before?.isDirectory() === true) throw Object.assign(new Error(), { code: 'EISDIR' });
    if (before !== undefined && !before.isFile()) {
      await using handle = await open(systemPath(path), 'w');
      await handle.writeFile(bytes);
      return;
    }
    await replace(path, bytes, before === undefined ? 0o666 : before.mode & 0o777);
  });
}

/** Never replaces anything: what is lost with a secret is lost for good. */
export async function writeSecret(path: string, bytes: Uint8Array): Promise<void> {
  await attempt(`cannot write ${path}`, async () => {
    try {
      await writeNew(path, bytes, 0o600);
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') await unlink(systemPath(path)).catch(() => undefined);
      throw error;
    }
  });
}

async function replace(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  const temporary = join(dirname(path), `.bip-${randomBytes(8).toString('hex')}.tmp`);
  try {
    await writeNew(temporary, bytes, mode);
    await rename(systemPath(temporary), systemPath(path));
  } catch (error) {
    await unlink(systemPath(temporary)).catch(() => undefined);
    throw error;
  }
}

async function writeNew(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  await using handle = await open(systemPath(path), 'wx', mode);
  await handle.writeFile(bytes);
  // Else a crash soon after the rename may leave an empty file under the final name.
  await handle.sync();
}

async function existing(path: string): Promise<Stats | undefined> {
  try {
    return await stat(systemPath(path));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function readAll(
  handle: FileHandle,
  { expected, maxBytes }: { readonly expected: number; readonly maxBytes: number },
): Promise<Uint8Array | 'too large'> {
  // One byte more than expected shows the end without a further buffer.
  let buffer = new Uint8Array(Math.min(expected > 0 ? expected + 1 : STREAM_CHUNK, maxBytes + 1));
  let length = 0;
  for (;;) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length, null);
    if (bytesRead === 0) return buffer.subarray(0, length);
    length += bytesRead;
    if (length > maxBytes) return 'too large';
    if (length === buffer.length) {
      const larger = new Uint8Array(Math.min(2 * length + STREAM_CHUNK, maxBytes + 1));
      larger.set(buffer);
      buffer = larger;
    }
  }
}

function tooLarge(path: string, maxBytes: number): StorageError {
  return new StorageError(`cannot read ${path}: it is longer than ${maxBytes} bytes`, {
    code: 'BIP_TOO_LARGE',
  });
}

async function attempt<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StorageError) throw error;
    throw storageFailure(doing, systemCode(error), { cause: error });
  }
}
