import { expect, test } from 'vitest';
import { faultsOf } from '../../scripts/forbid.ts';

/** Written in pieces, or the gate would find them here. */
const rulesOf = (path: string, ...pieces: readonly string[]): readonly string[] =>
  faultsOf(path, pieces.join('')).map((fault) => /: ([a-z-]+): /.exec(fault)?.[1] ?? fault);

test.each([
  ['unfinished', 'src/a.ts', ['// TO', 'DO: later']],
  ['unfinished', 'test/a.test.ts', ['// FIX', 'ME']],
  ['unfinished', 'scripts/a.mjs', ['// X', 'XX']],
  ['debugging', 'commands/a.ts', ['console.lo', 'g(1)']],
  ['debugging', 'bin/a.ts', ['debug', 'ger;']],
  ['machine-path', 'README.md', ['see ', '/ho', 'me/me/file']],
  ['machine-path', '.ci/run', ['cd ', '/wo', 'rk/main']],
  ['registry-host', 'package-lock.json', ['https://registry.np', 'mjs.org/x']],
  ['locked-registry', 'package-lock.json', ['"resolved": "https:', '//host/x.tgz"']],
  ['empty-name', 'src/base/utils.ts', ['']],
  ['empty-name', 'src/helpers/list.ts', ['']],
  ['empty-name', 'test/common.ts', ['']],
])('%s fires in %s', (rule, path, pieces) => {
  expect(rulesOf(path, ...pieces)).toEqual([rule]);
});

test('the line and the reason are named', () => {
  expect(faultsOf('src/a.ts', ['fine', ['// TO', 'DO'].join('')].join('\n'))).toEqual([
    ['src/a.ts:2: unfinished: `TO', 'DO`: finish it, or open an issue'].join(''),
  ]);
});

test.each([
  ['src/base/bytes.ts', 'const todo = 1; // a debuggers home'],
  ['README.md', 'fetch https://example.org/home/x and ./work/y, $HOME/root/z'],
  ['commands/cli/output.ts', ''],
])('%s is fine', (path, text) => {
  expect(faultsOf(path, text)).toEqual([]);
});
