/** One open file. @module */

import * as fs from 'node:fs';
import type { FileHandle as SystemHandle } from 'node:fs/promises';
import { storageFailure } from '../failures.ts';
import type { FileHandle, FileStat } from '../ports.ts';
import { statOf } from './file-stat.ts';
import { systemCode } from './system-error.ts';
import type { Threads } from './threads.ts';

/** Bytes written by one system call of the threadpool; see `WRITE_STEP` of block-thread.ts. */
const WRITE_AT_ONCE = 256 * 1024;

type Settle = (error: NodeJS.ErrnoException | null, count: number) => void;

/**
 * Reads and writes by the callback functions of node:fs, which cost a third of the promised ones.
 * Disposal waits for what is under way: the system gives the descriptor to the next file opened.
 */
export class NodeFileHandle implements FileHandle {
  readonly #path: string;
  readonly #handle: SystemHandle;
  readonly #threads: Threads | undefined;
  #underWay = 0;
  #idle: (() => void) | undefined;
  #disposal: Promise<void> | undefined;

  constructor(path: string, handle: SystemHandle, threads: Threads | undefined) {
    this.#path = path;
    this.#handle = handle;
    this.#threads = threads;
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    let done = 0;
    while (done < into.length) {
      const from = done;
      const count = await this.#count('read', (settle) =>
        fs.read(this.#handle.fd, into, from, into.length - from, position + from, settle),
      );
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    const thread = this.#threads?.writing(bytes);
    if (thread !== undefined) {
      await this.#count('write', (settle) => {
        thread.write(this.#handle.fd, bytes, position).then(
          () => settle(null, bytes.length),
          (error: NodeJS.ErrnoException) => settle(error, 0),
        );
      });
      return;
    }
    let done = 0;
    while (done < bytes.length) {
      const from = done;
      const length = Math.min(bytes.length - from, WRITE_AT_ONCE);
      done += await this.#count('write', (settle) =>
        fs.write(this.#handle.fd, bytes, from, length, position + from, settle),
      );
    }
  }

  async resize(size: number): Promise<void> {
    await this.#count('resize', (settle) =>
      fs.ftruncate(this.#handle.fd, size, (error) => settle(error, 0)),
    );
  }

  async sync(): Promise<void> {
    await this.#count('flush', (settle) =>
      fs.fdatasync(this.#handle.fd, (error) => settle(error, 0)),
    );
  }

  async stat(): Promise<FileStat> {
    let found: FileStat | undefined;
    await this.#count('look at', (settle) =>
      fs.fstat(this.#handle.fd, (error, stats) => {
        if (error === null) found = statOf(stats);
        settle(error, 0);
      }),
    );
    return found ?? { kind: 'other', size: 0, modified: 0, executable: false };
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposal ??= this.#dispose();
    return this.#disposal;
  }

  async #dispose(): Promise<void> {
    if (this.#underWay > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    try {
      await this.#handle.close();
    } catch (error) {
      // The last chance of a network file system to say that data was lost.
      throw this.#failure('close', error);
    }
  }

  #count(doing: string, start: (settle: Settle) => void): Promise<number> {
    return new Promise((resolve, reject) => {
      if (this.#disposal !== undefined) {
        reject(storageFailure(`cannot ${doing} ${this.#path}`, 'EBADF'));
        return;
      }
      this.#underWay++;
      start((error, count) => {
        if (error === null) resolve(count);
        else reject(this.#failure(doing, error));
        if (--this.#underWay === 0) this.#idle?.();
      });
    });
  }

  #failure(doing: string, error: unknown): Error {
    return storageFailure(`cannot ${doing} ${this.#path}`, systemCode(error), { cause: error });
  }
}
