/** The examples of README.md name commands and flags that exist. @module */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { bip } from './harness.ts';

const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
const shell = [...readme.matchAll(/```sh\n([^]*?)```/g)].flatMap(([, code = '']) =>
  code.split('\n'),
);

/** `bip` and what follows, up to the end of the command. */
const examples = shell.flatMap(
  (line) => /\bbip ((?:[a-z]+ ?){1,2})([^|#]*)/.exec(line)?.slice(1) ?? [],
);
const calls = examples
  .filter((_, at) => at % 2 === 0)
  .map((words, at) => ({ words: words.trim().split(' '), rest: examples[2 * at + 1] ?? '' }));

test('there is an example of every command', async () => {
  const { stdout } = await bip('--help');
  const names = [...stdout.matchAll(/^ {2}([a-z]+) {2,}/gm)].flatMap(([, name]) => name ?? []);
  const listed = names.filter((name) => name !== 'help');
  expect(listed.length).toBeGreaterThan(5);
  const shown = new Set(calls.map(({ words }) => words[0]));
  expect(listed.filter((name) => !shown.has(name))).toEqual([]);
});

test.each(calls)('bip $words', async ({ words, rest }) => {
  const { code, stdout } = await bip(...commandOf(words), '--help');
  expect(code).toBe(0);
  expect(stdout).toContain(`Usage: bip ${commandOf(words).join(' ')}`);
  for (const [flag] of rest.matchAll(/--[a-z-]+/g)) expect(stdout).toContain(flag);
});

test('npm scripts that it names exist', () => {
  const scripts = [...readme.matchAll(/npm run ([a-z-]+)/g)].map(([, name = '']) => name);
  expect(scripts).toContain('demo');
  expect(scripts.filter((name) => !(name in manifest.scripts))).toEqual([]);
});

/** `download film` is the command `download` with an argument. */
function commandOf(words: readonly string[]): readonly string[] {
  const [first = ''] = words;
  return ['download', 'seed'].includes(first) ? [first] : words;
}
