import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BipError } from '../../src/base/errors.ts';
import { encode } from '../../src/bencode/index.ts';
import { decodePexPeers } from '../../src/probe/pex.ts';

const SAMPLE = encode({
  added: Uint8Array.of(10, 0, 0, 7, 0x1a, 0xe1, 10, 0, 0, 8, 0, 0),
  'added.f': Uint8Array.of(0x1f),
  dropped: Uint8Array.of(10, 0, 0, 9, 0x1a, 0xe1),
});

test('peers with all flags; those that cannot be reached, and those that went, are left out', () => {
  expect(decodePexPeers(SAMPLE)).toEqual([
    {
      endpoint: { host: '10.0.0.7', port: 6881 },
      flags: ['encryption', 'seed', 'utp', 'holepunch', 'reachable'],
    },
  ]);
});

test('a message with nothing in it is a message', () => {
  expect(decodePexPeers(encode({}))).toEqual([]);
});

test('flags keep to their peers when one of them cannot be reached', () => {
  const added = Uint8Array.of(10, 0, 0, 8, 0, 0, 10, 0, 0, 7, 0x1a, 0xe1);
  const message = encode({ added, 'added.f': Uint8Array.of(0x01, 0x02) });
  expect(decodePexPeers(message)).toEqual([
    { endpoint: { host: '10.0.0.7', port: 6881 }, flags: ['seed'] },
  ]);
});

test('no more than 400 are kept', () => {
  const added = (count: number): Uint8Array =>
    Uint8Array.from(
      { length: count * 6 },
      (_, at) => [10, 0, Math.floor(at / 6) >> 8, Math.floor(at / 6) & 255, 1, 1].at(at % 6) ?? 0,
    );
  expect(decodePexPeers(encode({ added: added(400) }))).toHaveLength(400);
  expect(decodePexPeers(encode({ added: added(401) }))).toHaveLength(400);
});

test('every prefix of a message, and any bytes, are a list or a refusal', () => {
  for (let length = 0; length < SAMPLE.length; length++) {
    expect(() => decodePexPeers(SAMPLE.subarray(0, length))).toThrow(BipError);
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      try {
        expect(decodePexPeers(bytes).length).toBeLessThan(20);
      } catch (error) {
        expect(error).toBeInstanceOf(BipError);
      }
    }),
  );
});
