import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatBase32, parseBase32 } from '../../src/base/base32.ts';

/** RFC 4648 §10, without the padding. */
const VECTORS = [
  ['', ''],
  ['f', 'MY'],
  ['fo', 'MZXQ'],
  ['foo', 'MZXW6'],
  ['foob', 'MZXW6YQ'],
  ['fooba', 'MZXW6YTB'],
  ['foobar', 'MZXW6YTBOI'],
] as const;

test.each(VECTORS)('%j is %j', (text, encoded) => {
  const bytes = new TextEncoder().encode(text);
  expect(formatBase32(bytes)).toBe(encoded);
  expect(parseBase32(encoded)).toEqual(bytes);
  expect(parseBase32(encoded.toLowerCase())).toEqual(bytes);
});

test('round trip of any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => {
      expect(parseBase32(formatBase32(bytes))).toEqual(bytes);
    }),
  );
});

test('any text is bytes of which it is a form, or refused', () => {
  const text = fc.oneof(fc.string(), fc.stringMatching(/^[A-Za-z2-7]{0,40}$/));
  fc.assert(
    fc.property(text, (input) => {
      const bytes = parseBase32(input);
      if (bytes !== undefined) expect(formatBase32(bytes)).toBe(input.toUpperCase());
    }),
  );
});

test.each([
  ['a length that cannot be', 'A'],
  ['another', 'AAA'],
  ['and another', 'AAAAAA'],
  ['bits left over', 'MZ'],
  ['padding', 'MY======'],
  ['a digit outside', 'M1'],
  ['a letter that only looks so', 'ſY'],
])('refuses %s: %j', (_, text) => {
  expect(parseBase32(text)).toBeUndefined();
});
