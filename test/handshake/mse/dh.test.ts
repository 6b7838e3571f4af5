import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatHex } from '../../../src/base/bytes.ts';
import { ProtocolError } from '../../../src/base/errors.ts';
import {
  EXPONENT_LENGTH,
  KEY_LENGTH,
  KeyPair,
  parsePublicKey,
} from '../../../src/handshake/mse/dh.ts';
import { ANSWER, CALL, EXPONENT, hex, PUBLIC_KEY } from './vectors.ts';

/** P of the specification, as text of hex. */
const PRIME =
  'ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a63a36210000000000090563';
const key = (number: bigint): Uint8Array => hex(number.toString(16).padStart(192, '0'));
const P = BigInt(`0x${PRIME}`);

describe('the key exchange', () => {
  test('gives the recorded key and secret', () => {
    const pair = new KeyPair(EXPONENT);
    expect(formatHex(pair.publicKey)).toBe(formatHex(PUBLIC_KEY));
    expect(formatHex(pair.sharedSecret(parsePublicKey(PUBLIC_KEY)))).toBe(formatHex(CALL.secret));
    expect(pair.sharedSecret(parsePublicKey(ANSWER.publicKey))).not.toEqual(CALL.secret);
  });

  test('both sides find the same secret', () => {
    const exponent = fc.uint8Array({ minLength: EXPONENT_LENGTH, maxLength: EXPONENT_LENGTH });
    fc.assert(
      fc.property(exponent, exponent, (a, b) => {
        // 2 to the power of nothing is a key that nobody takes.
        fc.pre(a.some((byte) => byte !== 0) && b.some((byte) => byte !== 0));
        const [left, right] = [new KeyPair(a), new KeyPair(b)];
        const secret = left.sharedSecret(parsePublicKey(right.publicKey));
        expect(secret).toEqual(right.sharedSecret(parsePublicKey(left.publicKey)));
        expect(secret.length).toBe(KEY_LENGTH);
      }),
      { numRuns: 50 },
    );
  });

  test('is the power of the plain definition', () => {
    const exponent = fc.uint8Array({ minLength: EXPONENT_LENGTH, maxLength: EXPONENT_LENGTH });
    const base = fc.bigInt({ min: 2n, max: P - 2n });
    fc.assert(
      fc.property(exponent, base, (bytes, theirs) => {
        let expected = 1n;
        let ours = 1n;
        for (const bit of BigInt(`0x${formatHex(bytes)}`).toString(2)) {
          expected = (expected * expected * (bit === '1' ? theirs : 1n)) % P;
          ours = (ours * ours * (bit === '1' ? 2n : 1n)) % P;
        }
        const pair = new KeyPair(bytes);
        expect(pair.publicKey).toEqual(key(ours));
        expect(pair.sharedSecret(parsePublicKey(key(theirs)))).toEqual(key(expected));
      }),
      { numRuns: 50 },
    );
  });

  test.each([
    ['0', 0n],
    ['1', 1n],
    ['P − 1', P - 1n],
    ['P', P],
    ['P + 1', P + 1n],
    ['the largest number', 2n ** 768n - 1n],
  ])('%s is a degenerate key', (_name, number) => {
    expect(() => parsePublicKey(key(number))).toThrow(ProtocolError);
  });

  test('2 and P − 2 are keys', () => {
    expect(parsePublicKey(key(2n))).toBe(2n);
    expect(parsePublicKey(key(P - 2n))).toBe(P - 2n);
  });

  test('short secrets have zeros in front', () => {
    const two = new Uint8Array(EXPONENT_LENGTH);
    two[EXPONENT_LENGTH - 1] = 2;
    const pair = new KeyPair(two);
    expect(pair.publicKey).toEqual(key(4n));
    expect(pair.sharedSecret(parsePublicKey(key(3n)))).toEqual(key(9n));
  });
});
