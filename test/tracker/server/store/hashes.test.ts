import { expect, test } from 'vitest';
import { encodeUtf8 } from '../../../../src/base/bytes.ts';
import { crc32 } from '../../../../src/tracker/server/store/crc32.ts';
import { KeyedHash } from '../../../../src/tracker/server/store/keyed-hash.ts';

test('HalfSipHash-1-3 gives what its reference gives', () => {
  // Key 00 … 07 over the bytes 00, 01, …: the vectors in Linux's lib/test_siphash.c.
  const hash = new KeyedHash(0x03020100, 0x07060504);
  const words = Int32Array.of(0x03020100, 0x07060504, 0x0b0a0908, 0x0f0e0d0c, 0x13121110);
  const hashes = [0, 1, 2, 3, 4, 5].map((length) => hash.of(words, length) >>> 0);
  expect(hashes).toEqual([0x5814c896, 0x7e059ea6, 0x577999b1, 0x6b28096c, 0x8b31d501, 0x911bb605]);
});

test('another key, another hash', () => {
  const words = Int32Array.of(1, 2, 3);
  const hashes = new Set<number>();
  for (let key = 0; key < 100; key++) {
    hashes.add(new KeyedHash(key, 0).of(words, 3)).add(new KeyedHash(0, ~key).of(words, 3));
  }
  expect(hashes.size).toBe(200);
});

test('CRC-32 gives what everybody gives, in any parts', () => {
  expect(crc32(0, encodeUtf8('123456789'))).toBe(0xcbf43926);
  expect(crc32(crc32(0, encodeUtf8('1234')), encodeUtf8('56789'))).toBe(0xcbf43926);
  expect(crc32(0, new Uint8Array(0))).toBe(0);
});
