import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatBase32 } from '../../src/base/base32.ts';
import { InvariantError } from '../../src/base/errors.ts';
import { InfoHash, NodeId, PeerId, parseInfoHash } from '../../src/base/ids.ts';

const twenty = fc.uint8Array({ minLength: 20, maxLength: 20 });
const thirtyTwo = fc.uint8Array({ minLength: 32, maxLength: 32 });

test('an infohash is read in every form in which it is written', () => {
  fc.assert(
    fc.property(fc.oneof(twenty, thirtyTwo), (bytes) => {
      const hash = new InfoHash(bytes);
      expect(parseInfoHash(hash.hex)?.equals(hash)).toBe(true);
      expect(parseInfoHash(hash.hex.toUpperCase())?.equals(hash)).toBe(true);
      expect(String(hash)).toBe(hash.hex);
      if (bytes.length === 20) {
        expect(parseInfoHash(formatBase32(bytes))?.bytes).toEqual(bytes);
      }
    }),
  );
});

test('version and wire form', () => {
  const v1 = new InfoHash(new Uint8Array(20).fill(1));
  const v2 = new InfoHash(new Uint8Array(32).fill(2));
  expect([v1.version, v2.version]).toEqual(['v1', 'v2']);
  expect(v1.wire).toEqual(v1.bytes);
  expect(v2.wire).toEqual(new Uint8Array(20).fill(2));
  expect(v1.equals(v2)).toBe(false);
});

test('an id keeps bytes of its own', () => {
  const bytes = new Uint8Array(20).fill(7);
  const id = new PeerId(bytes);
  bytes.fill(0);
  expect(id.hex).toBe('07'.repeat(20));
});

test.each([0, 19, 21, 31, 33])('%d bytes are no id', (length) => {
  for (const Id of [InfoHash, PeerId, NodeId]) {
    expect(() => new Id(new Uint8Array(length))).toThrow(InvariantError);
  }
});

test('32 bytes are an infohash only', () => {
  expect(() => new PeerId(new Uint8Array(32))).toThrow('32 bytes, expected 20');
  expect(() => new NodeId(new Uint8Array(32))).toThrow(InvariantError);
});

test.each([
  '',
  'abc',
  'z'.repeat(40),
  '0'.repeat(39),
  '0'.repeat(41),
  '0'.repeat(63),
  '1'.repeat(32),
  `${'0'.repeat(39)} `,
])('%j is no infohash', (text) => {
  expect(parseInfoHash(text)).toBeUndefined();
});
