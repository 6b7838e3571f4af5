import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatBase32 } from '../../src/base/base32.ts';
import { InvariantError } from '../../src/base/errors.ts';
import { InfoHash, NodeId, PeerId, parseInfoHash } from '../../src/base/ids.ts';

const bytesOf = (length: number) => Uint8Array.from({ length }, (_, at) => at);

test('an infohash of 20 bytes is v1, of 32 v2, cut on the wire', () => {
  expect(new InfoHash(bytesOf(20)).version).toBe('v1');
  const v2 = new InfoHash(bytesOf(32));
  expect(v2.version).toBe('v2');
  expect(v2.wire).toEqual(bytesOf(20));
});

test.each([InfoHash, PeerId, NodeId])('%o of another length is a bug', (Kind) => {
  for (const length of [0, 19, 21, 31, 33]) {
    expect(() => new Kind(bytesOf(length))).toThrow(InvariantError);
  }
});

test('ids are equal by their bytes and keep them', () => {
  const bytes = bytesOf(20);
  const id = new PeerId(bytes);
  bytes[0] = 255;
  expect(id.equals(new NodeId(bytesOf(20)))).toBe(true);
  expect(id.equals(new PeerId(bytes))).toBe(false);
  expect(id.toString()).toBe('000102030405060708090a0b0c0d0e0f10111213');
});

test('hex of either case and base32 name the same torrent', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), (bytes) => {
      const { hex } = new InfoHash(bytes);
      for (const text of [hex, hex.toUpperCase(), formatBase32(bytes)]) {
        expect(parseInfoHash(text)?.hex).toBe(hex);
      }
    }),
  );
  const v2 = new InfoHash(bytesOf(32));
  expect(parseInfoHash(v2.hex)?.equals(v2)).toBe(true);
});

test('anything else names none', () => {
  const hex = new InfoHash(bytesOf(20)).hex;
  for (const text of ['', hex.slice(1), `${hex}0`, `${hex.slice(1)}g`, '0'.repeat(32), ` ${hex}`]) {
    expect(parseInfoHash(text)).toBeUndefined();
  }
});
