import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeUtf8, formatHex, parseHex } from '../../src/base/bytes.ts';
import { crc32c } from '../../src/base/crc32c.ts';

function hex(text: string): Uint8Array {
  const bytes = parseHex(text);
  if (bytes === undefined) throw new Error(`no hex: ${text}`);
  return bytes;
}

const ASCENDING = Uint8Array.from({ length: 32 }, (_, at) => at);

test.each([
  ['the check value of every catalogue', encodeUtf8('123456789'), 0xe3069283],
  ['nothing', new Uint8Array(0), 0],
  // RFC 3720 §B.4, whose bytes are in the order of the wire.
  ['32 zeros', new Uint8Array(32), 0x8a9136aa],
  ['32 bytes of ones', new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ['0 to 31', ASCENDING, 0x46dd794e],
  ['31 to 0', ASCENDING.toReversed(), 0x113fdb5c],
  // BEP 40, and BEP 42 with its mask and `r` in place.
  ['624c14007bd50000', hex('624c14007bd50000'), 0xec2d7224],
  ['7bd5200a7bd520ea', hex('7bd5200a7bd520ea'), 0x99568189],
  ['012c04d2', hex('012c04d2'), 0xae8b7034],
  ['200f0b15', hex('200f0b15'), 0x5fbfbdb2],
])('%s', (_, bytes, expected) => {
  expect(crc32c(bytes)).toBe(expected);
});

test('is the remainder of a division of polynomials, for any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      expect(crc32c(bytes)).toBe(remainder(bytes));
    }),
  );
});

test('any change of up to 32 neighbouring bits changes it', () => {
  const bytes = fc.uint8Array({ minLength: 5, maxLength: 64 });
  fc.assert(
    fc.property(bytes, fc.nat(), fc.integer({ min: 1, max: 0xffffffff }), (before, place, mask) => {
      const after = before.slice();
      const at = place % (after.length - 3);
      for (let byte = 0; byte < 4; byte++) {
        after[at + byte] = (after[at + byte] ?? 0) ^ (mask >>> (8 * byte));
      }
      expect(formatHex(after)).not.toBe(formatHex(before));
      expect(crc32c(after)).not.toBe(crc32c(before));
    }),
  );
});

/** As the polynomial is written, bit by bit, the lowest bit of each byte first. */
function remainder(bytes: Uint8Array): number {
  let register = 0xffffffffn;
  for (const byte of bytes) {
    for (let bit = 0; bit < 8; bit++) {
      const carry = (register >> 31n) ^ BigInt((byte >> bit) & 1);
      register = BigInt.asUintN(32, register << 1n) ^ (carry === 1n ? 0x1edc6f41n : 0n);
    }
  }
  let reflected = 0;
  for (let bit = 0n; bit < 32n; bit++) {
    reflected = (reflected << 1) | Number((register >> bit) & 1n);
  }
  return ~reflected >>> 0;
}
