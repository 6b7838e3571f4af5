/** What every hasher must do. @module */

import { expect, test } from 'vitest';
import { formatHex } from '../../src/base/bytes.ts';
import { sha1, sha256 } from '../../src/base/sha.ts';
import type { Place } from './place.ts';
import { pattern } from './recorder.ts';

/** FIPS 180-4: of nothing, of `abc`, of a million times `a`. */
const VECTORS = [
  {
    input: new Uint8Array(0),
    sha1: 'da39a3ee5e6b4b0d3255bfef95601890afd80709',
    sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  },
  {
    input: new TextEncoder().encode('abc'),
    sha1: 'a9993e364706816aba3e25717850c26c9cd0d89d',
    sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  },
  {
    input: new Uint8Array(1_000_000).fill(0x61),
    sha1: '34aa973cd4c4daa4f61eeb2bdbad27316534016f',
    sha256: 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0',
  },
] as const;

export function hashersCompliance(place: Place): void {
  test('the vectors of FIPS 180-4', () =>
    place.run(async ({ here: { hashers } }) => {
      for (const vector of VECTORS) {
        for (const algorithm of ['sha1', 'sha256'] as const) {
          const digest = await hashers.digest(algorithm, [vector.input]);
          expect(formatHex(digest)).toBe(vector[algorithm]);
          expect(formatHex(hashers.digestSync(algorithm, [vector.input]))).toBe(vector[algorithm]);
        }
      }
    }));

  test('how the input is cut does not matter', () =>
    place.run(async ({ here: { hashers } }) => {
      const whole = pattern(3_000_000);
      for (const cuts of [[0], [1], [64, 65], [16_384, 1_048_576, 2_999_999], [0, 0, 3_000_000]]) {
        const parts = cuts.map((cut, at) => whole.subarray(cuts[at - 1] ?? 0, cut));
        parts.push(whole.subarray(cuts.at(-1)));
        expect(await hashers.digest('sha1', parts)).toEqual(sha1(whole));
        expect(hashers.digestSync('sha256', parts)).toEqual(sha256(whole));
      }
      expect(await hashers.digest('sha1', [])).toEqual(sha1(new Uint8Array(0)));
    }));

  test('memory that was allocated for it hashes like any other, also when it is reused', () =>
    place.run(async ({ here: { hashers } }) => {
      const memory = hashers.allocate(300_000);
      expect(memory).toEqual(new Uint8Array(300_000));
      for (const seed of [1, 2, 3]) {
        const input = pattern(300_000, seed);
        memory.set(input);
        expect(await hashers.digest('sha1', [memory])).toEqual(sha1(input));
        const part = memory.subarray(5, 200_005);
        expect(await hashers.digest('sha256', [part])).toEqual(sha256(input.subarray(5, 200_005)));
      }
    }));

  test('copies arrive whole, wherever they go and however short they are', () =>
    place.run(async ({ here: { hashers } }) => {
      const source = pattern(70_000);
      for (const length of [0, 1, 2, 15, 16_384, 69_999, 70_000]) {
        const memory = hashers.allocate(80_000);
        hashers.copy(memory, 7_000, source.subarray(0, length));
        const expected = new Uint8Array(80_000);
        expected.set(source.subarray(0, length), 7_000);
        expect(memory).toEqual(expected);
      }
    }));

  test('many at once do not mix', () =>
    place.run(async ({ here: { hashers } }) => {
      const inputs = Array.from({ length: 20 }, (_, seed) =>
        pattern(100_000 + seed * 70_001, seed),
      );
      const shared = inputs.map((input) => {
        const memory = hashers.allocate(input.length);
        memory.set(input);
        return memory;
      });
      const digests = await Promise.all(shared.map((input) => hashers.digest('sha256', [input])));
      expect(digests).toEqual(inputs.map((input) => sha256(input)));
    }));
}
