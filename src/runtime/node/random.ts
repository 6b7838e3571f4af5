/** Randomness fit for keys and tokens. @module */

import { randomFillSync } from 'node:crypto';
import type { Random } from '../ports.ts';

/** Words drawn from the system at once: one call costs about as much as filling this many. */
const POOL_WORDS = 1024;

export function systemRandom(): Random {
  const pool = new Uint32Array(POOL_WORDS);
  let next = POOL_WORDS;
  return {
    uint32() {
      if (next === POOL_WORDS) {
        randomFillSync(pool);
        next = 0;
      }
      const word = pool[next] ?? 0;
      // What was given out must not be found in memory later: it may have become a key.
      pool[next++] = 0;
      return word;
    },
    bytes: (length) => randomFillSync(new Uint8Array(length)),
  };
}
