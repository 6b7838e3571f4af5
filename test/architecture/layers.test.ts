/** Every layer rule, broken on purpose: a check that looks at nothing must not pass. @module */

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { rules } from '../../.dependency-cruiser.ts';
import { checkLayers, type Layers } from '../../scripts/layers.ts';

const ROOT = join(import.meta.dirname, '../..');

/** What stands in every folder of the planted project, so that there is something to import. */
const GROUND: Readonly<Record<string, string>> = Object.fromEntries(
  [
    'src/base/bytes.ts',
    'src/runtime/ports.ts',
    'src/runtime/drive.ts',
    'src/runtime/node/index.ts',
    'src/runtime/sim/index.ts',
    'src/bencode/index.ts',
    'src/bencode/decode.ts',
    'src/metainfo/index.ts',
    'src/magnet/index.ts',
    'src/handshake/index.ts',
    'src/tracker/index.ts',
    'src/tracker/udp-driver.ts',
    'src/tracker/udp-machine.ts',
    'src/dht/index.ts',
    'src/lpd/index.ts',
    'src/utp/index.ts',
    'src/proxy/index.ts',
    'src/blocklist/index.ts',
    'src/peer/index.ts',
    'src/select/index.ts',
    'src/disk/index.ts',
    'src/session/index.ts',
    'src/content/index.ts',
    'src/probe/index.ts',
    'src/simulation/index.ts',
    'commands/index.ts',
    'bin/bip.ts',
    'test/world.ts',
  ].map((path) => [path, 'export const value = 1;\n']),
);

interface Plant {
  readonly rule: string;
  /** The file that breaks the rule, and no other. */
  readonly path: string;
  readonly imports: string;
  /** Further files that it takes. */
  readonly with?: Readonly<Record<string, string>>;
}

const PLANTS: readonly Plant[] = [
  { rule: 'floor-src-base', path: 'src/base/up.ts', imports: '../bencode/index.ts' },
  { rule: 'floor-src-runtime', path: 'src/runtime/up.ts', imports: '../bencode/index.ts' },
  { rule: 'floor-src-bencode', path: 'src/bencode/up.ts', imports: '../metainfo/index.ts' },
  { rule: 'floor-src-metainfo', path: 'src/metainfo/across.ts', imports: '../magnet/index.ts' },
  { rule: 'floor-src-magnet', path: 'src/magnet/across.ts', imports: '../metainfo/index.ts' },
  { rule: 'floor-src-handshake', path: 'src/handshake/up.ts', imports: '../peer/index.ts' },
  { rule: 'floor-src-tracker', path: 'src/tracker/across.ts', imports: '../dht/index.ts' },
  { rule: 'floor-src-dht', path: 'src/dht/up.ts', imports: '../session/index.ts' },
  { rule: 'floor-src-lpd', path: 'src/lpd/across.ts', imports: '../utp/index.ts' },
  { rule: 'floor-src-utp', path: 'src/utp/up.ts', imports: '../peer/index.ts' },
  { rule: 'floor-src-blocklist', path: 'src/blocklist/across.ts', imports: '../proxy/index.ts' },
  { rule: 'floor-src-proxy', path: 'src/proxy/across.ts', imports: '../tracker/index.ts' },
  { rule: 'floor-src-peer', path: 'src/peer/across.ts', imports: '../disk/index.ts' },
  { rule: 'floor-src-select', path: 'src/select/across.ts', imports: '../peer/index.ts' },
  { rule: 'floor-src-disk', path: 'src/disk/up.ts', imports: '../session/index.ts' },
  { rule: 'floor-src-session', path: 'src/session/up.ts', imports: '../../commands/index.ts' },
  { rule: 'floor-src-probe', path: 'src/probe/across.ts', imports: '../session/index.ts' },
  { rule: 'floor-src-content', path: 'src/content/across.ts', imports: '../session/index.ts' },
  {
    rule: 'floor-src-simulation',
    path: 'src/simulation/up.ts',
    imports: '../../commands/index.ts',
  },
  { rule: 'floor-commands', path: 'commands/up.ts', imports: '../bin/bip.ts' },
  {
    rule: 'every-folder-has-a-floor',
    path: 'src/attic/index.ts',
    imports: '../base/bytes.ts',
  },
  {
    rule: 'no-circular',
    path: 'src/base/egg.ts',
    imports: './hen.ts',
    with: { 'src/base/hen.ts': "import type {} from './egg.ts';\n" },
  },
  { rule: 'resolvable', path: 'src/base/lost.ts', imports: './nowhere.ts' },
  { rule: 'node-at-the-edge', path: 'src/tracker/socket.ts', imports: 'node:net' },
  { rule: 'node-at-the-edge', path: 'src/base/path.ts', imports: 'node:path' },
  { rule: 'node-at-the-edge', path: 'src/runtime/sim/files.ts', imports: 'node:fs/promises' },
  { rule: 'node-at-the-edge', path: 'commands/file.ts', imports: 'node:fs' },
  {
    rule: 'real-world-by-bin',
    path: 'src/session/real.ts',
    imports: '../runtime/node/index.ts',
  },
  { rule: 'real-world-by-bin', path: 'commands/real.ts', imports: '../src/runtime/node/index.ts' },
  {
    rule: 'simulation-not-in-src',
    path: 'src/dht/simulated.ts',
    imports: '../runtime/sim/index.ts',
  },
  { rule: 'packages-of-src', path: 'src/bencode/package.ts', imports: 'bencode' },
  { rule: 'packages-of-src', path: 'src/base/package.ts', imports: 'fast-check' },
  { rule: 'packages-of-src', path: 'src/tracker/package.ts', imports: '@redis/client' },
  { rule: 'packages-of-src', path: 'src/runtime/package.ts', imports: 'ws' },
  {
    rule: 'packages-of-the-real-world',
    path: 'src/runtime/node/package.ts',
    imports: 'esbuild',
  },
  { rule: 'packages-of-commands', path: 'commands/package.ts', imports: 'esbuild' },
  { rule: 'packages-of-bin', path: 'bin/package.ts', imports: '@noble/hashes/sha2.js' },
  { rule: 'terminal-in-commands', path: 'src/session/colour.ts', imports: 'chalk' },
  { rule: 'terminal-in-commands', path: 'bin/arguments.ts', imports: 'commander' },
  { rule: 'terminal-in-commands', path: 'test/spinner.ts', imports: 'ora' },
  { rule: 'terminal-in-commands', path: 'scripts/table.ts', imports: 'cli-table3' },
  { rule: 'codec-is-pure', path: 'src/tracker/codec.ts', imports: '../runtime/ports.ts' },
  { rule: 'codec-is-pure', path: 'src/tracker/udp-codec.ts', imports: './udp-machine.ts' },
  { rule: 'codec-is-pure', path: 'src/tracker/http-codec.ts', imports: './udp-driver.ts' },
  { rule: 'machine-knows-no-driver', path: 'src/tracker/machine.ts', imports: './udp-driver.ts' },
  {
    rule: 'machine-knows-no-driver',
    path: 'src/tracker/http-machine.ts',
    imports: '../runtime/drive.ts',
  },
  { rule: 'enter-by-index', path: 'src/metainfo/window.ts', imports: '../bencode/decode.ts' },
  { rule: 'enter-by-index', path: 'commands/window.ts', imports: '../src/bencode/decode.ts' },
  { rule: 'nobody-imports-test', path: 'src/select/tested.ts', imports: '../../test/world.ts' },
  { rule: 'nobody-imports-test', path: 'commands/tested.ts', imports: '../test/world.ts' },
];

