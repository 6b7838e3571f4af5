/** What the system says about a file. @module */

import type { Stats } from 'node:fs';
import type { FileKind, FileStat } from '../ports.ts';

export function statOf(stats: Stats): FileStat {
  return { kind: kindOf(stats), size: stats.size, modified: stats.mtimeMs };
}

function kindOf(stats: Stats): FileKind {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  return stats.isSymbolicLink() ? 'symlink' : 'other';
}
