import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes, encodeUtf8, formatHex } from '../../../src/base/bytes.ts';
import { InvariantError } from '../../../src/base/errors.ts';
import { decodeTorrentPointer, encodeTorrentPointer } from '../../../src/dht/items/index.ts';

const infoHashes = fc.uint8Array({ minLength: 20, maxLength: 20 });

describe('pointers to torrents', () => {
  test('come back as they were, in the form of BEP 46', () => {
    fc.assert(
      fc.property(infoHashes, (infoHash) => {
        const value = encodeTorrentPointer(infoHash);
        const expected = concatBytes(encodeUtf8('d2:ih20:'), infoHash, encodeUtf8('e'));
        expect(formatHex(value)).toBe(formatHex(expected));
        expect(decodeTorrentPointer(value)).toEqual(infoHash);
      }),
    );
  });

  test('may say more', () => {
    const value = encodeUtf8('d1:ai1e2:ih20:abcdefghij01234567891:zlee');
    expect(decodeTorrentPointer(value)).toEqual(encodeUtf8('abcdefghij0123456789'));
  });

  test('that are read do not change with the packet', () => {
    const value = encodeTorrentPointer(new Uint8Array(20).fill(1));
    const infoHash = decodeTorrentPointer(value);
    value.fill(0);
    expect(infoHash).toEqual(new Uint8Array(20).fill(1));
  });

  test.each([
    '',
    'd',
    'de',
    'i1e',
    '20:abcdefghij0123456789',
    'l2:ih20:abcdefghij0123456789e',
    'd2:ih19:abcdefghij012345678e',
    'd2:ih21:abcdefghij0123456789_e',
    'd2:ihi20ee',
    'd2:ih20:abcdefghij0123456789ee',
    'd2:IH20:abcdefghij0123456789e',
  ])('"%s" is none', (value) => {
    expect(decodeTorrentPointer(encodeUtf8(value))).toBeUndefined();
  });

  test('no prefix of one is one, and no bytes make it throw', () => {
    const value = encodeTorrentPointer(new Uint8Array(20).fill(1));
    for (let length = 0; length < value.length; length++) {
      expect(decodeTorrentPointer(value.subarray(0, length))).toBeUndefined();
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        expect([20, undefined]).toContain(decodeTorrentPointer(bytes)?.length);
      }),
    );
  });

  test.each([0, 19, 21, 32])('an infohash of %i bytes is a bug', (length) => {
    expect(() => encodeTorrentPointer(new Uint8Array(length))).toThrow(InvariantError);
  });
});
