import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes } from '../../src/base/bytes.ts';
import {
  COMPACT_LENGTH,
  decodeCompact,
  encodeCompact,
  equalEndpoints,
  formatEndpoint,
  parseEndpoint,
} from '../../src/base/endpoint.ts';
import { ProtocolError } from '../../src/base/errors.ts';
import { formatIp } from '../../src/base/ip.ts';

const port = fc.integer({ min: 1, max: 65_535 });
const endpointOf = (family: 4 | 6): fc.Arbitrary<{ host: string; port: number }> => {
  const length = family === 4 ? 4 : 16;
  const host = fc.uint8Array({ minLength: length, maxLength: length }).map(formatIp);
  return fc.record({ host, port });
};

test('text round trip', () => {
  const any = fc.oneof(endpointOf(4), endpointOf(6), fc.record({ host: fc.domain(), port }));
  fc.assert(
    fc.property(any, (endpoint) => {
      const again = parseEndpoint(formatEndpoint(endpoint));
      expect(again).toEqual(endpoint);
      expect(again !== undefined && equalEndpoints(again, endpoint)).toBe(true);
    }),
  );
});

test.each([
  '',
  '1.2.3.4',
  ':80',
  '1.2.3.4:',
  '1.2.3.4:0',
  '1.2.3.4:65536',
  '1.2.3.4:-1',
  '1.2.3.4:8o',
  '1.2.3.4:123456',
  '::1:80',
  '[::1]',
  '[::1]:0',
  '[1.2.3.4]:80',
  '[tracker.example]:80',
  '[::1]x:80',
  'a b:80',
  'user@host:80',
  'http://host:80',
  'host:80/path',
])('%j is no endpoint', (text) => {
  expect(parseEndpoint(text)).toBeUndefined();
});

describe('the compact forms of BEP 23 and BEP 7', () => {
  test('known bytes', () => {
    expect(encodeCompact({ host: '10.0.0.1', port: 0x1ae1 })).toEqual(
      Uint8Array.of(10, 0, 0, 1, 0x1a, 0xe1),
    );
    expect(encodeCompact({ host: '::1', port: 80 })?.length).toBe(18);
    expect(encodeCompact({ host: 'tracker.example', port: 80 })).toBeUndefined();
  });

  test.each([4, 6] as const)('lists of IPv%d round trip', (family) => {
    fc.assert(
      fc.property(fc.array(endpointOf(family)), (endpoints) => {
        const entries = endpoints.map((endpoint) => encodeCompact(endpoint) ?? new Uint8Array(0));
        expect(entries.every(({ length }) => length === COMPACT_LENGTH[family])).toBe(true);
        expect(decodeCompact(concatBytes(...entries), family)).toEqual(endpoints);
      }),
    );
  });

  test.each([4, 6] as const)('any bytes: endpoints or a ProtocolError, IPv%d', (family) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        if (bytes.length % COMPACT_LENGTH[family] !== 0) {
          expect(() => decodeCompact(bytes, family)).toThrow(ProtocolError);
          return;
        }
        const endpoints = decodeCompact(bytes, family);
        expect(endpoints.length).toBeLessThanOrEqual(bytes.length / COMPACT_LENGTH[family]);
        expect(endpoints.every((endpoint) => endpoint.port > 0)).toBe(true);
      }),
    );
  });

  test('every cut of a list is refused, with rule and offset', () => {
    const list = new Uint8Array(12).fill(1);
    for (const length of [1, 5, 7, 11]) {
      expect(() => decodeCompact(list.subarray(0, length), 4)).toThrow(
        expect.objectContaining({ rule: 'BEP 23 compact peers', offset: length }),
      );
    }
    expect(() => decodeCompact(list, 6)).toThrow(expect.objectContaining({ rule: 'BEP 7 peers6' }));
  });

  test('port 0 is left out', () => {
    const bytes = Uint8Array.of(1, 2, 3, 4, 0, 0, 5, 6, 7, 8, 0, 1);
    expect(decodeCompact(bytes, 4)).toEqual([{ host: '5.6.7.8', port: 1 }]);
  });
});
