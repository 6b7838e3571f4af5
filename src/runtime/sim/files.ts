/** The Files port of one simulated host. @module */

import { StorageError } from '../../base/errors.ts';
import { storageFailure } from '../failures.ts';
import type { FileHandle, FileStat, Files } from '../ports.ts';
import { emptyDirectory } from './disk.ts';
import { access, type FileHost } from './file-access.ts';
import { SimFileHandle } from './file-handle.ts';
import {
  type DirectoryNode,
  type FileNode,
  findPlace,
  findRealPath,
  TreeError,
  type TreeNode,
} from './file-tree.ts';
import { SparseBytes } from './sparse-bytes.ts';

export function filesOf(host: FileHost): Files {
  return new SimFiles(host);
}

class SimFiles implements Files {
  readonly #host: FileHost;
  constructor(host: FileHost) {
    this.#host = host;
  }

  open(path: string, mode: 'read' | 'write' | 'create'): Promise<FileHandle> {
    return access(this.#host, { operation: 'open', path }, () => {
      const place = this.#find(path, { follow: mode === 'read' });
      const { node } = place;
      if (node?.kind === 'directory') throw new TreeError('EISDIR');
      if (node?.kind === 'symlink') throw new TreeError('ELOOP');
      if (node === undefined && mode !== 'create') throw new TreeError('ENOENT');
      if (mode !== 'read' && this.#host.disk.readOnly) throw new TreeError('EROFS');
      const file = node ?? this.#newFile(place);
      return new SimFileHandle(this.#host, path, { file, writable: mode !== 'read' });
    });
  }

  stat(path: string): Promise<FileStat | undefined> {
    return this.#look(path, { follow: true });
  }

  statLink(path: string): Promise<FileStat | undefined> {
    return this.#look(path, { follow: false });
  }

  list(path: string): Promise<readonly string[]> {
    return access(this.#host, { operation: 'list', path }, () => [
      ...this.#directory(path).entries.keys(),
    ]);
  }

  makeDirectory(path: string): Promise<void> {
    return access(this.#host, { operation: 'makeDirectory', path }, () => {
      const parts = path.split('/');
      for (let count = 1; count <= parts.length; count++) {
        const prefix = parts.slice(0, count).join('/');
        const { parent, name, node } = this.#find(prefix, { follow: true });
        if (node === undefined) {
          parent.entries.set(name, emptyDirectory(this.#host.wallNow()));
          parent.modified = this.#host.wallNow();
        } else if (node.kind !== 'directory') {
          throw new TreeError(count === parts.length ? 'EEXIST' : 'ENOTDIR');
        }
      }
    });
  }

  rename(from: string, to: string): Promise<void> {
    return access(this.#host, { operation: 'rename', path: from }, () => {
      const source = this.#find(from, { follow: false });
      const target = this.#find(to, { follow: false });
      if (source.node === undefined) throw new TreeError('ENOENT');
      if (source.node === target.node) return;
      checkReplacement(source.node, target.node);
      source.parent.entries.delete(source.name);
      target.parent.entries.set(target.name, source.node);
      source.parent.modified = target.parent.modified = this.#host.wallNow();
    });
  }

  remove(path: string): Promise<void> {
    return access(this.#host, { operation: 'remove', path }, () => {
      const place = absentIsUndefined(() => this.#find(path, { follow: false }));
      if (place?.node === undefined) return;
      if (place.node.kind === 'directory') {
        if (place.node.entries.size > 0) throw new TreeError('ENOTEMPTY');
        if (place.name === '') throw new TreeError('EBUSY');
      }
      place.parent.entries.delete(place.name);
      place.parent.modified = this.#host.wallNow();
    });
  }

  makeSymlink(path: string, target: string): Promise<void> {
    return access(this.#host, { operation: 'makeSymlink', path }, () => {
      const { parent, name, node } = this.#find(path, { follow: false });
      if (node !== undefined) throw new TreeError('EEXIST');
      parent.entries.set(name, { kind: 'symlink', target, modified: this.#host.wallNow() });
    });
  }

  makeHardLink(path: string, target: string): Promise<void> {
    return access(this.#host, { operation: 'makeHardLink', path }, () => {
      const { node: file } = this.#find(target, { follow: false });
      const { parent, name, node } = this.#find(path, { follow: false });
      if (file === undefined) throw new TreeError('ENOENT');
      if (file.kind === 'directory') throw new TreeError('EPERM');
      if (node !== undefined) throw new TreeError('EEXIST');
      parent.entries.set(name, file);
      parent.modified = this.#host.wallNow();
    });
  }