/** What is allowed, and would be caught by rules that are too strict. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  'src/base/digest.ts': ['@noble/hashes/sha2.js'],
  'src/runtime/node/files.ts': ['node:fs', '../ports.ts'],
  'src/runtime/node/links.ts': ['ws', '@redis/client'],
  'src/tracker/dht-free-codec.ts': ['../base/bytes.ts', '../bencode/index.ts'],
  'src/tracker/tcp-machine.ts': ['../runtime/ports.ts', './dht-free-codec.ts'],
  'src/session/all.ts': ['../peer/index.ts', '../runtime/drive.ts', '../base/bytes.ts'],
  'commands/download.ts': ['commander', 'chalk', 'ora', 'cli-table3', '../src/session/index.ts'],
  'src/content/all.ts': ['../disk/index.ts', '../metainfo/index.ts', '../runtime/ports.ts'],
  'src/simulation/all.ts': ['../runtime/sim/index.ts', '../dht/index.ts', '../session/index.ts'],
  'commands/simulate.ts': ['../src/runtime/sim/index.ts', '../src/simulation/index.ts'],
  'bin/start.ts': ['node:stream', '../src/runtime/node/index.ts', '../commands/index.ts'],
  'test/all.ts': ['vitest', 'node:fs', '../src/bencode/decode.ts', './world.ts'],
};

const importing = (...names: readonly string[]): string =>
  names.map((name) => `import type {} from '${name}';\n`).join('');

let directory = '';
let layers: Layers;

beforeAll(async () => {
  // Inside the project, so that packages are found where they are.
  mkdirSync(join(ROOT, '.tmp'), { recursive: true });
  directory = mkdtempSync(join(ROOT, '.tmp', 'layers-'));
  cpSync(join(ROOT, 'package.json'), join(directory, 'package.json'));
  const files: Record<string, string> = { ...GROUND };
  for (const { path, imports, with: others } of PLANTS) {
    Object.assign(files, { [path]: importing(imports) }, others);
  }
  for (const [path, names] of Object.entries(ALLOWED)) files[path] = importing(...names);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
  layers = await checkLayers(directory);
}, 60_000);

afterAll(() => rmSync(directory, { recursive: true, force: true }));

const firedAt = (path: string): readonly string[] => [
  ...new Set(layers.violations.filter(({ from }) => from === path).map(({ rule }) => rule)),
];

test.each(PLANTS)('$rule fires at $path, and nothing else does', ({ rule, path }) => {
  expect(firedAt(path)).toEqual([rule]);
});

test.each(Object.keys(ALLOWED))('%s is allowed', (path) => {
  expect(firedAt(path)).toEqual([]);
});

test('every rule but those of the top floor has a violation planted', () => {
  const planted = new Set(PLANTS.map(({ rule }) => rule));
  // bin/ is the roof: there is no floor above that it could import from.
  expect(rules.map(({ name }) => name).filter((name) => !planted.has(name))).toEqual(['floor-bin']);
});

test('every file of the planted project was looked at', () => {
  expect(layers.unseen).toEqual([]);
  expect(layers.files).toBeGreaterThan(PLANTS.length);
});

test('every file of this project is looked at', () => {
  // In a process of its own: dependency-cruiser keeps what it knows of the first project it sees.
  const { stdout } = spawnSync(process.execPath, [join(ROOT, 'scripts/layers.ts')], {
    encoding: 'utf8',
  });
  expect(Number(/(\d+) files looked at/.exec(stdout)?.[1])).toBeGreaterThan(100);
  expect(stdout).not.toContain('not looked at');
}, 60_000);
