import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  compareBytes,
  concatBytes,
  decodeName,
  decodeUtf8,
  decodeUtf8Lossy,
  encodeName,
  encodeUtf8,
  equalBytes,
  formatHex,
  isPlainName,
  parseHex,
} from '../../src/base/bytes.ts';

const bytes = fc.uint8Array({ maxLength: 60 });

describe('comparison', () => {
  test('agrees with the system on order and equality', () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        expect(Math.sign(compareBytes(a, b))).toBe(Buffer.compare(a, b));
        expect(equalBytes(a, b)).toBe(Buffer.compare(a, b) === 0);
        expect(equalBytes(a, a.slice())).toBe(true);
      }),
    );
  });

  test('bytes are unsigned, and a prefix comes first', () => {
    expect(compareBytes(Uint8Array.of(0x7f), Uint8Array.of(0x80))).toBeLessThan(0);
    expect(compareBytes(Uint8Array.of(1), Uint8Array.of(1, 0))).toBeLessThan(0);
  });
});

test('joining keeps the order and copies', () => {
  fc.assert(
    fc.property(fc.array(bytes, { maxLength: 6 }), (parts) => {
      const whole = concatBytes(...parts);
      expect([...whole]).toEqual(parts.flatMap((part) => [...part]));
      whole.fill(0xee);
      expect(parts.every((part) => part.buffer !== whole.buffer)).toBe(true);
    }),
  );
});

describe('hex', () => {
  test('round trip, either case', () => {
    fc.assert(
      fc.property(bytes, (input) => {
        const text = formatHex(input);
        expect(text).toBe(Buffer.from(input).toString('hex'));
        expect(parseHex(text)).toEqual(input);
        expect(parseHex(text.toUpperCase())).toEqual(input);
      }),
    );
  });

  test.each(['a', 'abc', 'zz', '0g', ' 00', '00 ', '0x00', '+1', 'é0', '٠٠'])(
    'refuses %j',
    (text) => {
      expect(parseHex(text)).toBeUndefined();
    },
  );
});

describe('UTF-8', () => {
  test('round trip of all text that has a form', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(decodeUtf8(encodeUtf8(text))).toBe(text.toWellFormed());
      }),
    );
  });

  test('a byte order mark is kept', () => {
    expect(decodeUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe('\u{feff}a');
    expect(decodeUtf8Lossy(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe('\u{feff}a');
  });

  test.each([
    ['a lone continuation', [0x80]],
    ['a cut sequence', [0xe2, 0x82]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['beyond the last character', [0xf4, 0x90, 0x80, 0x80]],
  ])('%s is no text, and is replaced in messages', (_, input) => {
    expect(decodeUtf8(Uint8Array.from(input))).toBeUndefined();
    expect(decodeUtf8Lossy(Uint8Array.from(input))).toContain('\u{fffd}');
  });

  test('arbitrary bytes: text or undefined, never a throw', () => {
    fc.assert(
      fc.property(bytes, (input) => {
        const text = decodeUtf8(input);
        if (text !== undefined) expect(encodeUtf8(text)).toEqual(input);
        expect(typeof decodeUtf8Lossy(input)).toBe('string');
      }),
    );
  });
});

describe('names of files', () => {
  test('any bytes come back, and UTF-8 is itself', () => {
    fc.assert(
      fc.property(bytes, (input) => {
        const name = decodeName(input);
        expect(encodeName(name)).toEqual(input);
        expect(isPlainName(name)).toBe(decodeUtf8(input) !== undefined);
      }),
    );
  });

  test.each([
    ['latin-1', [0x63, 0x61, 0x66, 0xe9], 'caf\udce9'],
    ['an escape behind a pair', [0xf0, 0x9f, 0x92, 0x80, 0x80], '\u{1f480}\udc80'],
    ['an overlong slash', [0xc0, 0xaf], '\udcc0\udcaf'],
    ['a surrogate', [0xed, 0xb2, 0x80], '\udced\udcb2\udc80'],
    ['a cut sequence', [0xe2, 0x82], '\udce2\udc82'],
  ])('%s', (_, input, name) => {
    expect(decodeName(Uint8Array.from(input))).toBe(name);
    expect(encodeName(name)).toEqual(Uint8Array.from(input));
  });
});
