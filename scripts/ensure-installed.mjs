/**
 * Runs before `npm test` and `npm run demo`: `npm ci` when node_modules does not hold what
 * package-lock.json asks for. Plain JavaScript without dependencies, for any Node >= 20.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

const missing = whatIsMissing();
if (missing !== undefined) {
  process.stdout.write(`node_modules: ${missing}; running npm ci\n`);
  install();
  const still = whatIsMissing();
  if (still !== undefined) fail(`npm ci ran, and still ${still}`);
}

/** Compares by content, not by time: a checkout touches files without changing them. */
function whatIsMissing() {
  const wanted =
    packagesIn(join(ROOT, 'package-lock.json')) ?? fail('package-lock.json is missing');
  const installed = packagesIn(join(ROOT, 'node_modules', '.package-lock.json'));
  if (installed === undefined) return 'nothing is installed';
  for (const [path, { version, integrity, optional }] of Object.entries(wanted)) {
    if (path === '') continue;
    const found = installed[path];
    if (found === undefined && optional === true) continue;
    if (found?.version !== version || found?.integrity !== integrity)
      return `${path} is not ${version}`;
  }
  // The package `node` is a shell: its install script fetches the program.
  const version = wanted['node_modules/node']?.version;
  const node = spawnSync(join(ROOT, 'node_modules', '.bin', 'node'), ['--version']);
  return String(node.stdout).trim() === `v${version}` ? undefined : `Node ${version} is not there`;
}

function packagesIn(lockfile) {
  return existsSync(lockfile) ? JSON.parse(readFileSync(lockfile, 'utf8')).packages : undefined;
}

function install() {
  const npm = process.env.npm_execpath;
  const [command, ...args] = npm === undefined ? ['npm'] : [process.execPath, npm];
  const { status } = spawnSync(command, [...args, 'ci', '--no-audit', '--no-fund'], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  if (status !== 0) fail('npm ci failed, see above');
}

function fail(message) {
  process.stderr.write(`ensure-installed: ${message}\n`);
  process.exit(1);
}
