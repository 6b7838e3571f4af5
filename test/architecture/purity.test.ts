/** src/tsconfig.json proves that protocol code cannot reach the platform: here it is tried. @module */

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

const IMPURE = {
  'buffer.ts': 'export const bytes = (): unknown => Buffer.alloc(1);',
  'console.ts': "export const say = (): void => console.warn('x');",
  'fetch.ts': "export const ask = (): unknown => fetch('http://localhost');",
  'import.ts':
    "import { readFileSync } from 'node:fs';\nexport const read: unknown = readFileSync;",
  'performance.ts': 'export const now = (): number => performance.now();',
  'process.ts': 'export const argv = (): unknown => process.argv;',
  'timeout.ts': 'export const limit = (): unknown => AbortSignal.timeout(1);',
  'timer.ts': 'export const later = (): unknown => setTimeout(() => undefined, 1);',
  'web-crypto.ts':
    'export const random = (): unknown => crypto.getRandomValues(new Uint8Array(1));',
} as const;

const PURE = {
  'text.ts': 'export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);',
  'abort.ts': 'export const stopped = (signal: AbortSignal): boolean => signal.aborted;',
  'runtime/node/clock.ts': 'export const now = (): number => performance.now();',
} as const;

let directory = '';
let complaints = '';

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'bip-purity-'));
  mkdirSync(join(directory, 'src', 'runtime', 'node'), { recursive: true });
  for (const file of ['tsconfig.json', 'src/tsconfig.json', 'src/pure-globals.d.ts']) {
    cpSync(join(ROOT, file), join(directory, file));
  }
  for (const [path, code] of Object.entries({ ...IMPURE, ...PURE })) {
    writeFileSync(join(directory, 'src', path), `${code}\n`);
  }
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }');
  const tsc = join(ROOT, 'node_modules', '.bin', 'tsc');
  complaints = spawnSync(tsc, ['-p', 'src'], { cwd: directory, encoding: 'utf8' }).stdout;
}, 60_000);

afterAll(() => rmSync(directory, { recursive: true, force: true }));

test.each(Object.keys(IMPURE))('%s does not compile', (path) => {
  expect(complaints).toContain(`src/${path}(`);
});

test.each(Object.keys(PURE))('%s compiles', (path) => {
  expect(complaints).not.toContain(`src/${path}(`);
});
