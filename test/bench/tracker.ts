/**
 * `node test/bench/tracker.ts`: bip, opentracker and npm's bittorrent-tracker as servers, asked the same
 * over UDP and HTTP, in turn, several times round. README.md beside this file says more.
 *
 * @module
 */

import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildBip } from './metainfo/contestants.ts';
import { compare } from './tracker/compare.ts';
import type { Arena } from './tracker/measure.ts';
import { trackerBenchOptions } from './tracker/options.ts';
import { scale } from './tracker/scale.ts';
import { storeOnly } from './tracker/store.ts';
import { machine } from './tracker/tables.ts';

const BENCHES = { compare, scale, store: storeOnly } as const;

const options = trackerBenchOptions(process.argv.slice(2));
const folder = await mkdtemp(join(tmpdir(), 'bip-bench-'));
const arena: Arena = {
  options,
  to: (name) => join(folder, name),
  say: (text) => void process.stderr.write(`${text}\n`),
};
try {
  // opentracker reads its files as nobody.
  await chmod(folder, 0o755);
  buildBip();
  const tables = await BENCHES[options.what](arena);
  const { swarms, peers, runs, seconds } = options;
  const shape = `${peers} peers in ${swarms} swarms, median of ${runs} times ${seconds} s`;
  process.stdout.write(`${shape}; ${machine()}\n\n${tables}\n`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
