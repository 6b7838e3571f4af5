/** Numbers in sentences. @module */

import { formatDuration, formatMillis } from '../cli/units.ts';

/** `1 node`, `8 nodes`. */
export function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** `41 ms`, `2.4s`. */
export function tookTime(ms: number): string {
  return ms < 1000 ? formatMillis(ms) : formatDuration(ms);
}
