import {
  createHash,
  createPrivateKey,
  createPublicKey,
  sign as nodeSign,
  verify as nodeVerify,
} from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes, encodeUtf8, formatHex, parseHex } from '../../../src/base/bytes.ts';
import { UsageError } from '../../../src/base/errors.ts';
import { publicKeyOf, sign, verify } from '../../../src/dht/items/ed25519.ts';

const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 });
const messages = fc.uint8Array({ maxLength: 200 });

function hex(text: string): Uint8Array {
  const bytes = parseHex(text);
  if (bytes === undefined) throw new Error(`no hex: ${text}`);
  return bytes;
}

/** What OpenSSL says. */
function opensslVerifies(
  signature: Uint8Array,
  message: Uint8Array,
  publicKey: Uint8Array,
): boolean {
  const x = Buffer.from(publicKey).toString('base64url');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  return nodeVerify(null, message, key, signature);
}

function opensslSigns(seed: Uint8Array, message: Uint8Array): Uint8Array {
  const der = concatBytes(hex('302e020100300506032b657004220420'), seed);
  const key = createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' });
  return nodeSign(null, message, key);
}

/** The seed as libtorrent keeps it. */
function expanded(seed: Uint8Array): Uint8Array {
  const hash = Uint8Array.from(createHash('sha512').update(seed).digest());
  hash[0] = (hash[0] ?? 0) & 0xf8;
  hash[31] = ((hash[31] ?? 0) & 0x7f) | 0x40;
  return hash;
}

function challengeOf(commitment: Uint8Array, publicKey: Uint8Array, message: Uint8Array): bigint {
  const digest = createHash('sha512').update(commitment).update(publicKey).update(message).digest();
  return BigInt(`0x${formatHex(Uint8Array.from(digest).toReversed())}`) % ed25519.Point.Fn.ORDER;
}

/** Which multiple of the first point of order eight this is. */
function indexOf(point: string): number {
  const { Point } = ed25519;
  const generator = Point.fromHex(SMALL_ORDER[4] ?? '', true);
  const canonical = Point.fromHex(point, true).toHex();
  return [0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n].findIndex(
    (factor) => generator.multiplyUnsafe(factor).toHex() === canonical,
  );
}

function isShortest(point: string): boolean {
  return ed25519.Point.fromHex(point, true).toHex() === point;
}

