/** Names of a simulated file system: directories, files and symlinks. @module */

import { encodeName } from '../../base/bytes.ts';
import type { SparseBytes } from './sparse-bytes.ts';

export interface FileNode {
  readonly kind: 'file';
  readonly content: SparseBytes;
  modified: number;
  executable: boolean;
}
export interface DirectoryNode {
  readonly kind: 'directory';
  readonly entries: Map<string, TreeNode>;
  modified: number;
}
export interface LinkNode {
  readonly kind: 'symlink';
  readonly target: string;
  readonly modified: number;
}
export type TreeNode = FileNode | DirectoryNode | LinkNode;

/** A failure by its name in `errno.h`. */
export class TreeError extends Error {
  readonly system: string;
  constructor(system: string) {
    super(system);
    this.system = system;
  }
}

/** Where a path leads: the directory, the name in it, and what is there. */
export interface Place {
  readonly parent: DirectoryNode;
  /** Empty for the root. */
  readonly name: string;
  readonly node: TreeNode | undefined;
}

/** Symlinks followed on one path (Linux). */
const MOST_LINKS = 40;
/** Bytes of one name (Linux). */
const LONGEST_NAME = 255;

/** @throws {TreeError} ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG as a system would. */
export function findPlace(
  root: DirectoryNode,
  path: string,
  { follow }: { readonly follow: boolean },
): Place {
  return new Walk(root, path, follow).end();
}

/**
 * The absolute path of what `path` leads to, with no symlink in it.
 *
 * @throws {TreeError} as {@link findPlace}, and ENOENT when there is nothing.
 */
export function findRealPath(root: DirectoryNode, path: string): string {
  const walk = new Walk(root, path, true);
  const { node, name } = walk.end();
  if (node === undefined) throw new TreeError('ENOENT');
  const names = node.kind === 'directory' ? walk.names : [...walk.names, name];
  return `/${names.join('/')}`;
}

/** One way along a path, symlinks resolved as they come. */
class Walk {
  readonly #root: DirectoryNode;
  readonly #follow: boolean;
  /** Parts still to go, the next one last. */
  readonly #todo: string[];
  /** The directories from the root to here, and the names of all but the root. */
  readonly #trail: DirectoryNode[];
  readonly #names: string[] = [];
  #place: Place;
  #links = 0;

  constructor(root: DirectoryNode, path: string, follow: boolean) {
    this.#root = root;
    this.#follow = follow;
    this.#todo = partsOf(path);
    this.#trail = [root];
    this.#place = { parent: root, name: '', node: root };
  }

  /** Names of the directories from the root to here. */
  get names(): readonly string[] {
    return this.#names;
  }

  end(): Place {
    for (let part = this.#todo.pop(); part !== undefined; part = this.#todo.pop()) {
      const here = directoryAt(this.#place);
      if (part === '..') this.#goUp();
      else this.#enter(here, part);
    }
    return this.#place;
  }

  #goUp(): void {
    if (this.#trail.length > 1) {
      this.#trail.pop();
      this.#names.pop();
    }
    this.#stay();
  }

  #stay(): void {
    this.#place = { parent: this.#root, name: '', node: this.#trail.at(-1) };
  }

  #enter(here: DirectoryNode, name: string): void {
    if (encodeName(name).length > LONGEST_NAME) throw new TreeError('ENAMETOOLONG');
    const node = here.entries.get(name);
    if (node?.kind === 'symlink' && (this.#follow || this.#todo.length > 0)) {
      if (++this.#links > MOST_LINKS) throw new TreeError('ELOOP');
      if (node.target.startsWith('/')) {
        this.#trail.length = 1;
        this.#names.length = 0;
      }
      this.#todo.push(...partsOf(node.target));
      this.#stay();
      return;
    }
    this.#place = { parent: here, name, node };
    if (node?.kind !== 'directory') return;
    this.#trail.push(node);
    this.#names.push(name);
  }
}

function partsOf(path: string): string[] {
  return path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .toReversed();
}

function directoryAt({ node }: Place): DirectoryNode {
  if (node === undefined) throw new TreeError('ENOENT');
  if (node.kind !== 'directory') throw new TreeError('ENOTDIR');
  return node;
}

/** A copy that shares nothing with the original. */
export function cloneTree(node: DirectoryNode): DirectoryNode {
  const entries = new Map<string, TreeNode>();
  for (const [name, child] of node.entries) entries.set(name, cloneNode(child));
  return { ...node, entries };
}

function cloneNode(node: TreeNode): TreeNode {
  if (node.kind === 'directory') return cloneTree(node);
  return node.kind === 'file' ? { ...node, content: node.content.clone() } : node;
}

/** All files below `node`. */
export function* filesBelow(node: DirectoryNode): Generator<FileNode, void, undefined> {
  for (const child of node.entries.values()) {
    if (child.kind === 'file') yield child;
    else if (child.kind === 'directory') yield* filesBelow(child);
  }
}
