import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeUtf8, encodeUtf8, formatHex, parseHex } from '../../../src/base/bytes.ts';
import {
  type DhtItem,
  immutableTarget,
  MAX_SEQUENCE,
  type MutableItem,
  mutableTarget,
  publicKeyOf,
  signedBytes,
  signItem,
  verifyItem,
} from '../../../src/dht/items/index.ts';

const NO_SALT = new Uint8Array(0);
const HELLO = encodeUtf8('12:Hello World!');

function hex(text: string): Uint8Array {
  const bytes = parseHex(text);
  if (bytes === undefined) throw new Error(`no hex: ${text}`);
  return bytes;
}

/** Of the examples of BEP 44: the secret key is scalar and prefix, without a seed. */
const PUBLIC_KEY = '77ff84905a91936367c01360803104f92432fcd904a43511876df5cdf3e7e548';
const SECRET_KEY =
  'e06d3183d14159228433ed599221b80bd0a5ce8352e4bdf0262f76786ef1c74db7e7a9fea2c0eb269d61e3b38e450a22e754941ac78479d6c54e1faf6037881d';

describe('the examples of BEP 44', () => {
  test('the public key belongs to the secret one', () => {
    expect(formatHex(publicKeyOf(hex(SECRET_KEY)))).toBe(PUBLIC_KEY);
  });

  test.each([
    {
      salt: '',
      signed: '3:seqi1e1:v12:Hello World!',
      target: '4a533d47ec9c7d95b1ad75f576cffc641853b750',
      signature:
        '305ac8aeb6c9c151fa120f120ea2cfb923564e11552d06a5d856091e5e853cff1260d3f39e4999684aa92eb73ffd136e6f4f3ecbfda0ce53a1608ecd7ae21f01',
    },
    {
      salt: 'foobar',
      signed: '4:salt6:foobar3:seqi1e1:v12:Hello World!',
      target: '411eba73b6f087ca51a3795d9c8c938d365e32c1',
      signature:
        '6834284b6b24c3204eb2fea824d82f88883a3d95e8b4a21b8c0ded553d17d17ddf9a8a7104b1258f30bed3787e6cb896fca78c58f8e03b5f18f14951a87d9a08',
    },
  ])('mutable, salt "$salt"', ({ salt, signed, target, signature }) => {
    const unsigned = { salt: encodeUtf8(salt), sequence: 1n, value: HELLO };
    expect(decodeUtf8(signedBytes(unsigned))).toBe(signed);
    expect(formatHex(mutableTarget(hex(PUBLIC_KEY), unsigned.salt))).toBe(target);
    const item = signItem({ secretKey: hex(SECRET_KEY), ...unsigned });
    expect(formatHex(item.signature)).toBe(signature);
    expect(formatHex(item.publicKey)).toBe(PUBLIC_KEY);
    expect(verifyItem(item)).toBe(true);
  });

  test('immutable', () => {
    expect(formatHex(immutableTarget(HELLO))).toBe('e5f96f6f38320f0f33959cb4d3d656452117aadb');
    expect(verifyItem({ type: 'immutable', value: HELLO })).toBe(true);
  });
});

test.each([
  ['', 'cc3f9d90b572172053626f9980ce261a850d050b'],
  ['6e', '59ee7c2cb9b4f7eb1986ee2d18fd2fdb8a56554f'],
])('the example of BEP 46 with the salt "%s"', (salt, target) => {
  const key = hex('8543d3e6115f0f98c944077a4493dcd543e49c739fd998550a1f614ab36ed63e');
  expect(formatHex(mutableTarget(key, hex(salt)))).toBe(target);
});

describe('a signed item', () => {
  const secretKey = new Uint8Array(32).fill(5);
  const item = signItem({
    secretKey,
    salt: encodeUtf8('salt'),
    sequence: 4n,
    value: encodeUtf8('d1:ai1ee'),
  });

  test('is what its parts say', () => {
    expect(verifyItem(item)).toBe(true);
    const changes: Partial<MutableItem>[] = [
      { salt: NO_SALT },
      { salt: encodeUtf8('Salt') },
      { sequence: 5n },
      { value: encodeUtf8('d1:ai2ee') },
      { publicKey: publicKeyOf(new Uint8Array(32).fill(6)) },
      { signature: new Uint8Array(64) },
    ];
    const stillValid = changes.filter((change) => {
      const changed: DhtItem = { ...item, ...change };
      return verifyItem(changed);
    });
    expect(stillValid).toEqual([]);
  });

  test('can have any sequence, salt and value', () => {
    const sequences = fc.bigInt({ min: 0n, max: MAX_SEQUENCE });
    const bytes = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength });
    fc.assert(
      fc.property(sequences, bytes(64), bytes(1_000), (sequence, salt, value) => {
        expect(verifyItem(signItem({ secretKey, salt, sequence, value }))).toBe(true);
      }),
      { numRuns: 20 },
    );
  });
});
