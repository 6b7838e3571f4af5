import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeName } from '../../src/base/bytes.ts';
import { nameLints, pathClashes, sanitizeComponent } from '../../src/metainfo/index.ts';

function codes(path: string): readonly string[] {
  return nameLints(path.split('/')).map(({ code }) => code);
}

describe('names', () => {
  test.each([
    ['d/a.txt', []],
    ['ünï/日本/\u{1f600} (1).mkv', []],
    ['d/back\\slash', ['name-changes']],
    ['d/right\u202eleft', ['name-changes']],
    ['d/bell\u0007', ['name-changes']],
    [`d/${'x'.repeat(241)}`, ['name-changes']],
    [`d/${'ä'.repeat(121)}`, ['name-changes']],
    ['d/\udcff', ['name-not-utf-8']],
    ['\udcff/b\\', ['name-not-utf-8', 'name-changes']],
    ['d/a:b', ['name-not-portable']],
    ['d/what?', ['name-not-portable']],
    ['d/con', ['name-not-portable']],
    ['LPT1.txt/x', ['name-not-portable']],
    ['d/dot.', ['name-not-portable']],
    ['d/space /x', ['name-not-portable']],
    ['a:/b:/c\\/\udcff/\udcfe', ['name-not-portable', 'name-changes', 'name-not-utf-8']],
  ])('%j', (path, wanted) => expect(codes(path)).toEqual(wanted));

  test('the sentence says what becomes of it, on one line', () => {
    const [lint] = nameLints(['d', 'a\\b\n']);
    expect(lint?.message).toContain('ab_');
    expect(lint?.message).not.toContain('\n');
  });

  test('without a lint, every reader finds the file', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }), (name) => {
        const bytes = encodeName(name);
        const isSame = [false, true].every(
          (windows) => sanitizeComponent(bytes, { force: true, windows }) === name,
        );
        expect(nameLints([name]).length === 0).toBe(isSame);
      }),
    );
  });
});

describe('clashes', () => {
  const clashes = (...paths: readonly string[]) =>
    pathClashes(paths.map((path) => path.split('/'))).map((clash) =>
      clash.paths.map((path) => path.join('/')),
    );

  test('paths that differ in case or composition only', () => {
    expect(clashes('d/a', 'd/b', 'd/A')).toEqual([['d/a', 'd/A']]);
    expect(clashes('d/é', 'd/e\u0301', 'd/É')).toEqual([['d/é', 'd/e\u0301', 'd/É']]);
    expect(clashes('D/a', 'd/a', 'x')).toEqual([['D/a', 'd/a']]);
  });
  test('a file and a folder', () => {
    expect(clashes('d/A', 'd/a/x', 'd/a/y')).toEqual([['d/A', 'd/a']]);
  });
  test('none of folders, which become one', () => {
    expect(clashes('A/x', 'a/y')).toEqual([]);
    expect(clashes('d/a', 'd/ab', 'e/a')).toEqual([]);
  });
  test('the sentence names two of them', () => {
    const [clash] = pathClashes([['a'], ['A'], ['a']]);
    expect(clash?.message).toMatch(/^a and A \(and 1 more\)/);
  });
});

test('a name without a lint is one that no system changes', () => {
  const letters = fc.constantFrom(
    ...['a', 'Z', '9', '_', '-', '+', ',', '(', ')', ' ', '.', ':', '~', '\\'],
    'con',
    'nul',
    'lpt1',
    'ä',
    '\u200b',
    '\udcff',
  );
  fc.assert(
    fc.property(fc.array(letters, { minLength: 1, maxLength: 8 }), (parts) => {
      const name = parts.join('');
      const kept = [false, true].every(
        (windows) => sanitizeComponent(encodeName(name), { force: true, windows }) === name,
      );
      expect(nameLints([name]).length === 0).toBe(kept);
    }),
    { numRuns: 2000 },
  );
});
