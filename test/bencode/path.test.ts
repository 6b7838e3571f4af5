import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decode, encode, formatPath, lookup } from '../../src/bencode/index.ts';
import { bytes } from './values.ts';

const root = decode(
  encode({ a: [10, { 'x.y': 11, 'back\\slash': 12 }], $: 13, '$hex:': 14, '': { '': 15 }, 0: 16 }),
);

test.each([
  ['', undefined],
  ['a.0', 10],
  ['a.1.x\\.y', 11],
  ['a.1.back\\\\slash', 12],
  ['$$', 13],
  ['$$hex:', 14],
  ['.', 15],
  ['$hex:.$hex:', 15],
  ['0', 16],
  ['$hex:24', 13],
])('%j leads to %j', (path, value) => {
  const found = lookup(root, path);
  expect(found.rest).toEqual([]);
  expect(found.node.asInteger()).toBe(value);
});

test.each([
  ['b', ['b']],
  ['a.2', ['2']],
  ['a.-1', ['-1']],
  ['a.x.y', ['x', 'y']],
  ['a.0.0', ['0']],
  ['$', ['$']],
  ['$int', ['$int']],
])('%j leads nowhere', (path, rest) => {
  expect(lookup(root, path).rest).toEqual(rest);
});

describe('formatPath', () => {
  test('escapes', () => {
    expect(formatPath([bytes('a.b'), 3, bytes('$x'), bytes('\\')])).toBe('a\\.b.3.$$x.\\\\');
    expect(formatPath([])).toBe('');
    expect(formatPath([bytes('')])).toBe('$hex:');
    expect(formatPath([bytes('\x1b')])).toBe('$hex:1b');
  });
  test('leads back', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 3 }), { maxLength: 4 }), (keys) => {
        let value: Parameters<typeof encode>[0] = 7;
        for (const key of keys.toReversed()) value = new Map([[key, value]]);
        expect(lookup(decode(encode(value)), formatPath(keys)).node.asInteger()).toBe(7);
      }),
      { numRuns: 500 },
    );
  });
});
