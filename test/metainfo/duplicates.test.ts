import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseMetainfo } from '../../src/metainfo/index.ts';
import { multiV1, type RawDictionary } from './raw.ts';

function resolve(files: readonly RawDictionary[]): readonly string[] {
  return parseMetainfo(multiV1(files, { name: 't' })).files.map(({ path }) =>
    path.slice(1).join('/'),
  );
}

function file(path: string, length = 1): RawDictionary {
  return { length, path: path.split('/') };
}

function pad(path: string, length: number): RawDictionary {
  return { attr: 'p', ...file(path, length) };
}

describe('the vectors of libtorrent (duplicate file names)', () => {
  test.each([
    [
      ['temporary.txt', 'Temporary.txt', 'TeMPorArY.txT', 'test/TEMPORARY.TXT'],
      ['temporary.txt', 'Temporary.1.txt', 'TeMPorArY.2.txT', 'test/TEMPORARY.TXT'],
    ],
    [
      ['b.exe', 'B.ExE', 'B.exe', 'filler'],
      ['b.exe', 'B.1.ExE', 'B.2.exe', 'filler'],
    ],
    [
      ['A/tmp', 'a', 'A'],
      ['A/tmp', 'a.1', 'A.2'],
    ],
    [
      ['a', 'A', 'a/tmp'],
      ['a.1', 'A.2', 'a/tmp'],
    ],
    [
      ['a/b/c/d/e', 'a', 'a/b', 'a/b/c', 'a/b/c/d'],
      ['a/b/c/d/e', 'a.1', 'a/b.1', 'a/b/c.1', 'a/b/c/d.1'],
    ],
    [
      ['.bashrc', '.bashrc'],
      ['.bashrc', '.1.bashrc'],
    ],
    [
      ['x.1', 'x', 'x'],
      ['x.1', 'x', 'x.2'],
    ],
  ])('%j', (given, wanted) => expect(resolve(given.map((path) => file(path)))).toEqual(wanted));

  test('padding shares a name with padding of its length only', () => {
    const files = [file('a'), pad('p/10', 10), pad('p/10', 10), pad('p/10', 11), file('p/10')];
    expect(resolve(files)).toEqual(['a', 'p/10', 'p/10', 'p/10.1', 'p/10.2']);
  });
  test('padding gives way to a folder', () => {
    expect(resolve([file('p/10/x'), pad('p/10', 10)])).toEqual(['p/10/x', 'p/10.1']);
  });
  test('case and accents of all alphabets', () => {
    expect(resolve([file('É'), file('é'), file('e\u0301')])).toEqual(['É', 'é.1', 'e\u0301.2']);
  });
});

test('whatever the names, no two files and no file and folder meet', () => {
  const part = fc.constantFrom('a', 'A', 'b', 'a.1', 'A.1', 'a.1.1', '/a', '..');
  const path = fc.array(part, { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(fc.array(path, { minLength: 1, maxLength: 12 }), (list) => {
      const names = resolve(list.map((parts) => ({ length: 1, path: parts }))).map((name) =>
        name.toLowerCase(),
      );
      expect(new Set(names).size).toBe(names.length);
      for (const name of names) {
        expect(names.filter((other) => other.startsWith(`${name}/`))).toEqual([]);
      }
    }),
    { numRuns: 300 },
  );
});
