/** The file system of the machine. @module */

import * as fs from 'node:fs';
import {
  chmod,
  link,
  lstat,
  mkdir,
  open as openFile,
  readdir,
  readlink,
  realpath,
  rename,
  rmdir,
  stat,
  symlink,
  unlink,
} from 'node:fs/promises';
import { dirname } from 'node:path';
import { decodeName } from '../../base/bytes.ts';
import { storageFailure } from '../failures.ts';
import type { FileHandle, Files } from '../ports.ts';
import { NodeFileHandle } from './file-handle.ts';
import { FileLooks } from './file-looks.ts';
import { systemCode } from './system-error.ts';
import { systemPath } from './system-path.ts';
import type { Threads } from './threads.ts';
import { readFile, writeFile, writeSecret } from './whole-files.ts';

/**
 * `write` and `create` do not follow a symlink in the last part of the path: a torrent may contain
 * symlinks, and its data must not be written through one of them to elsewhere. Directories on the
 * way are the caller's care. Nothing blocks on a FIFO that took the place of a file.
 */
const OPEN_FLAGS = {
  read: fs.constants.O_RDONLY | fs.constants.O_NONBLOCK,
  write: fs.constants.O_RDWR | fs.constants.O_NONBLOCK | fs.constants.O_NOFOLLOW,
  create:
    fs.constants.O_RDWR | fs.constants.O_NONBLOCK | fs.constants.O_NOFOLLOW | fs.constants.O_CREAT,
} as const;

/** @param threads write the memory that they share; without them the threadpool writes all */
export function nodeFiles(threads?: Threads): Files {
  const looks = new FileLooks();
  return {
    ...FILES,
    open: (path, mode) => open(path, mode, threads),
    stat: (path) => absentIsUndefined(`cannot look at ${path}`, () => looks.stat(path)),
    statLink: (path) => absentIsUndefined(`cannot look at ${path}`, () => looks.statLink(path)),
  };
}

const FILES: Omit<Files, 'open' | 'stat' | 'statLink'> = {
  readFile,
  writeFile,
  writeSecret,
  list: (path) =>
    attempt(`cannot list ${path}`, async () => {
      const names = await readdir(systemPath(path), 'buffer');
      return names.map(decodeName);
    }),
  async makeDirectory(path) {
    await attempt(`cannot make the directory ${path}`, () => makeWithParents(path));
  },
  rename: (from, to) =>
    attempt(`cannot rename ${from} to ${to}`, () => rename(systemPath(from), systemPath(to))),
  async remove(path) {
    await absentIsUndefined(`cannot remove ${path}`, () => removeEither(path));
  },
  makeSymlink: (path, target) =>
    attempt(`cannot make the symbolic link ${path}`, () =>
      symlink(systemPath(target), systemPath(path)),
    ),
  makeHardLink: (path, target) =>
    attempt(`cannot link ${path} to ${target}`, () => link(systemPath(target), systemPath(path))),
  readLink: (path) =>
    attempt(`cannot read the link ${path}`, async () =>
      decodeName(await readlink(systemPath(path), 'buffer')),
    ),
  realPath: (path) =>
    attempt(`cannot find ${path}`, async () =>
      decodeName(await realpath(systemPath(path), 'buffer')),
    ),
  makeExecutable: (path) =>
    attempt(`cannot make ${path} executable`, async () => {
      const system = systemPath(path);
      const { mode } = await stat(system);
      // Who may read it (bits 0o444) may run it (0o111).
      await chmod(system, (mode & 0o777) | ((mode & 0o444) >>> 2));
    }),
};

/** Node's own `recursive` never ends where a folder exists that takes no others, as /proc. */
async function makeWithParents(path: string): Promise<void> {
  try {
    await makeOne(path);
  } catch (error) {
    const parent = dirname(path);
    if (systemCode(error) !== 'ENOENT' || parent === path) throw error;
    await makeWithParents(parent);
    await makeOne(path);
  }
}

async function makeOne(path: string): Promise<void> {
  try {
    await mkdir(systemPath(path));
  } catch (error) {
    if (systemCode(error) !== 'EEXIST' || !(await stat(systemPath(path))).isDirectory())
      throw error;
  }
}

async function open(
  path: string,
  mode: keyof typeof OPEN_FLAGS,
  threads: Threads | undefined,
): Promise<FileHandle> {
  const doing = `cannot ${mode === 'read' ? 'read' : mode === 'write' ? 'write' : 'create'} ${path}`;
  return attempt(doing, async () => {
    const handle = await openFile(systemPath(path), OPEN_FLAGS[mode], 0o666);
    try {
      const stats = await handle.stat();
      if (stats.isDirectory()) throw Object.assign(new Error('directory'), { code: 'EISDIR' });
      return new NodeFileHandle(path, handle, threads);
    } catch (error) {
      await handle.close();
      throw error;
    }
  });
}

async function removeEither(path: string): Promise<void> {
  const system = systemPath(path);
  const stats = await lstat(system);
  await (stats.isDirectory() ? rmdir(system) : unlink(system));
}

async function attempt<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw storageFailure(doing, systemCode(error), { cause: error });
  }
}

async function absentIsUndefined<T>(doing: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    const system = systemCode(error);
    // Below something that is no directory there is nothing either.
    if (system === 'ENOENT' || system === 'ENOTDIR') return undefined;
    throw storageFailure(doing, system, { cause: error });
  }
}
