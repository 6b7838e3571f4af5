/** How many files and connections the system grants to this process. @module */

import { readdirSync, readFileSync } from 'node:fs';

/** How many more may be opened; `undefined` where the system does not tell. */
export function descriptorsLeft(): number | undefined {
  try {
    const limits = readFileSync('/proc/self/limits', 'latin1');
    const [, most] = /^Max open files +(\d+)/m.exec(limits) ?? [];
    if (most === undefined) return undefined;
    return Math.max(0, Number(most) - readdirSync('/proc/self/fd').length);
  } catch {
    return undefined;
  }
}
