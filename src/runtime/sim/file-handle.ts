/** One open file of a simulated host. @module */

import { storageFailure } from '../failures.ts';
import type { FileHandle, FileStat } from '../ports.ts';
import type { DiskAccess } from './disk.ts';
import { access, type FileHost } from './file-access.ts';
import { type FileNode, TreeError } from './file-tree.ts';
import { PAGE } from './sparse-bytes.ts';

export class SimFileHandle implements FileHandle {
  readonly #host: FileHost;
  readonly #path: string;
  readonly #file: FileNode;
  readonly #writable: boolean;
  readonly #underWay = new Set<Promise<unknown>>();
  #disposal: Promise<void> | undefined;

  constructor(
    host: FileHost,
    path: string,
    { file, writable }: { readonly file: FileNode; readonly writable: boolean },
  ) {
    this.#host = host;
    this.#path = path;
    this.#file = file;
    this.#writable = writable;
    host.opened(this);
  }

  toString(): string {
    return `file ${this.#path}`;
  }

  read(into: Uint8Array, position: number): Promise<number> {
    return this.#access({ operation: 'read', offset: position, length: into.length }, () =>
      this.#file.content.read(into, position),
    );
  }

  write(bytes: Uint8Array, position: number): Promise<void> {
    return this.#access({ operation: 'write', offset: position, length: bytes.length }, () => {
      if (!this.#writable) throw new TreeError('EBADF');
      const fits = this.#fitting(bytes, position);
      this.#file.content.write(fits, position);
      this.#file.modified = this.#host.wallNow();
      if (fits.length < bytes.length) throw new TreeError('ENOSPC');
    });
  }

  resize(size: number): Promise<void> {
    return this.#access({ operation: 'resize' }, () => {
      if (!this.#writable) throw new TreeError('EINVAL');
      this.#file.content.resize(size);
      this.#file.modified = this.#host.wallNow();
    });
  }

  sync(): Promise<void> {
    return this.#access({ operation: 'sync' }, () => this.#file.content.sync());
  }

  stat(): Promise<FileStat> {
    return this.#access({ operation: 'stat' }, () => ({
      kind: 'file',
      size: this.#file.content.size,
      modified: this.#file.modified,
      executable: this.#file.executable,
    }));
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposal ??= this.#dispose();
    return this.#disposal;
  }

  async #dispose(): Promise<void> {
    await Promise.allSettled(this.#underWay);
    this.#host.closed(this);
  }

  /** What the disk still takes: a write on a full disk stops in the middle. */
  #fitting(bytes: Uint8Array, position: number): Uint8Array {
    const { disk } = this.#host;
    if (disk.capacity === Number.POSITIVE_INFINITY) return bytes;
    const room = Math.floor((disk.capacity - disk.used) / PAGE);
    let end = bytes.length;
    while (end > 0 && this.#file.content.newPages(end, position) > room) {
      end = Math.max(0, Math.floor((position + end - 1) / PAGE) * PAGE - position);
    }
    return bytes.subarray(0, end);
  }

  #access<T>(what: Omit<DiskAccess, 'path'>, work: () => T): Promise<T> {
    if (this.#disposal !== undefined) {
      return Promise.reject(storageFailure(`cannot ${what.operation} ${this.#path}`, 'EBADF'));
    }
    const running = access(this.#host, { ...what, path: this.#path }, work);
    const settled = (): void => void this.#underWay.delete(running);
    this.#underWay.add(running);
    running.then(settled, settled);
    return running;
  }
}
