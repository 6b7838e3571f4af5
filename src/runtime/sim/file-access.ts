/** One access to a simulated disk: it takes its time and fails by the disk's rules. @module */

import { storageFailure } from '../failures.ts';
import type { OpenResource } from './core.ts';
import type { DiskAccess, DiskOperation, SimDisk } from './disk.ts';
import { TreeError } from './file-tree.ts';

/** What files need of their host. */
export interface FileHost {
  readonly disk: SimDisk;
  /** Settles when an access of so many bytes is done; never when the power goes off before. */
  wait(length: number): Promise<void>;
  /** Milliseconds since 1970. */
  wallNow(): number;
  opened(handle: OpenResource): void;
  closed(handle: OpenResource): void;
}

const DOING: Readonly<Record<DiskOperation, string>> = {
  open: 'open',
  read: 'read',
  write: 'write',
  resize: 'resize',
  sync: 'flush',
  stat: 'look at',
  list: 'list',
  makeDirectory: 'make the directory',
  rename: 'rename',
  remove: 'remove',
  makeSymlink: 'make the symbolic link',
  makeHardLink: 'link',
  readLink: 'read the link',
  realPath: 'find',
  makeExecutable: 'make executable',
};

/** Does `work` when the access is due; what it throws as {@link TreeError} becomes a StorageError. */
export async function access<T>(host: FileHost, what: DiskAccess, work: () => T): Promise<T> {
  await host.wait(what.length ?? 0);
  const fault = host.disk.faultOf(what);
  const doing = `cannot ${DOING[what.operation]} ${what.path}`;
  if (fault !== undefined) throw storageFailure(doing, fault);
  try {
    return work();
  } catch (error) {
    throw error instanceof TreeError ? storageFailure(doing, error.system) : error;
  }
}
