import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareNames } from '../../src/base/bytes.ts';
import { type SortKey, sortFiles } from '../../src/content/index.ts';
import { comparePaths } from './order.ts';

const file = (path: string, length = 0): { readonly path: string[]; readonly length: number } => ({
  path: path.split('/'),
  length,
});
const sorted = (
  files: readonly { readonly path: readonly string[]; readonly length: number }[],
  ...keys: readonly SortKey[]
): readonly string[] => sortFiles(files, keys).map(({ path }) => path.join('/'));

const names = fc.string({
  unit: fc.oneof(
    fc.constantFrom('a', 'b', 'Z', '.', ' ', 'é', '\uffff', '\ue000', '\ud7ff', '😀', '\u{10ffff}'),
    fc.integer({ min: 0xdc80, max: 0xdcff }).map((unit) => String.fromCharCode(unit)),
  ),
  maxLength: 5,
});

test('names go by their bytes', () => {
  fc.assert(
    fc.property(names, names, (a, b) => {
      expect(Math.sign(compareNames(a, b))).toBe(Math.sign(comparePaths([a], [b])));
    }),
    { numRuns: 2000 },
  );
});

test('beyond the surrogates the order of UTF-16 is another', () => {
  const two = ['😀', '\uffff'];
  expect(two.toSorted()).toEqual(two);
  expect(two.toSorted(compareNames)).toEqual(two.toReversed());
});

describe('keys', () => {
  const files = [file('b', 2), file('a/z', 9), file('a.x', 2), file('a/10', 1), file('a/9', 1)];

  test.each<[readonly SortKey[], readonly string[]]>([
    [[], ['a/10', 'a/9', 'a/z', 'a.x', 'b']],
    [[{ by: 'path', order: 'descending' }], ['b', 'a.x', 'a/z', 'a/9', 'a/10']],
    [[{ by: 'size', order: 'ascending' }], ['a/10', 'a/9', 'a.x', 'b', 'a/z']],
    [[{ by: 'size', order: 'descending' }], ['a/z', 'a.x', 'b', 'a/10', 'a/9']],
    [[{ by: 'natural', order: 'ascending' }], ['a/9', 'a/10', 'a/z', 'a.x', 'b']],
    [[{ by: 'name', order: 'ascending' }], ['a/10', 'a/9', 'a.x', 'b', 'a/z']],
    [
      [
        { by: 'size', order: 'ascending' },
        { by: 'natural', order: 'descending' },
      ],
      ['a/10', 'a/9', 'b', 'a.x', 'a/z'],
    ],
  ])('%j', (keys, expected) => {
    expect(sorted(files, ...keys)).toEqual(expected);
  });

  test('numbers by their value, also long ones and with zeros in front', () => {
    const wanted = ['2', '002', '10', '9'.repeat(30), `1${'0'.repeat(30)}`, 'e2p1', 'e10p1', 'x'];
    const key: SortKey = { by: 'natural', order: 'ascending' };
    const [two, zeros, ...rest] = wanted;
    expect(
      sorted(
        wanted.toReversed().map((name) => file(name)),
        key,
      ),
    ).toEqual([zeros, two, ...rest]);
  });

  test('every order is one: the same for all orders of the input', () => {
    const key = fc.record({
      by: fc.constantFrom<SortKey['by']>('path', 'name', 'natural', 'size'),
      order: fc.constantFrom<SortKey['order']>('ascending', 'descending'),
    });
    const component = fc.stringMatching(/^[a1]{1,3}$/);
    const some = fc.uniqueArray(
      fc.record({
        path: fc.array(component, { minLength: 1, maxLength: 3 }),
        length: fc.nat(2),
      }),
      { selector: ({ path }) => path.join('/') },
    );
    fc.assert(
      fc.property(some, fc.array(key, { maxLength: 2 }), fc.func(fc.nat()), (list, keys, rank) => {
        const shuffled = list.toSorted((a, b) => rank(a.path) - rank(b.path));
        expect(sorted(shuffled, ...keys)).toEqual(sorted(list, ...keys));
      }),
    );
  });
});
