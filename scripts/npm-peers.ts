/**
 * `node scripts/npm-peers.ts`: installs the programs of npm that bip is tested against (npm-peers/
 * pins them), once, apart from bip's own packages.
 *
 * @module
 */

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const PINNED = join(import.meta.dirname, 'npm-peers');
const FILES = ['package.json', 'package-lock.json'];
/** A registry that does not answer is tried for minutes. */
const INSTALL_MS = 180_000;

/**
 * The `node_modules` that holds them, installed when it is not there; `undefined` when they cannot be
 * had. Several processes may ask at once.
 */
export function npmPeers(): string | undefined {
  const folder = join(ROOT, '.tmp', `npm-peers-${digestOfLock()}`);
  const modules = join(folder, 'node_modules');
  if (existsSync(modules) || install(folder)) return modules;
  return existsSync(modules) ? modules : undefined;
}

/** What is installed appears as a whole, or not at all. */
function install(folder: string): boolean {
  mkdirSync(join(ROOT, '.tmp'), { recursive: true });
  const scratch = mkdtempSync(`${folder}.`);
  try {
    for (const file of FILES) cpSync(join(PINNED, file), join(scratch, file));
    // Install scripts fetch binaries for WebRTC, which no tracker needs.
    const flags = ['ci', '--ignore-scripts', '--omit=optional', '--no-audit', '--no-fund'];
    const { status } = spawnSync('npm', flags, {
      cwd: scratch,
      timeout: INSTALL_MS,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    if (status !== 0) return false;
    // Whoever was faster has put the same there.
    if (!existsSync(folder)) renameSync(scratch, folder);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function digestOfLock(): string {
  const lock = readFileSync(join(PINNED, 'package-lock.json'));
  return createHash('sha256').update(lock).digest('hex').slice(0, 12);
}

if (import.meta.main && npmPeers() === undefined) {
  process.stderr.write('the programs of npm-peers cannot be installed here\n');
  process.exitCode = 1;
}
