import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ProtocolError } from '../../src/base/errors.ts';
import { check, decode, encode } from '../../src/bencode/index.ts';
import { anyValue, bytes, damaged } from './values.ts';

function faults(text: string): readonly string[] {
  return check(bytes(text)).map(({ offset, path, code }) => `${offset} ${path} ${code}`);
}

test.each([
  ['d1:ai1e1:bl0:i-5eee', []],
  [
    'd1:bi01e1:ai-0e1:b2:xxe tail',
    [
      '5 b leading-zero',
      '8 a unsorted-key',
      '11 a negative-zero',
      '15 b duplicate-key',
      '23  trailing-bytes',
    ],
  ],
  [
    'd4:infod5:filesld6:lengthi007e4:pathl1:aeed6:lengthi1e4:pathl1:bx',
    ['26 info.files.0.length leading-zero', '64 info.files.1.path.1 no-value'],
  ],
  ['lli1ei02eel', ['6 0.1 leading-zero', '11 1.0 unexpected-end']],
  ['d1:be', ['4 b missing-value']],
  ['d1:ad1:xe1:bi00ee', ['8 a.x missing-value', '13 b leading-zero']],
  ['d1:a1:a1:a1:b1:a1:ce', ['7 a duplicate-key', '13 a duplicate-key']],
  ['d1:ali1ee1:ai3e1:al', ['9 a duplicate-key', '15 a duplicate-key', '19 a.0 unexpected-end']],
  ['l003:abci9223372036854775808ee', ['1 0 leading-zero', '8 1 integer-range']],
  ['liee', ['2 0 empty-integer']],
  ['di1ei2ee', ['1  key-type']],
  ['l-1:e', ['1 0 string-length']],
  ['d3:a.bd1:$i00eee', ['11 a\\.b.$$ leading-zero']],
  ['d2:\xff\xfei00ee', ['6 $hex:fffe leading-zero']],
  ['d2:\x1b[i00ee', ['6 $hex:1b5b leading-zero']],
  ['l'.repeat(51), [`50 ${Array(50).fill('0').join('.')} depth-limit`]],
  ['', ['0  unexpected-end']],
])('%j', (text, found) => {
  expect(faults(text)).toEqual(found);
});

test('limits are faults like others', () => {
  const codes = (text: string, options: Parameters<typeof check>[1]): readonly string[] =>
    check(bytes(text), options).map(({ code }) => code);
  expect(codes('l3:abci00ee', { maxBytes: 2 })).toEqual(['string-limit', 'leading-zero']);
  expect(codes('li1ei1ee', { maxTokens: 2 })).toEqual(['token-limit']);
  expect(codes('lllleeee', { maxDepth: 4 })).toEqual([]);
});

test('no fault means strict accepts, and the other way round', () => {
  fc.assert(
    fc.property(
      anyValue.chain((value) => damaged(encode(value))),
      (data) => {
        const found = check(data);
        const offsets = found.map(({ offset }) => offset);
        expect(offsets).toEqual(offsets.toSorted((a, b) => a - b));
        if (found.length === 0) expect(encode(decode(data, { strict: true }))).toEqual(data);
        else expect(() => decode(data, { strict: true })).toThrow(ProtocolError);
      },
    ),
    { numRuns: 2000 },
  );
});

test('a million open lists', () => {
  const deep = bytes('l'.repeat(1_000_000));
  const found = check(deep, { maxDepth: 1_000_000 });
  expect(found.map(({ code, offset }) => [code, offset])).toEqual([['unexpected-end', 1_000_000]]);
  expect(found[0]?.path.length).toBe(1_999_999);
});
