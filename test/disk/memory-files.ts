/** A file system in memory that fails on demand and answers in a random order. @module */

import { type ErrorCode, StorageError } from '../../src/base/errors.ts';
import type { FileHandle, FileKind, FileStat, Files } from '../../src/runtime/ports.ts';

interface Node {
  kind: FileKind;
  bytes: Uint8Array;
  modified: number;
  target?: string;
  executable?: boolean;
  /** Bytes that were really written, as the system counts blocks of sparse files. */
  written: number;
  syncs: number;
}

type Operation = 'open' | 'read' | 'write' | 'resize' | 'sync' | 'stat' | 'close' | 'link';

/** Files below `/`, which exists. */
export class MemoryFiles implements Files {
  readonly nodes: Map<string, Node> = new Map();
  /** Every operation on a path, in order. */
  readonly log: { readonly operation: Operation; readonly path: string }[] = [];
  /** Asked before every operation; what it returns is thrown. */
  fault: (operation: Operation, path: string) => StorageError | undefined = () => undefined;
  /** How many microtasks an operation takes. */
  delay: () => number = () => 1;
  /** Bytes that may still be written. */
  space: number = Number.POSITIVE_INFINITY;
  openHandles = 0;
  mostOpenHandles = 0;
  #time = 1_700_000_000_000;

  constructor() {
    this.nodes.set('', directory());
  }

  async open(path: string, mode: 'read' | 'write' | 'create'): Promise<FileHandle> {
    await this.step('open', path);
    const key = mode === 'read' ? this.#followed(path) : normal(path);
    let node = this.nodes.get(key);
    if (node?.kind === 'directory') throw failure('BIP_IS_DIRECTORY', path);
    if (node === undefined) {
      if (mode !== 'create') throw failure('BIP_NOT_FOUND', path);
      if (this.nodes.get(parent(key))?.kind !== 'directory') throw failure('BIP_NOT_FOUND', path);
      node = { ...directory(), kind: 'file', modified: this.#tick() };
      this.nodes.set(key, node);
    }
    this.openHandles++;
    this.mostOpenHandles = Math.max(this.mostOpenHandles, this.openHandles);
    return this.#handle(path, node, mode !== 'read');
  }

  async stat(path: string): Promise<FileStat | undefined> {
    await this.step('stat', path);
    const node = this.nodes.get(this.#followed(path));
    return node === undefined ? undefined : statOf(node);
  }

  async statLink(path: string): Promise<FileStat | undefined> {
    await this.step('stat', path);
    const node = this.nodes.get(normal(path));
    return node === undefined ? undefined : statOf(node);
  }

  async list(path: string): Promise<readonly string[]> {
    const prefix = `${normal(path)}/`;
    return [...this.nodes.keys()]
      .filter((key) => key.startsWith(prefix) && !key.slice(prefix.length).includes('/'))
      .map((key) => key.slice(prefix.length));
  }

  async makeDirectory(path: string): Promise<void> {
    await this.step('open', path);
    const parts = normal(path).split('/');
    for (let depth = 1; depth <= parts.length; depth++) {
      const key = parts.slice(0, depth).join('/');
      if (!this.nodes.has(key)) this.nodes.set(key, directory());
    }
  }

  async rename(from: string, to: string): Promise<void> {
    const node = this.nodes.get(normal(from));
    if (node === undefined) throw failure('BIP_NOT_FOUND', from);
    this.nodes.delete(normal(from));
    this.nodes.set(normal(to), node);
  }

  async remove(path: string): Promise<void> {
    const node = this.nodes.get(normal(path));
    if (node?.kind === 'directory' && (await this.list(path)).length > 0) {
      throw failure('BIP_IO', path);
    }
    this.nodes.delete(normal(path));
  }

  async makeSymlink(path: string, target: string): Promise<void> {
    await this.step('link', path);
    if (this.nodes.has(normal(path))) throw failure('BIP_EXISTS', path);
    this.nodes.set(normal(path), { ...directory(), kind: 'symlink', target });
  }

  async makeHardLink(path: string, target: string): Promise<void> {
    await this.step('link', path);
    const node = this.nodes.get(normal(target));
    if (node === undefined) throw failure('BIP_NOT_FOUND', target);
    if (this.nodes.has(normal(path))) throw failure('BIP_EXISTS', path);
    this.nodes.set(normal(path), node);
  }

  async readLink(path: string): Promise<string> {
    const target = this.nodes.get(normal(path))?.target;
    if (target === undefined) throw failure('BIP_IO', path);
    return target;
  }

  async realPath(path: string): Promise<string> {
    const key = this.#followed(path);
    if (!this.nodes.has(key)) throw failure('BIP_NOT_FOUND', path);
    return key === '' ? '/' : key;
  }

  async makeExecutable(path: string): Promise<void> {
    const node = this.nodes.get(normal(path));
    if (node === undefined) throw failure('BIP_NOT_FOUND', path);
    node.executable = true;
  }

  async readFile(path: string, options: { readonly maxBytes: number }): Promise<Uint8Array> {
    await this.step('read', path);
    const node = this.nodes.get(normal(path));
    if (node === undefined) throw failure('BIP_NOT_FOUND', path);
    if (node.bytes.length > options.maxBytes) throw failure('BIP_TOO_LARGE', path);
    return node.bytes.slice();
  }

  async writeFile(path: string, bytes: Uint8Array): Promise<void> {
    await this.step('write', path);
    this.put(path, bytes);
  }

  async writeSecret(path: string, bytes: Uint8Array): Promise<void> {
    await this.step('write', path);
    if (this.nodes.has(normal(path))) throw failure('BIP_EXISTS', path);
    this.put(path, bytes);
  }

  /** Puts a file there, with its parents. */
  put(path: string, bytes: Uint8Array): void {
    const key = normal(path);
    for (let at = key.indexOf('/', 1); at !== -1; at = key.indexOf('/', at + 1)) {
      if (!this.nodes.has(key.slice(0, at))) this.nodes.set(key.slice(0, at), directory());
    }
    const modified = this.#tick();
    this.nodes.set(key, { ...directory(), kind: 'file', bytes: bytes.slice(), modified });
  }

  /** Content of a file; `undefined` when there is none. */
  bytesOf(path: string): Uint8Array | undefined {
    const node = this.nodes.get(normal(path));
    return node?.kind === 'file' ? node.bytes : undefined;
  }

  /** A copy as a crash of the process leaves it. */
  clone(): MemoryFiles {
    const copy = new MemoryFiles();
    for (const [key, node] of this.nodes) {
      copy.nodes.set(key, { ...node, bytes: node.bytes.slice() });
    }
    copy.#time = this.#time;
    return copy;
  }

  async step(operation: Operation, path: string): Promise<void> {
    for (let count = this.delay(); count > 0; count--) await Promise.resolve();
    this.log.push({ operation, path });
    const error = this.fault(operation, path);
    if (error !== undefined) throw error;
  }

  /** The last part of a path, if it is a link, is followed once. */
  #followed(path: string): string {
    const key = normal(path);
    const target = this.nodes.get(key)?.target;
    return target === undefined ? key : normal(`${parent(key)}/${target}`);
  }

  #tick(): number {
    this.#time += 0.25;
    return this.#time;
  }

