/** Unpacking, against the zlib of Node. */

import { deflateRawSync, gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes } from '../../src/base/bytes.ts';
import { ProtocolError } from '../../src/base/errors.ts';
import { gunzip, isGzip } from '../../src/base/inflate.ts';

const ROOM = { maxBytes: 10_000_000 };

function packed(bytes: Uint8Array, level = 9): Uint8Array {
  return Uint8Array.from(gzipSync(bytes, { level }));
}

/** Repeats itself now and then, as text does. */
const texts = fc
  .array(
    fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 300 })),
    {
      maxLength: 30,
    },
  )
  .map((parts) =>
    concatBytes(...parts.flatMap(([part, times]) => Array.from({ length: times }, () => part))),
  );

test('what Node packs, at every level: stored, fixed and dynamic codes', () => {
  fc.assert(
    fc.property(texts, fc.integer({ min: 0, max: 9 }), (bytes, level) => {
      expect(Buffer.compare(gunzip(packed(bytes, level), ROOM), bytes)).toBe(0);
    }),
    { numRuns: 60 },
  );
});

test('a megabyte that has no pattern, and one of zeros', () => {
  let state = 1;
  const noise = Uint8Array.from({ length: 1_000_000 }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  });
  for (const bytes of [noise, new Uint8Array(1_000_000)]) {
    expect(Buffer.compare(gunzip(packed(bytes), ROOM), bytes)).toBe(0);
  }
});

test('names, comments and extra fields in front are passed over; members follow each other', () => {
  const bytes = Uint8Array.of(1, 2, 3);
  const raw = deflateRawSync(bytes);
  const header = [0x1f, 0x8b, 8, 0x1e, 0, 0, 0, 0, 0, 3];
  const fields = [2, 0, 9, 9, 0x61, 0, 0x62, 0, 7, 7];
  const odd = concatBytes(Uint8Array.from([...header, ...fields]), raw, new Uint8Array(8));
  expect(gunzip(odd, ROOM)).toEqual(bytes);
  expect(gunzip(concatBytes(odd, packed(bytes)), ROOM)).toEqual(concatBytes(bytes, bytes));
  // What is no member may stand at the end: some tools pad.
  expect(gunzip(concatBytes(odd, new Uint8Array(9)), ROOM)).toEqual(bytes);
});

test('every prefix is broken, and says so', () => {
  for (const level of [0, 1, 9]) {
    const whole = packed(new TextEncoder().encode('hello hello hello hello, who?'), level);
    for (let length = 0; length < whole.length; length++) {
      expect(() => gunzip(whole.subarray(0, length), ROOM)).toThrow(ProtocolError);
    }
  }
});

describe('whatever comes', () => {
  test('is unpacked, or is an error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        const input = concatBytes(Uint8Array.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]), bytes);
        try {
          expect(gunzip(input, { maxBytes: 100_000 }).length).toBeLessThanOrEqual(100_000);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('a byte that is changed leads to other bytes, or to an error', () => {
    const whole = packed(new TextEncoder().encode('abcabcabcabcabd'.repeat(50)));
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const bytes = whole.slice();
        bytes[at] = (bytes[at] ?? 0) ^ change;
        try {
          gunzip(bytes, ROOM);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      }),
    );
  });
});

test('the limit of what is unpacked, from both sides', () => {
  const bytes = packed(new Uint8Array(5000).fill(7));
  expect(gunzip(bytes, { maxBytes: 5000 })).toHaveLength(5000);
  expect(() => gunzip(bytes, { maxBytes: 4999 })).toThrow('longer than 4999 bytes');
});

test('what begins as gzip', () => {
  expect(isGzip(packed(new Uint8Array(1)))).toBe(true);
  expect(isGzip(Uint8Array.of(0x1f))).toBe(false);
  expect(() => gunzip(Uint8Array.of(1, 2, 3), ROOM)).toThrow('does not begin as gzip');
});
