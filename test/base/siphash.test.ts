import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InvariantError } from '../../src/base/errors.ts';
import { SipHash } from '../../src/base/siphash.ts';

const KEY = Uint8Array.from({ length: 16 }, (_, at) => at);

/** The 8 bytes of a hash, in the order of the reference's output. */
function digest(hash: SipHash, bytes: Uint8Array, from = 0, length = bytes.length): string {
  hash.hash(bytes, from, length);
  const view = new DataView(new ArrayBuffer(8));
  view.setUint32(0, hash.low, true);
  view.setUint32(4, hash.high, true);
  return Buffer.from(view.buffer).toString('hex');
}

describe('SipHash-2-4', () => {
  test('the vectors of the reference: key 00 to 0f, input 00 to n-1', () => {
    const hash = new SipHash(KEY);
    const found = VECTORS.map((_, length) =>
      digest(
        hash,
        Uint8Array.from({ length }, (__, at) => at),
      ),
    );
    expect(found).toEqual(VECTORS);
  });

  test('the example of the paper, appendix A', () => {
    const hash = new SipHash(KEY);
    hash.hash(
      Uint8Array.from({ length: 15 }, (_, at) => at),
      0,
      15,
    );
    expect([hash.high, hash.low]).toEqual([0xa129ca61, 0x49be45e5]);
  });

  test('agrees with arithmetic of 64 bits, for any key and input', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        fc.uint8Array({ maxLength: 70 }),
        (key, bytes) => {
          const hash = new SipHash(key);
          hash.hash(bytes, 0, bytes.length);
          expect((BigInt(hash.high) << 32n) | BigInt(hash.low)).toBe(reference(key, bytes));
        },
      ),
    );
  });

  test('a part of the bytes hashes as those bytes alone', () => {
    const hash = new SipHash(KEY);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(60), fc.nat(60), (bytes, from, cut) => {
        const part = bytes.slice(from, from + cut);
        expect(digest(hash, bytes, Math.min(from, bytes.length), part.length)).toBe(
          digest(hash, part),
        );
      }),
    );
  });

  test.each([0, 15, 17])('a key of %i bytes is a bug', (length) => {
    expect(() => new SipHash(new Uint8Array(length))).toThrow(InvariantError);
  });
});

const U64 = 64;

function rotate(value: bigint, by: bigint): bigint {
  return BigInt.asUintN(U64, (value << by) | (value >> (64n - by)));
}

/** As the paper writes it, with big integers. */
function reference(key: Uint8Array, bytes: Uint8Array): bigint {
  const view = new DataView(key.buffer, key.byteOffset, 16);
  const [k0, k1] = [view.getBigUint64(0, true), view.getBigUint64(8, true)];
  let v0 = k0 ^ 0x736f6d6570736575n;
  let v1 = k1 ^ 0x646f72616e646f6dn;
  let v2 = k0 ^ 0x6c7967656e657261n;
  let v3 = k1 ^ 0x7465646279746573n;
  const round = (): void => {
    v0 = BigInt.asUintN(U64, v0 + v1);
    v1 = rotate(v1, 13n) ^ v0;
    v0 = rotate(v0, 32n);
    v2 = BigInt.asUintN(U64, v2 + v3);
    v3 = rotate(v3, 16n) ^ v2;
    v0 = BigInt.asUintN(U64, v0 + v3);
    v3 = rotate(v3, 21n) ^ v0;
    v2 = BigInt.asUintN(U64, v2 + v1);
    v1 = rotate(v1, 17n) ^ v2;
    v2 = rotate(v2, 32n);
  };
  const padded = new Uint8Array(bytes.length - (bytes.length % 8) + 8);
  padded.set(bytes);
  padded[padded.length - 1] = bytes.length;
  const blocks = new DataView(padded.buffer);
  for (let at = 0; at < padded.length; at += 8) {
    const block = blocks.getBigUint64(at, true);
    v3 ^= block;
    round();
    round();
    v0 ^= block;
  }
  v2 ^= 0xffn;
  for (let rounds = 0; rounds < 4; rounds++) round();
  return v0 ^ v1 ^ v2 ^ v3;
}

/** `vectors_sip64` of the authors' own program. */
const VECTORS: readonly string[] = [
  '310e0edd47db6f72',
  'fd67dc93c539f874',
  '5a4fa9d909806c0d',
  '2d7efbd796666785',
  'b7877127e09427cf',
  '8da699cd64557618',
  'cee3fe586e46c9cb',
  '37d1018bf50002ab',
  '6224939a79f5f593',
  'b0e4a90bdf82009e',
  'f3b9dd94c5bb5d7a',
  'a7ad6b22462fb3f4',
  'fbe50e86bc8f1e75',
  '903d84c02756ea14',
  'eef27a8e90ca23f7',
  'e545be4961ca29a1',
  'db9bc2577fcc2a3f',
  '9447be2cf5e99a69',
  '9cd38d96f0b3c14b',
  'bd6179a71dc96dbb',
  '98eea21af25cd6be',
  'c7673b2eb0cbf2d0',
  '883ea3e395675393',
  'c8ce5ccd8c030ca8',
  '94af49f6c650adb8',
  'eab8858ade92e1bc',
  'f315bb5bb835d817',
  'adcf6b0763612e2f',
  'a5c91da7acaa4dde',
  '716595876650a2a6',
  '28ef495c53a387ad',
  '42c341d8fa92d832',
  'ce7cf2722f512771',
  'e37859f94623f3a7',
  '381205bb1ab0e012',
  'ae97a10fd434e015',
  'b4a31508beff4d31',
  '81396229f0907902',
  '4d0cf49ee5d4dcca',
  '5c73336a76d8bf9a',
  'd0a704536ba93e0e',
  '925958fcd6420cad',
  'a915c29bc8067318',
  '952b79f3bc0aa6d4',
  'f21df2e41d4535f9',
  '87577519048f53a9',
  '10a56cf5dfcd9adb',
  'eb75095ccd986cd0',
  '51a9cb9ecba312e6',
  '96afadfc2ce666c7',
  '72fe52975a4364ee',
  '5a1645b276d592a1',
  'b274cb8ebf87870a',
  '6f9bb4203de7b381',
  'eaecb2a30b22a87f',
  '9924a43cc1315724',
  'bd838d3aafbf8db7',
  '0b1a2a3265d51aea',
  '135079a3231ce660',
  '932b2846e4d70666',
  'e1915f5cb1eca46c',
  'f325965ca16d629f',
  '575ff28e60381be5',
  '724506eb4c328a95',
];
