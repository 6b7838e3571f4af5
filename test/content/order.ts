/** The order of paths as it is defined: raw bytes, component by component. @module */

import { encodeName } from '../../src/base/bytes.ts';

export function comparePaths(a: readonly string[], b: readonly string[]): number {
  for (const [at, name] of a.entries()) {
    const other = b[at];
    if (other === undefined) return 1;
    const difference = Buffer.compare(encodeName(name), encodeName(other));
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
