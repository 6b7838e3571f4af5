import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatHex } from '../../../src/base/bytes.ts';
import { InfoHashSet } from '../../../src/tracker/server/info-hash-set.ts';

/** Few different bytes, so that hashes collide, repeat, and are zeros. */
const infoHash = fc.oneof(
  fc.uint8Array({ minLength: 20, maxLength: 20 }),
  fc.uint8Array({ minLength: 20, maxLength: 20, max: 1 }),
  fc.constant(new Uint8Array(20)),
  fc
    .uint8Array({ minLength: 12, maxLength: 12 })
    .map((tail) => Uint8Array.from([...new Uint8Array(8), ...tail])),
);

test('holds what was put in, and nothing else', () => {
  fc.assert(
    fc.property(fc.array(infoHash, { maxLength: 200 }), fc.array(infoHash), (inside, others) => {
      const model = new Set(inside.map(formatHex));
      const set = InfoHashSet.of(inside);
      expect(set.size).toBe(model.size);
      for (const hash of [...inside, ...others]) {
        expect(set.has(hash)).toBe(model.has(formatHex(hash)));
      }
      expect([...set].map(formatHex).toSorted()).toEqual([...model].toSorted());
    }),
  );
});

test('looks at any place in a packet', () => {
  const hash = Uint8Array.from({ length: 20 }, (_, at) => at);
  const packet = new Uint8Array(60);
  packet.set(hash, 23);
  const set = InfoHashSet.of([hash]);
  expect(set.has(packet, 23)).toBe(true);
  expect(set.has(packet, 22)).toBe(false);
});

test('another thread gets the same set', () => {
  const hashes = Array.from({ length: 1000 }, (_, at) =>
    Uint8Array.from({ length: 20 }, (__, index) => (at * (index + 3)) & 0xff),
  );
  const set = InfoHashSet.of([...hashes, new Uint8Array(20)]);
  const copy = InfoHashSet.attach(structuredClone(set.handle));
  expect(copy.size).toBe(set.size);
  for (const hash of hashes) expect(copy.has(hash)).toBe(true);
  expect(copy.has(new Uint8Array(20))).toBe(true);
  expect(copy.has(new Uint8Array(20).fill(0xfe))).toBe(false);
});

test('a hash of v2 is cut', () => {
  const long = Uint8Array.from({ length: 32 }, (_, at) => at + 1);
  expect(InfoHashSet.of([long]).has(long.subarray(0, 20))).toBe(true);
});

test('an empty set is empty', () => {
  const set = InfoHashSet.of([]);
  expect([set.size, set.has(new Uint8Array(20)), [...set].length]).toEqual([0, false, 0]);
});

test('takes at most 80 bytes a hash', () => {
  for (const count of [100, 1000, 5000]) {
    const hashes = Array.from({ length: count }, (_, at) =>
      Uint8Array.from({ length: 20 }, (__, index) => (at >>> (8 * (index % 2))) + index),
    );
    expect(InfoHashSet.of(hashes).handle.words.byteLength / count).toBeLessThan(82);
  }
});
