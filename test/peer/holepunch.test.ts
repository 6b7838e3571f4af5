import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ProtocolError } from '../../src/base/errors.ts';
import { formatIp } from '../../src/base/ip.ts';
import {
  decodeHolepunch,
  encodeHolepunch,
  HOLEPUNCH_ERROR,
  type HolepunchMessage,
} from '../../src/peer/index.ts';

const V4 = { host: '192.0.2.1', port: 6881 };
const V6 = { host: '2001:db8::1', port: 258 };

const endpoints = fc
  .tuple(
    fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
    ),
    fc.integer({ min: 0, max: 65_535 }),
  )
  .map(([ip, port]) => ({ host: formatIp(ip), port }));
const messages: fc.Arbitrary<HolepunchMessage> = fc.oneof(
  endpoints.map((endpoint) => ({ type: 'rendezvous', endpoint }) as const),
  endpoints.map((endpoint) => ({ type: 'connect', endpoint }) as const),
  fc
    .tuple(endpoints, fc.integer({ min: 0, max: 0xffff_ffff }))
    .map(([endpoint, code]) => ({ type: 'error', endpoint, code }) as const),
);

test('the bytes of BEP 55', () => {
  expect(encodeHolepunch({ type: 'rendezvous', endpoint: V4 })).toEqual(
    Uint8Array.of(0, 0, 192, 0, 2, 1, 0x1a, 0xe1, 0, 0, 0, 0),
  );
  expect(encodeHolepunch({ type: 'error', endpoint: V6, code: HOLEPUNCH_ERROR.noSelf })).toEqual(
    Uint8Array.of(2, 1, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 0, 0, 0, 4),
  );
});

test('what is encoded is decoded, without the code too where it is no error', () => {
  fc.assert(
    fc.property(messages, (message) => {
      const bytes = encodeHolepunch(message);
      expect(decodeHolepunch(bytes)).toEqual(message);
      if (message.type !== 'error') expect(decodeHolepunch(bytes.subarray(0, -4))).toEqual(message);
    }),
  );
});

test('every other prefix, and what is too long, is refused', () => {
  fc.assert(
    fc.property(messages, (message) => {
      const bytes = encodeHolepunch(message);
      for (let length = 0; length < bytes.length; length++) {
        if (message.type !== 'error' && length === bytes.length - 4) continue;
        expect(() => decodeHolepunch(bytes.subarray(0, length))).toThrow(ProtocolError);
      }
      const longer = new Uint8Array(bytes.length + 1);
      longer.set(bytes);
      expect(() => decodeHolepunch(longer)).toThrow(ProtocolError);
    }),
    { numRuns: 50 },
  );
});

test('an unknown family is refused, an unknown type passed over', () => {
  const bytes = encodeHolepunch({ type: 'connect', endpoint: V4 });
  expect(() => decodeHolepunch(bytes.with(1, 2))).toThrow(ProtocolError);
  expect(decodeHolepunch(bytes.with(0, 3))).toBeUndefined();
});

test('arbitrary bytes give a message, nothing, or a ProtocolError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 30 }), (payload) => {
      try {
        decodeHolepunch(payload);
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError);
      }
    }),
    { numRuns: 500 },
  );
});
