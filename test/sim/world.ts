/** Simulated worlds for tests. @module */

import { hash } from 'node:crypto';
import { settler } from '../../src/runtime/node/settle.ts';
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
