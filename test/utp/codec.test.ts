import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../src/base/errors.ts';
import {
  encodeHeader,
  encodePadding,
  encodeSack,
  HEADER_LENGTH,
  looksLikeUtp,
  MAX_SACK_BYTES,
  PACKET,
  type PacketHeader,
  PacketReader,
  setSackBit,
} from '../../src/utp/codec.ts';

const uint16 = fc.integer({ min: 0, max: 0xffff });
const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const headers = fc.record({
  type: fc.constantFrom(...Object.values(PACKET)),
  connectionId: uint16,
  timestamp: uint32,
  timestampDifference: uint32,
  window: uint32,
  sequence: uint16,
  ack: uint16,
});

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function read(bytes: Uint8Array): PacketReader {
  const reader = new PacketReader();
  reader.read(bytes);
  return reader;
}

function headerOf(reader: PacketReader): PacketHeader {
  const { type, connectionId, timestamp, timestampDifference, window, sequence, ack } = reader;
  return { type, connectionId, timestamp, timestampDifference, window, sequence, ack };
}

function encoded(header: PacketHeader, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER_LENGTH + payload.length);
  encodeHeader(bytes, header);
  bytes.set(payload, HEADER_LENGTH);
  return bytes;
}

describe('headers', () => {
  test('a call as the BEP draws it', () => {
    const bytes = new Uint8Array(HEADER_LENGTH);
    encodeHeader(bytes, {
      type: PACKET.syn,
      connectionId: 0x1234,
      timestamp: 0xdeadbeef,
      timestampDifference: 0,
      window: 0x0010_0000,
      sequence: 1,
      ack: 0,
    });
    expect(hex(bytes)).toBe('41001234deadbeef000000000010000000010000');
  });

  test('come back as they went', () => {
    fc.assert(
      fc.property(headers, fc.uint8Array({ maxLength: 100 }), (header, payload) => {
        const bytes = encoded(header, payload);
        const reader = read(bytes);
        expect(headerOf(reader)).toEqual(header);
        expect(bytes.subarray(reader.payloadStart)).toEqual(payload);
        expect(reader.sackLength).toBe(0);
        expect(looksLikeUtp(bytes)).toBe(true);
      }),
    );
  });

  test('every prefix that is too short is refused', () => {
    const bytes = encoded(
      { ...headerOf(new PacketReader()), type: PACKET.data },
      new Uint8Array(0),
    );
    for (let length = 0; length < HEADER_LENGTH; length++) {
      expect(() => read(bytes.subarray(0, length))).toThrow(ProtocolError);
      expect(looksLikeUtp(bytes.subarray(0, length))).toBe(false);
    }
  });

  test.for([
    { what: 'version 0', first: 0x00 },
    { what: 'version 2', first: 0x02 },
    { what: 'a type that does not exist', first: 0x51 },
    { what: 'a message of the DHT', first: 0x64 },
  ])('$what is refused', ({ first }) => {
    const bytes = new Uint8Array(HEADER_LENGTH);
    bytes[0] = first;
    expect(new PacketReader().tryRead(bytes)).toBeTypeOf('string');
    expect(looksLikeUtp(bytes)).toBe(false);
  });

  test('arbitrary bytes are read or refused, and read within their bounds', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        const reader = new PacketReader();
        if (reader.tryRead(bytes) !== undefined) return;
        expect(reader.payloadStart).toBeLessThanOrEqual(bytes.length);
        expect(reader.sackStart + reader.sackLength).toBeLessThanOrEqual(bytes.length);
      }),
    );
  });
});

describe('selective acks', () => {
  test('the bits lie as the BEP draws them', () => {
    const bytes = new Uint8Array(HEADER_LENGTH + 6);
    encodeHeader(bytes, { ...headerOf(new PacketReader()), type: PACKET.state });
    expect(encodeSack(bytes, 4)).toBe(26);
    for (const index of [0, 7, 8, 31]) setSackBit(bytes, index);
    expect(hex(bytes.subarray(HEADER_LENGTH))).toBe('000481010080');
    expect(bytes[1]).toBe(1);
  });

  test('every set of bits comes back', () => {
    const words = fc.integer({ min: 1, max: MAX_SACK_BYTES / 4 });
    const sacks = words.chain((count) =>
      fc.record({
        length: fc.constant(4 * count),
        bits: fc.uniqueArray(fc.integer({ min: 0, max: 32 * count - 1 })),
      }),
    );
    fc.assert(
      fc.property(headers, sacks, (header, { length, bits }) => {
        const bytes = new Uint8Array(HEADER_LENGTH + 2 + length);
        encodeHeader(bytes, header);
        encodeSack(bytes, length);
        for (const bit of bits) setSackBit(bytes, bit);
        const reader = read(bytes);
        expect(reader.sackLength).toBe(length);
        const found = Array.from({ length: 8 * length }, (_, bit) => bit).filter((bit) => {
          const byte = bytes[reader.sackStart + (bit >>> 3)] ?? 0;
          return ((byte >>> (bit & 7)) & 1) === 1;
        });
        expect(found).toEqual(bits.toSorted((a, b) => a - b));
      }),
    );
  });

  test('of one byte, as libtorrent sends them, are read', () => {
    const reader = read(
      Uint8Array.from([...new Uint8Array(20), 0, 1, 0x05])
        .with(0, 0x21)
        .with(1, 1),
    );
    expect([reader.sackStart, reader.sackLength, reader.payloadStart]).toEqual([22, 1, 23]);
  });

  test('every prefix within the extension is refused', () => {
    const bytes = new Uint8Array(HEADER_LENGTH + 6);
    encodeHeader(bytes, { ...headerOf(new PacketReader()), type: PACKET.state });
    encodeSack(bytes, 4);
    for (let length = HEADER_LENGTH; length < bytes.length; length++) {
      expect(new PacketReader().tryRead(bytes.subarray(0, length))).toBe('an extension is cut off');
    }
  });
});

describe('padding', () => {
  test('of any length is skipped, and the payload is behind it', () => {
    fc.assert(
      fc.property(
        headers,
        fc.integer({ min: 2, max: 17_000 }),
        fc.uint8Array({ maxLength: 40 }),
        (header, padding, payload) => {
          const bytes = new Uint8Array(HEADER_LENGTH + padding + payload.length);
          encodeHeader(bytes, header);
          encodePadding(bytes, padding);
          bytes.set(payload, HEADER_LENGTH + padding);
          const reader = read(bytes);
          expect(reader.payloadStart).toBe(HEADER_LENGTH + padding);
          expect(headerOf(reader)).toEqual(header);
        },
      ),
    );
  });

  test.for([2, 3, 256, 257, 258, 259, 260, 514, 515])('of %d bytes', (padding) => {
    const bytes = new Uint8Array(HEADER_LENGTH + padding);
    encodeHeader(bytes, { ...headerOf(new PacketReader()), type: PACKET.data });
    encodePadding(bytes, padding);
    expect(read(bytes).payloadStart).toBe(bytes.length);
  });

  test('unknown extensions around a selective ack are skipped', () => {
    // Of type 2 (two bytes), then the selective ack, then of type 0x70 (one byte).
    const extensions = [1, 2, 9, 9, 0x70, 4, 1, 2, 3, 4, 0, 1, 0xff];
    const bytes = Uint8Array.from([...new Uint8Array(20), ...extensions])
      .with(0, 0x21)
      .with(1, 2);
    const reader = read(bytes);
    expect([reader.sackStart, reader.sackLength]).toEqual([26, 4]);
    expect(reader.payloadStart).toBe(bytes.length);
  });
});
