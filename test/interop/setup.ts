/** Before the interop suite: the bip of this very tree, built as users get it. @module */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildBip } from '../../scripts/build.ts';
import { BIP_ENTRY } from './bip.ts';

/** Builds into a folder of its own, so that nobody else's build is disturbed. */
export async function setup(): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'bip-interop-dist-'));
  await buildBip(folder);
  process.env[BIP_ENTRY] = join(folder, 'bip.mjs');
  return () => rm(folder, { recursive: true, force: true });
}
