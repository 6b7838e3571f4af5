import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatBase32, parseBase32 } from '../../src/base/base32.ts';

const utf8 = new TextEncoder();

// RFC 4648 §10, padding left out.
test.each([
  ['', ''],
  ['f', 'MY'],
  ['fo', 'MZXQ'],
  ['foo', 'MZXW6'],
  ['foob', 'MZXW6YQ'],
  ['fooba', 'MZXW6YTB'],
  ['foobar', 'MZXW6YTBOI'],
])('%j is %j', (text, base32) => {
  expect(formatBase32(utf8.encode(text))).toBe(base32);
  expect(parseBase32(base32)).toEqual(utf8.encode(text));
  expect(parseBase32(base32.toLowerCase())).toEqual(utf8.encode(text));
});

test('there and back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      expect(parseBase32(formatBase32(bytes))).toEqual(bytes);
    }),
  );
});

test.each([
  ['A', 'no byte has 5 bits'],
  ['MZX', 'a length that no bytes have'],
  ['MZ', 'bits left over that are not zero'],
  ['MY======', 'padding'],
  ['M1', 'a digit that is not in the alphabet'],
  ['M ', 'a space'],
  ['ſY', 'a letter whose upper case is in the alphabet'],
  ['ßMZXQ', 'a letter whose upper case is two of the alphabet'],
])('%j is refused: %s', (text) => {
  expect(parseBase32(text)).toBeUndefined();
});

test('any text is bytes that give it back, or nothing', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
      const bytes = parseBase32(text);
      if (bytes !== undefined) expect(formatBase32(bytes)).toBe(text.toUpperCase());
    }),
  );
});
