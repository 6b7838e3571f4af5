import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes, formatHex, parseHex } from '../../../src/base/bytes.ts';
import { InvariantError } from '../../../src/base/errors.ts';
import { Rc4 } from '../../../src/handshake/mse/rc4.ts';

/** RFC 6229 §2: key, offset, the 32 bytes of key stream there. */
const VECTORS: readonly [key: string, at: number, stream: string][] = [
  ['0102030405', 0, 'b2396305f03dc027ccc3524a0a1118a86982944f18fc82d589c403a47a0d0919'],
  ['0102030405', 1024, '30abbcc7c20b01609f23ee2d5f6bb7df'],
  ['0102030405', 1520, '3294f744d8f9790507e70f62e5bbceea'],
  ['0102030405', 4096, 'ff25b58995996707e51fbdf08b34d875'],
  ['01020304050607', 0, '293f02d47f37c9b633f2af5285feb46b'],
  ['0102030405060708', 0, '97ab8a1bf0afb96132f2f67258da15a8'],
  ['0102030405060708090a', 0, 'ede3b04643e586cc907dc21851709902'],
  [
    '0102030405060708090a0b0c0d0e0f10',
    0,
    '9ac7cc9a609d1ef7b2932899cde41b975248c4959014126a6e8a84f11d1a9e1c',
  ],
];

const bytes = (hex: string): Uint8Array => parseHex(hex) ?? new Uint8Array(0);

describe('RC4', () => {
  test.each(VECTORS)('key %s at %i', (key, at, stream) => {
    const cipher = new Rc4(bytes(key));
    cipher.skip(at);
    expect(formatHex(cipher.apply(new Uint8Array(stream.length / 2)))).toBe(stream);
  });

  test('the same for every way of cutting, wherever the bytes lie in their buffer', () => {
    const cuts = fc.array(fc.record({ length: fc.nat(40), offset: fc.nat(9) }), { maxLength: 20 });
    const key = fc.uint8Array({ minLength: 1, maxLength: 32 });
    fc.assert(
      fc.property(key, cuts, (secret, pieces) => {
        const total = pieces.reduce((sum, { length }) => sum + length, 0);
        const whole = new Rc4(secret).apply(new Uint8Array(total));
        const cipher = new Rc4(secret);
        const parts = pieces.map(({ length, offset }) =>
          cipher.apply(new Uint8Array(offset + length).subarray(offset)),
        );
        expect(concatBytes(...parts)).toEqual(whole);
      }),
    );
  });

  test('changes nothing around the bytes that it is given', () => {
    const buffer = new Uint8Array(64).fill(7);
    new Rc4(Uint8Array.of(1)).apply(buffer.subarray(8, 50));
    expect(buffer.subarray(0, 8)).toEqual(new Uint8Array(8).fill(7));
    expect(buffer.subarray(50)).toEqual(new Uint8Array(14).fill(7));
  });

  test('twice is as before', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), fc.uint8Array(), (key, text) => {
        const twice = new Rc4(key).apply(new Rc4(key).apply(text.slice()));
        expect(twice).toEqual(text);
      }),
    );
  });

  test('there is no key of no length', () => {
    expect(() => new Rc4(new Uint8Array(0))).toThrow(InvariantError);
  });
});
