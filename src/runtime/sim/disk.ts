/** The disk of a simulated host: what is on it, how fast it is, and what is wrong with it. @module */

import type { Millis } from '../ports.ts';
import { cloneTree, type DirectoryNode, filesBelow } from './file-tree.ts';
import { PAGE } from './sparse-bytes.ts';

/** What may be done to a path; the names of the port's functions. */
export type DiskOperation =
  | 'open'
  | 'read'
  | 'write'
  | 'resize'
  | 'sync'
  | 'stat'
  | 'list'
  | 'makeDirectory'
  | 'rename'
  | 'remove'
  | 'makeSymlink'
  | 'makeHardLink'
  | 'readLink'
  | 'realPath'
  | 'makeExecutable';

/** A rule by which operations fail. Everything that is left out matches all. */
export interface DiskFault {
  readonly operation?: DiskOperation;
  /** The path as it was given, or a pattern for it. */
  readonly path?: string | RegExp;
  /** Reads and writes that touch this byte of the file. */
  readonly offset?: number;
  /** The name in `errno.h`, e.g. `EIO`, `EACCES`, `ENOSPC`. */
  readonly error: string;
  /** How many times it happens; default for ever. */
  readonly times?: number;
}

/** The content of a disk at one moment. */
export interface DiskSnapshot {
  readonly root: DirectoryNode;
}

/** What an operation does to which bytes of which path. */
export interface DiskAccess {
  readonly operation: DiskOperation;
  readonly path: string;
  readonly offset?: number;
  readonly length?: number;
}

export class SimDisk {
  root: DirectoryNode = emptyDirectory();
  /** Bytes that fit in, in units of 4 KiB. */
  capacity: number = Number.POSITIVE_INFINITY;
  /** Every operation takes so long, milliseconds. */
  latencyMs: Millis = 0;
  /** Bytes a second of reads and writes, one after the other. */
  bytesPerSecond: number = Number.POSITIVE_INFINITY;
  /** Nothing can be changed. */
  readOnly = false;
  readonly #faults = new Set<{ readonly fault: DiskFault; left: number }>();
  #free: Millis = 0;

  /** Lets operations fail until the returned function is called. */
  fail(fault: DiskFault): () => void {
    const rule = { fault, left: fault.times ?? Number.POSITIVE_INFINITY };
    this.#faults.add(rule);
    return () => void this.#faults.delete(rule);
  }

  /** How this access fails, as a name of `errno.h`; uses up rules that count. */
  faultOf(access: DiskAccess): string | undefined {
    for (const rule of this.#faults) {
      if (!matches(rule.fault, access)) continue;
      if (--rule.left <= 0) this.#faults.delete(rule);
      return rule.fault.error;
    }
    return this.readOnly && changes(access.operation) ? 'EROFS' : undefined;
  }

  /** When an access of `length` bytes that is asked for now is done. */
  doneAt(now: Millis, length: number): Millis {
    const work = (length * 1000) / this.bytesPerSecond;
    if (work === 0) return now + this.latencyMs;
    this.#free = Math.max(now, this.#free) + work;
    return this.#free + this.latencyMs;
  }

  /** Bytes that files take, in units of 4 KiB. */
  get used(): number {
    let pages = 0;
    for (const { content } of filesBelow(this.root)) pages += content.pages;
    return pages * PAGE;
  }

  snapshot(): DiskSnapshot {
    return { root: cloneTree(this.root) };
  }

  restore({ root }: DiskSnapshot): void {
    this.root = cloneTree(root);
  }

  /** What was written and not synced is lost; names, as with a journal, are not. */
  crash(): void {
    for (const { content } of filesBelow(this.root)) content.crash();
  }
}

export function emptyDirectory(modified = 0): DirectoryNode {
  return { kind: 'directory', entries: new Map(), modified };
}

function matches(
  fault: DiskFault,
  { operation, path, offset = 0, length = 0 }: DiskAccess,
): boolean {
  if (fault.operation !== undefined && fault.operation !== operation) return false;
  if (!isPath(fault.path, path)) return false;
  if (fault.offset === undefined) return true;
  return offset <= fault.offset && fault.offset < offset + length;
}

function isPath(wanted: string | RegExp | undefined, path: string): boolean {
  if (wanted === undefined) return true;
  return typeof wanted === 'string' ? wanted === path : wanted.test(path);
}

function changes(operation: DiskOperation): boolean {
  return !['open', 'read', 'stat', 'list', 'sync'].includes(operation);
}