  readLink(path: string): Promise<string> {
    return access(this.#host, { operation: 'readLink', path }, () => {
      const { node } = this.#find(path, { follow: false });
      if (node === undefined) throw new TreeError('ENOENT');
      if (node.kind !== 'symlink') throw new TreeError('EINVAL');
      return node.target;
    });
  }

  realPath(path: string): Promise<string> {
    return access(this.#host, { operation: 'realPath', path }, () =>
      findRealPath(this.#host.disk.root, path),
    );
  }

  makeExecutable(path: string): Promise<void> {
    return access(this.#host, { operation: 'makeExecutable', path }, () => {
      const { node } = this.#find(path, { follow: true });
      if (node === undefined) throw new TreeError('ENOENT');
      if (node.kind === 'file') node.executable = true;
    });
  }

  async readFile(path: string, { maxBytes }: { readonly maxBytes: number }): Promise<Uint8Array> {
    await using handle = await this.open(path, 'read');
    const { size } = await handle.stat();
    if (size > maxBytes) {
      throw new StorageError(`cannot read ${path}: it is longer than ${maxBytes} bytes`, {
        code: 'BIP_TOO_LARGE',
      });
    }
    const bytes = new Uint8Array(size);
    return bytes.subarray(0, await handle.read(bytes, 0));
  }

  async writeFile(path: string, bytes: Uint8Array): Promise<void> {
    if ((await this.stat(path))?.kind === 'directory') {
      throw storageFailure(`cannot write ${path}`, 'EISDIR');
    }
    const temporary = `${path.slice(0, path.lastIndexOf('/') + 1)}.bip-writing.tmp`;
    try {
      await this.#writeNew(temporary, bytes);
      await this.rename(temporary, path);
    } catch (error) {
      await this.remove(temporary).catch(() => undefined);
      throw error;
    }
  }

  async writeSecret(path: string, bytes: Uint8Array): Promise<void> {
    if ((await this.statLink(path)) !== undefined) {
      throw storageFailure(`cannot write ${path}`, 'EEXIST');
    }
    await this.#writeNew(path, bytes);
  }

  async #writeNew(path: string, bytes: Uint8Array): Promise<void> {
    await using handle = await this.open(path, 'create');
    await handle.resize(0);
    await handle.write(bytes, 0);
    await handle.sync();
  }

  #look(path: string, how: { readonly follow: boolean }): Promise<FileStat | undefined> {
    return access(this.#host, { operation: 'stat', path }, () => {
      const node = absentIsUndefined(() => this.#find(path, how).node);
      return node === undefined ? undefined : statOf(node);
    });
  }

  #find(path: string, how: { readonly follow: boolean }): ReturnType<typeof findPlace> {
    return findPlace(this.#host.disk.root, path, how);
  }

  #directory(path: string): DirectoryNode {
    const { node } = this.#find(path, { follow: true });
    if (node === undefined) throw new TreeError('ENOENT');
    if (node.kind !== 'directory') throw new TreeError('ENOTDIR');
    return node;
  }

  #newFile({ parent, name }: ReturnType<typeof findPlace>): FileNode {
    const modified = this.#host.wallNow();
    const file: FileNode = {
      kind: 'file',
      content: new SparseBytes(),
      modified,
      executable: false,
    };
    parent.entries.set(name, file);
    parent.modified = modified;
    return file;
  }
}

function statOf(node: TreeNode): FileStat {
  const size =
    node.kind === 'file' ? node.content.size : node.kind === 'symlink' ? node.target.length : 0;
  const executable = node.kind === 'file' && node.executable;
  return { kind: node.kind, size, modified: node.modified, executable };
}

function checkReplacement(source: TreeNode, target: TreeNode | undefined): void {
  if (target === undefined) return;
  if (target.kind === 'directory' && source.kind !== 'directory') throw new TreeError('EISDIR');
  if (target.kind !== 'directory' && source.kind === 'directory') throw new TreeError('ENOTDIR');
  if (target.kind === 'directory' && target.entries.size > 0) throw new TreeError('ENOTEMPTY');
}

function absentIsUndefined<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof TreeError && ['ENOENT', 'ENOTDIR'].includes(error.system)) {
      return undefined;
    }
    throw error;
  }
}
