/** What the system says about a file. @module */

import type { Stats } from 'node:fs';
import type { FileKind, FileStat } from '../ports.ts';

/** S_IXUSR of POSIX. */
const OWNER_MAY_RUN = 0o100;

export function statOf(stats: Stats): FileStat {
  return {
    kind: kindOf(stats),
    size: stats.size,
    modified: stats.mtimeMs,
    executable: stats.isFile() && (stats.mode & OWNER_MAY_RUN) !== 0,
  };
}

function kindOf(stats: Stats): FileKind {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  return stats.isSymbolicLink() ? 'symlink' : 'other';
}
