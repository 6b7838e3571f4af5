/** Folders for one test, gone afterwards. @module */

import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Scratch extends AsyncDisposable {
  readonly path: string;
  /** A path inside. */
  to(...parts: readonly string[]): string;
}

export async function openScratch(): Promise<Scratch> {
  const path = await mkdtemp(join(tmpdir(), 'bip-interop-'));
  await chmod(path, 0o755); // opentracker reads its files as nobody
  return {
    path,
    to: (...parts) => join(path, ...parts),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 3 }),
  };
}
