import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../src/base/errors.ts';
import { PeerId } from '../../src/base/ids.ts';
import {
  decodeHandshake,
  encodeHandshake,
  HANDSHAKE_LENGTH,
  HandshakeReader,
  makePeerId,
  peerIdPrefix,
  Reserved,
} from '../../src/handshake/index.ts';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const handshakes = fc
  .record({ reserved: bytes(8), infoHash: bytes(20), peerId: bytes(20) })
  .map(({ reserved, infoHash, peerId }) => ({
    reserved: new Reserved(reserved),
    infoHash,
    peerId: new PeerId(peerId),
  }));

test('what is encoded is decoded', () => {
  fc.assert(
    fc.property(handshakes, (handshake) => {
      const wire = encodeHandshake(handshake);
      expect(wire).toHaveLength(HANDSHAKE_LENGTH);
      const back = decodeHandshake(wire);
      expect(back.infoHash).toEqual(handshake.infoHash);
      expect(back.peerId.hex).toBe(handshake.peerId.hex);
      expect(back.reserved.hex).toBe(handshake.reserved.hex);
    }),
  );
});

test('however the bytes are cut, the handshake is the same and nothing behind it is taken', () => {
  fc.assert(
    fc.property(
      handshakes,
      fc.uint8Array({ maxLength: 40 }),
      fc.array(fc.integer({ min: 1, max: 30 })),
      (handshake, behind, cuts) => {
        const wire = new Uint8Array([...encodeHandshake(handshake), ...behind]);
        const reader = new HandshakeReader();
        let at = 0;
        for (const cut of [...cuts, ...Array<number>(120).fill(1)]) {
          const chunk = wire.subarray(at, at + cut);
          const taken = reader.feed(chunk);
          at += taken;
          if (taken < chunk.length) break;
        }
        expect(at).toBe(HANDSHAKE_LENGTH);
        expect(encodeHandshake(reader.handshake ?? handshake)).toEqual(wire.subarray(0, 68));
      },
    ),
  );
});

test('the infohash is known before the peer id: the side that was called can answer', () => {
  const wire = encodeHandshake({
    reserved: Reserved.of('fast'),
    infoHash: new Uint8Array(20).fill(7),
    peerId: new PeerId(new Uint8Array(20)),
  });
  const reader = new HandshakeReader();
  reader.feed(wire.subarray(0, 47));
  expect(reader.infoHash).toBeUndefined();
  reader.feed(wire.subarray(47, 48));
  expect(reader.infoHash).toEqual(new Uint8Array(20).fill(7));
  expect(reader.handshake).toBeUndefined();
});

test('another protocol is refused at the first byte that differs', () => {
  const reader = new HandshakeReader();
  reader.feed(Uint8Array.of(19, 0x42));
  expect(() => reader.feed(Uint8Array.of(0x49, 0x54))).toThrow(ProtocolError);
  expect(() => new HandshakeReader().feed(Uint8Array.of(0x47))).toThrow('does not speak');
});

test('every prefix is refused, and so is one byte too many', () => {
  const wire = encodeHandshake({
    reserved: Reserved.of(),
    infoHash: new Uint8Array(20),
    peerId: new PeerId(new Uint8Array(20)),
  });
  for (let length = 0; length < wire.length; length++) {
    expect(() => decodeHandshake(wire.subarray(0, length))).toThrow(ProtocolError);
  }
  expect(() => decodeHandshake(new Uint8Array([...wire, 0]))).toThrow(ProtocolError);
});

describe('reserved bits', () => {
  test('stand where their BEPs put them', () => {
    expect(Reserved.of('extended').hex).toBe('0000000000100000');
    expect(Reserved.of('dht', 'fast').hex).toBe('0000000000000005');
    expect(Reserved.of('v2').hex).toBe('0000000000000010');
  });
  test('have names', () => {
    const reserved = new Reserved(Uint8Array.of(0, 0, 0, 0, 0, 0x10, 0, 0x05));
    expect(reserved.names).toEqual(['extended', 'dht', 'fast']);
    expect(reserved.has('v2')).toBe(false);
  });
});

test('our peer id has a prefix in Azureus style and 12 random bytes', () => {
  const random = { uint32: () => 0, bytes: (length: number) => new Uint8Array(length).fill(0xfe) };
  const id = makePeerId(random);
  expect(id.bytes).toHaveLength(20);
  expect(peerIdPrefix(id)).toMatch(/^-BP\d{4}-$/);
  expect(id.bytes.subarray(8)).toEqual(new Uint8Array(12).fill(0xfe));
});
