import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatHex, parseHex } from '../../src/base/bytes.ts';
import {
  commonPrefixBits,
  compareDistance,
  ID_BITS,
  randomIdAtDepth,
  randomIdWithPrefix,
} from '../../src/dht/distance.ts';
import { SeededRandom } from '../../src/runtime/sim/seeded-random.ts';

/** Ids that often have much in common. */
const ids = fc
  .tuple(fc.uint8Array({ minLength: 20, maxLength: 20 }), fc.nat(160), fc.nat())
  .map(([bytes, zeros, seed]) => {
    if (seed % 2 === 0) return bytes;
    return randomIdWithPrefix(new Uint8Array(20), zeros, new SeededRandom(seed));
  });

function id(text: string): Uint8Array {
  const bytes = parseHex(text.padEnd(40, '0'));
  if (bytes === undefined) throw new Error(`no id: ${text}`);
  return bytes;
}

function distance(a: Uint8Array, b: Uint8Array): bigint {
  return BigInt(`0x${formatHex(a)}`) ^ BigInt(`0x${formatHex(b)}`);
}

describe('distance', () => {
  test('is compared as the numbers that XOR gives', () => {
    fc.assert(
      fc.property(ids, ids, ids, (target, a, b) => {
        const [left, right] = [distance(target, a), distance(target, b)];
        expect(Math.sign(compareDistance(target, a, b))).toBe(
          left < right ? -1 : left > right ? 1 : 0,
        );
      }),
    );
  });

  test('sorts the closest first', () => {
    const target = id('80');
    const nodes = ['00', '7f', '81', '80', 'ff', '8001'].map((text) => id(text));
    const sorted = nodes.toSorted((a, b) => compareDistance(target, a, b));
    expect(sorted.map((node) => formatHex(node).slice(0, 4))).toEqual([
      '8000',
      '8001',
      '8100',
      'ff00',
      '0000',
      '7f00',
    ]);
  });

  test('as many bits in common as the difference has zeros before it', () => {
    fc.assert(
      fc.property(ids, ids, (a, b) => {
        const difference = distance(a, b);
        const bits = difference === 0n ? 0 : difference.toString(2).length;
        expect(commonPrefixBits(a, b)).toBe(ID_BITS - bits);
        expect(commonPrefixBits(b, a)).toBe(ID_BITS - bits);
      }),
    );
  });

  test('an id has all 160 bits in common with itself, and each bit alone ends it', () => {
    const own = id('d0d1d2d3d4d5d6d7d8d9');
    expect(commonPrefixBits(own, own)).toBe(160);
    for (let bit = 0; bit < ID_BITS; bit++) {
      const other = own.slice();
      other[bit >>> 3] = (other[bit >>> 3] ?? 0) ^ (0x80 >>> (bit & 7));
      expect(commonPrefixBits(own, other)).toBe(bit);
    }
  });
});

describe('random ids', () => {
  test('share at least as many bits as asked for', () => {
    fc.assert(
      fc.property(ids, fc.integer({ min: 0, max: 160 }), fc.nat(), (own, bits, seed) => {
        const made = randomIdWithPrefix(own, bits, new SeededRandom(seed));
        expect(made).toHaveLength(20);
        expect(commonPrefixBits(own, made)).toBeGreaterThanOrEqual(bits);
      }),
    );
  });

  test('share exactly as many bits as asked for', () => {
    fc.assert(
      fc.property(ids, fc.integer({ min: 0, max: 159 }), fc.nat(), (own, bits, seed) => {
        expect(commonPrefixBits(own, randomIdAtDepth(own, bits, new SeededRandom(seed)))).toBe(
          bits,
        );
      }),
    );
  });

  test.each([0, 1, 7, 8, 9, 100, 152, 159])('every bit behind the first %i is drawn', (bits) => {
    const random = new SeededRandom(bits);
    const own = id('ff00ff');
    const ones = new Uint32Array(ID_BITS);
    for (let turn = 0; turn < 200; turn++) {
      const made = randomIdWithPrefix(own, bits, random);
      for (let bit = 0; bit < ID_BITS; bit++) {
        ones[bit] = (ones[bit] ?? 0) + (((made[bit >>> 3] ?? 0) >>> (7 - (bit & 7))) & 1);
      }
    }
    // 200 fair coins: fewer than 50 or more than 150 heads come once in 10^12 tries.
    const drawn = [...ones.subarray(bits)].every((count) => count > 50 && count < 150);
    const kept = [...ones.subarray(0, bits)].every((count) => count === 0 || count === 200);
    expect({ drawn, kept }).toEqual({ drawn: true, kept: true });
  });

  test('leave the bytes of others alone', () => {
    const own = id('0102');
    const lent = new Uint8Array(20).fill(7);
    const made = randomIdWithPrefix(own, 12, { uint32: () => 0, bytes: () => lent });
    expect(formatHex(made).slice(0, 8)).toBe('01070707');
    expect(new Set(lent)).toEqual(new Set([7]));
    expect(formatHex(own).slice(0, 8)).toBe('01020000');
  });
});
