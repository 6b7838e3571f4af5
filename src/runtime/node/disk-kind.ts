/** What kind of disk a file lies on. @module */

import { readFileSync, realpathSync, statSync } from 'node:fs';
import { systemPath } from './system-path.ts';

/** Disks of virtual machines (virtio, Xen): they say that they turn, and nobody knows. */
const VIRTUAL = /\/(?:virtio|vbd-)\d/;

/**
 * True for a disk that turns, where seeks are dear, as far as Linux says. Network file systems,
 * memory and other systems do not say; there it is false.
 */
export function isTurningDisk(path: string): boolean {
  try {
    const { dev } = statSync(systemPath(path), { bigint: true });
    // How Linux packs the two numbers of a device (glibc, sys/sysmacros.h).
    const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & 0xfffff000n);
    const minor = (dev & 0xffn) | ((dev >> 12n) & 0xffffff00n);
    const device = realpathSync(`/sys/dev/block/${major}:${minor}`);
    if (VIRTUAL.test(device)) return false;
    // A partition has its queue beside it, at the disk.
    return [`${device}/queue`, `${device}/../queue`].some(turns);
  } catch {
    return false;
  }
}

function turns(queue: string): boolean {
  try {
    return readFileSync(`${queue}/rotational`, 'latin1').trim() === '1';
  } catch {
    return false;
  }
}