  #handle(path: string, node: Node, writable: boolean): FileHandle {
    let open = true;
    const use = async (operation: Operation): Promise<void> => {
      if (!open) throw new Error(`${operation} on the closed handle of ${path}`);
      await this.step(operation, path);
      if (!open) throw new Error(`the handle of ${path} was closed during ${operation}`);
    };
    const change = (): void => {
      if (!writable) throw failure('BIP_ACCESS', path);
      node.modified = this.#tick();
    };
    return {
      read: async (into, position) => {
        await use('read');
        const part = node.bytes.subarray(position, position + into.length);
        into.set(part);
        return part.length;
      },
      write: async (bytes, position) => {
        await use('write');
        change();
        const fits = Math.min(bytes.length, this.space);
        if (node.bytes.length < position + fits) node.bytes = grown(node.bytes, position + fits);
        node.bytes.set(bytes.subarray(0, fits), position);
        node.written += fits;
        this.space -= fits;
        if (fits < bytes.length) throw failure('BIP_DISK_FULL', path);
      },
      resize: async (size) => {
        await use('resize');
        change();
        node.bytes = grown(node.bytes, size);
      },
      sync: async () => {
        await use('sync');
        node.syncs++;
      },
      stat: async () => {
        await use('stat');
        return statOf(node);
      },
      [Symbol.asyncDispose]: async () => {
        if (!open) return;
        open = false;
        this.openHandles--;
        await this.step('close', path);
      },
    };
  }
}

export function failure(code: ErrorCode, path: string): StorageError {
  return new StorageError(`${path}: ${code}`, { code });
}

function directory(): Node {
  return { kind: 'directory', bytes: new Uint8Array(), modified: 0, written: 0, syncs: 0 };
}

function statOf(node: Node): FileStat {
  const { kind, bytes, modified, executable = false } = node;
  return { kind, size: bytes.length, modified, executable };
}

function grown(bytes: Uint8Array, size: number): Uint8Array {
  const longer = new Uint8Array(size);
  longer.set(bytes.subarray(0, size));
  return longer;
}

function parent(key: string): string {
  return key.slice(0, Math.max(0, key.lastIndexOf('/')));
}

function normal(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.length === 0 ? '' : `/${parts.join('/')}`;
}