describe('signatures', () => {
  test('the examples of RFC 8032 §7.1', () => {
    for (const [seed, publicKey, message, signature] of RFC_8032) {
      const made = sign(hex(message), hex(seed));
      expect(formatHex(made.publicKey)).toBe(publicKey);
      expect(formatHex(made.signature)).toBe(signature);
      expect(verify(hex(signature), hex(message), hex(publicKey))).toBe(true);
    }
  });

  test('are those of OpenSSL, with every form of a key', () => {
    fc.assert(
      fc.property(seeds, messages, (seed, message) => {
        const publicKey = publicKeyOf(seed);
        const forms = [seed, concatBytes(seed, publicKey), expanded(seed)];
        const signature = formatHex(opensslSigns(seed, message));
        for (const form of forms) {
          const made = sign(message, form);
          expect(formatHex(made.signature)).toBe(signature);
          expect(formatHex(made.publicKey)).toBe(formatHex(publicKey));
        }
        expect(verify(hex(signature), message, publicKey)).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  test('of another message, by another key, or with any bit changed are none', () => {
    const seed = new Uint8Array(32).fill(7);
    const message = encodeUtf8('a message');
    const { publicKey, signature } = sign(message, seed);
    expect(verify(signature, encodeUtf8('a messagf'), publicKey)).toBe(false);
    expect(verify(signature, message, publicKeyOf(new Uint8Array(32)))).toBe(false);
    for (let bit = 0; bit < 512; bit += 3) {
      const changed = signature.slice();
      changed[bit >>> 3] = (changed[bit >>> 3] ?? 0) ^ (1 << (bit & 7));
      expect(verify(changed, message, publicKey), `bit ${bit}`).toBe(false);
    }
  });

  test('a key whose scalar was moved, as libtorrent derives keys, is taken as it is', () => {
    const moved = expanded(new Uint8Array(32).fill(1));
    // Not a multiple of 8 any more, which no seed gives.
    moved[0] = (moved[0] ?? 0) + 1;
    const { publicKey, signature } = sign(encodeUtf8('moved'), moved);
    const { Point } = ed25519;
    const scalar = BigInt(`0x${formatHex(moved.slice(0, 32).toReversed())}`) % Point.Fn.ORDER;
    expect(formatHex(publicKey)).toBe(Point.BASE.multiply(scalar).toHex());
    expect(opensslVerifies(signature, encodeUtf8('moved'), publicKey)).toBe(true);
  });

  test.each([0, 1, 31, 33, 63, 65, 96])('a secret key of %i bytes is refused', (length) => {
    const key = new Uint8Array(length).fill(1);
    expect(() => publicKeyOf(key)).toThrow(UsageError);
    expect(() => sign(new Uint8Array(0), key)).toThrow(UsageError);
  });

  test('a scalar of 0 signs nothing', () => {
    expect(() => publicKeyOf(new Uint8Array(64))).toThrow(UsageError);
  });

  test.each([
    [0, 32],
    [63, 32],
    [65, 32],
    [64, 0],
    [64, 31],
    [64, 33],
  ])('a signature of %i bytes by a key of %i is none', (signature, key) => {
    expect(verify(new Uint8Array(signature), new Uint8Array(0), new Uint8Array(key))).toBe(false);
  });
});

describe('signatures that few agree about', () => {
  test('any bytes are judged as OpenSSL judges them', () => {
    const bytes = fc.uint8Array({ minLength: 64, maxLength: 64 });
    fc.assert(
      fc.property(bytes, seeds, messages, (signature, publicKey, message) => {
        expect(verify(signature, message, publicKey)).toBe(
          opensslVerifies(signature, message, publicKey),
        );
      }),
      { numRuns: 50 },
    );
  });

  test('by keys of small order, in all their forms, as ref10 computes', () => {
    const accepted = new Set<string>();
    const pairs = SMALL_ORDER.flatMap((owner) =>
      SMALL_ORDER.map((other) => [owner, other] as const),
    );
    for (const [publicKey, commitment] of pairs) {
      for (const message of [encodeUtf8('a'), encodeUtf8('b')]) {
        const signature = concatBytes(hex(commitment), new Uint8Array(32));
        const challenge = challengeOf(hex(commitment), hex(publicKey), message);
        // In a group of eight: the commitment has to be the key times minus the challenge, in its shortest form.
        const wanted = (8 - ((indexOf(publicKey) * Number(challenge % 8n)) % 8)) % 8;
        const valid = verify(signature, message, hex(publicKey));
        expect(valid).toBe(isShortest(commitment) && indexOf(commitment) === wanted);
        if (valid) accepted.add(publicKey);
      }
    }
    expect(accepted.size).toBeGreaterThan(10);
  });

  test('by keys with a part of small order: no cofactor makes them good', () => {
    const seed = new Uint8Array(32).fill(3);
    const key = expanded(seed);
    const { Point } = ed25519;
    const scalar = BigInt(`0x${formatHex(key.slice(0, 32).toReversed())}`) % Point.Fn.ORDER;
    const torsion = Point.fromHex(SMALL_ORDER[4] ?? '', true);
    const publicKey = Point.BASE.multiply(scalar).add(torsion).toBytes();
    let accepted = 0;
    for (let turn = 0; turn < 40; turn++) {
      const message = Uint8Array.of(turn);
      const commitment = Point.BASE.multiply(BigInt(turn + 2)).toBytes();
      const challenge = challengeOf(commitment, publicKey, message);
      const answer = Point.Fn.toBytes((BigInt(turn + 2) + challenge * scalar) % Point.Fn.ORDER);
      const signature = concatBytes(commitment, answer);
      expect(ed25519.verify(signature, message, publicKey)).toBe(true);
      const valid = verify(signature, message, publicKey);
      expect(valid).toBe(opensslVerifies(signature, message, publicKey));
      if (valid) accepted++;
    }
    expect(accepted).toBeGreaterThan(0);
    expect(accepted).toBeLessThan(20);
  });

  test('an answer beyond the order is refused, though libtorrent takes it', () => {
    const message = encodeUtf8('12:Hello World!');
    const { publicKey, signature } = sign(message, new Uint8Array(32).fill(9));
    const { Fn } = ed25519.Point;
    const answer = BigInt(`0x${formatHex(signature.slice(32).toReversed())}`) + Fn.ORDER;
    const longer = concatBytes(
      signature.subarray(0, 32),
      hex(answer.toString(16).padStart(64, '0')).toReversed(),
    );
    expect(verify(signature, message, publicKey)).toBe(true);
    expect(verify(longer, message, publicKey)).toBe(false);
    expect(opensslVerifies(longer, message, publicKey)).toBe(false);
  });
});

/** The eight points of small order, and the six more forms that some of them have. */
const SMALL_ORDER = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000080',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  '0100000000000000000000000000000000000000000000000000000000000080',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
];

/** Seed, public key, message, signature. */
const RFC_8032 = [
  [
    '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    '',
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  ],
  [
    '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    '72',
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  ],
  [
    'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    'af82',
    '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  ],
] as const;
