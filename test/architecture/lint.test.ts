/** The lint rules that style.md rests on, each broken on purpose. @module */

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

/** Per rule, code that breaks it and no other. */
const PLANTS: readonly (readonly [rule: string, path: string, code: string])[] = [
  [
    'eslint(complexity)',
    'src/a.ts',
    `export function f(n: number): string {
      ${Array.from({ length: 10 }, (_, i) => `if (n === ${i}) return '${i}';`).join('\n')}
      return '';
    }`,
  ],
  ['eslint(eqeqeq)', 'src/a.ts', 'export const same = (a: number, b: number): boolean => a == b;'],
  [
    'eslint(max-depth)',
    'src/a.ts',
    `export function f(n: number): number {
      if (n > 0) { if (n > 1) { if (n > 2) { if (n > 3) { return 1; } } } }
      return n;
    }`,
  ],
  [
    'eslint(max-lines)',
    'src/a.ts',
    Array.from({ length: 301 }, (_, i) => `export const v${i} = ${i};`).join('\n'),
  ],
  [
    'eslint(max-params)',
    'src/a.ts',
    'export const f = (a: number, b: number, c: number, d: number, e: number): number => a + b + c + d + e;',
  ],
  ['eslint(no-console)', 'scripts/a.ts', "console.warn('x');"],
  [
    'eslint(no-param-reassign)',
    'src/a.ts',
    'export function f(n: number): number { n = n + 1; return n; }',
  ],
  ['eslint(no-restricted-globals)', 'src/a.ts', 'export const now = (): number => Date.now();'],
  ['eslint(no-restricted-globals)', 'commands/a.ts', 'export const env = (): unknown => process;'],
  [
    'eslint(no-restricted-globals)',
    'src/runtime/sim/a.ts',
    'export const c = (): unknown => performance;',
  ],
  ['eslint(no-restricted-properties)', 'src/a.ts', 'export const r = (): number => Math.random();'],
  [
    'eslint(no-restricted-properties)',
    'commands/a.ts',
    'export const s = (): AbortSignal => AbortSignal.timeout(1);',
  ],
  ['eslint(no-unused-vars)', 'src/a.ts', 'const unused = 1; export const used = 2;'],
  ['eslint(prefer-const)', 'src/a.ts', 'let one = 1; export const two = one + 1;'],
  ['import(no-default-export)', 'src/a.ts', 'export default 1;'],
  [
    'import(no-mutable-exports)',
    'src/a.ts',
    'export let state = 1; export const bump = (): number => state++;',
  ],
  [
    'typescript(await-thenable)',
    'src/a.ts',
    'export async function f(n: number): Promise<number> { await n; return n; }',
  ],
  [
    'typescript(consistent-type-assertions)',
    'src/a.ts',
    "export const f = (value: string): 'a' | string => value as 'a' | string;",
  ],
  ['typescript(no-explicit-any)', 'src/a.ts', 'export type Anything = any;'],
  [
    'typescript(no-floating-promises)',
    'src/a.ts',
    'export function f(work: () => Promise<void>): void { work(); }',
  ],
  [
    'typescript(no-misused-promises)',
    'src/a.ts',
    'export const f = (work: Promise<boolean>): number => (work ? 1 : 2);',
  ],
  [
    'typescript(no-non-null-assertion)',
    'src/a.ts',
    'export const f = (list: readonly number[] | undefined): number => list!.length;',
  ],
  [
    'typescript(no-unsafe-assignment)',
    'src/a.ts',
    'export function f(text: string): string { const value = JSON.parse(text); return String(value); }',
  ],
  [
    'typescript(no-unsafe-return)',
    'src/a.ts',
    'export const f = (text: string): number => JSON.parse(text);',
  ],
  ['typescript(only-throw-error)', 'src/a.ts', "export function f(): never { throw 'text'; }"],
  [
    'typescript(return-await)',
    'src/a.ts',
    'export async function f(work: () => Promise<number>): Promise<number> { try { return work(); } catch { return 0; } }',
  ],
  [
    'typescript(switch-exhaustiveness-check)',
    'src/a.ts',
    "export function f(at: 'on' | 'off'): number { switch (at) { case 'on': return 1; } return 0; }",
  ],
  ['unicorn(no-null)', 'src/a.ts', 'export const nothing = null;'],
  [
    'vitest(no-focused-tests)',
    'test/a.test.ts',
    "import { expect, test } from 'vitest'; test.only('a', () => { expect(1).toBe(1); });",
  ],
  [
    'vitest(no-disabled-tests)',
    'test/a.test.ts',
    "import { expect, test } from 'vitest'; test.skip('a', () => { expect(1).toBe(1); });",
  ],
  [
    'vitest(expect-expect)',
    'test/a.test.ts',
    "import { test } from 'vitest'; test('a', () => {});",
  ],
];

/** Allowed, and would be caught by rules that are too strict. */
const ALLOWED: Readonly<Record<string, string>> = {
  'src/runtime/node/clock.ts': 'export const now = (): number => Date.now();',
  'src/runtime/node/none.ts': 'export const none = null;',
  'bin/bip.ts': 'export const now = (): number => performance.now();',
  'src/const.ts': "export const KINDS = ['a', 'b'] as const;",
  'tool.config.ts': 'export default {};',
};

let directory = '';
let found: ReadonlyMap<string, readonly string[]>;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'bip-lint-'));
  cpSync(join(ROOT, '.oxlintrc.json'), join(directory, '.oxlintrc.json'));
  write(
    'tsconfig.json',
    '{ "compilerOptions": { "strict": true, "types": [], "lib": ["es2024", "dom"] } }',
  );
  for (const [index, [, path, code]] of PLANTS.entries()) write(planted(path, index), code);
  for (const [path, code] of Object.entries(ALLOWED)) write(path, code);
  found = lint();
}, 60_000);

afterAll(() => rmSync(directory, { recursive: true, force: true }));

function write(path: string, code: string): void {
  mkdirSync(dirname(join(directory, path)), { recursive: true });
  writeFileSync(join(directory, path), `${code}\n`);
}

/** Each plant gets a file of its own: src/a.ts becomes src/7-a.ts. */
function planted(path: string, index: number): string {
  return join(dirname(path), `${index}-${path.slice(path.lastIndexOf('/') + 1)}`);
}

function lint(): ReadonlyMap<string, readonly string[]> {
  const oxlint = join(ROOT, 'node_modules', '.bin', 'oxlint');
  const { stdout, status } = spawnSync(oxlint, ['--type-aware', '-f', 'json'], {
    cwd: directory,
    encoding: 'utf8',
  });
  expect(status).toBe(1);
  const report: unknown = JSON.parse(stdout);
  const rules = new Map<string, string[]>();
  for (const { filename, code } of diagnosticsOf(report)) {
    rules.set(filename, [...(rules.get(filename) ?? []), code]);
  }
  return rules;
}

interface Report {
  readonly diagnostics: readonly { readonly filename: string; readonly code: string }[];
}

function diagnosticsOf(report: unknown): Report['diagnostics'] {
  if (!isReport(report)) throw new Error('oxlint has a new format');
  return report.diagnostics;
}

function isReport(value: unknown): value is Report {
  return typeof value === 'object' && value !== null && 'diagnostics' in value;
}

test.each(PLANTS.map(([rule, path], index) => ({ rule, path: planted(path, index) })))(
  '$rule fires at $path',
  ({ rule, path }) => {
    expect(found.get(path)).toContain(rule);
  },
);

test.each(Object.keys(ALLOWED))('%s is allowed', (path) => {
  expect(found.get(path) ?? []).toEqual([]);
});
