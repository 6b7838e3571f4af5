/** What both commands say of interfaces. @module */

import type { Door } from '../../src/lpd/index.ts';

/** `eth0 (192.168.1.7, fd00::7), lo (127.0.0.1)`. */
export function doorWords(doors: readonly Door[]): string {
  const byName = Map.groupBy(doors, (door) => door.interface);
  return [...byName]
    .map(([name, own]) => `${name} (${own.map(({ address }) => address).join(', ')})`)
    .join(', ');
}
