/** Simulated worlds for tests. @module */

import { hash } from 'node:crypto';
import { World, type WorldOptions } from '../../src/runtime/sim/index.ts';

/** The seed of worlds that are not told otherwise; `BIP_SEED=7 npx vitest …` replays with another. */
export const TEST_SEED: number = Number(process.env['BIP_SEED'] ?? 1);

/** A world on Node: promises settle by a turn of the event loop, digests are OpenSSL's. */
export function makeWorld(options: Partial<WorldOptions> = {}): World {
  return new World({
    seed: TEST_SEED,
    settle: settler(),
    digest: (algorithm, bytes) => Uint8Array.from(hash(algorithm, bytes, 'buffer')),
    ...options,
  });
}

/** Turns asked for at once. */
const TURNS = 64;

/**
 * Waits for a turn of setImmediate. Node runs all immediates that are there in one go, and between
 * them every reaction of every promise; asking for many at once spares a look at the sockets (some
 * microseconds) for each event.
 */
function settler(): () => Promise<void> {
  let asked = 0;
  let waiting: (() => void)[] = [];
  const turn = (): void => {
    asked--;
    const settled = waiting;
    waiting = [];
    for (const resolve of settled) resolve();
  };
  return () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      if (asked > 0) return;
      for (; asked < TURNS; asked++) setImmediate(turn);
    });
}
