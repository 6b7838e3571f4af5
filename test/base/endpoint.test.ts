import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  decodeCompact,
  type Endpoint,
  encodeCompact,
  equalEndpoints,
  formatEndpoint,
  parseEndpoint,
} from '../../src/base/endpoint.ts';
import { ProtocolError } from '../../src/base/errors.ts';

const port = fc.integer({ min: 1, max: 65_535 });
const v4 = fc.record({ host: fc.ipV4(), port });

test.each([
  ['127.0.0.1:6881', { host: '127.0.0.1', port: 6881 }],
  ['[::1]:80', { host: '::1', port: 80 }],
  ['tracker.example:1', { host: 'tracker.example', port: 1 }],
])('%s', (text, endpoint) => {
  expect(parseEndpoint(text)).toEqual(endpoint);
  expect(formatEndpoint(endpoint)).toBe(text);
});

test.each([
  '',
  'host',
  'host:',
  ':80',
  'host:0',
  'host:65536',
  '::1:80',
  '[::1]',
  '[name]:80',
  'a b:1',
])('%j is no endpoint', (text) => {
  expect(parseEndpoint(text)).toBeUndefined();
});

test('compact lists, there and back', () => {
  fc.assert(
    fc.property(fc.array(v4, { maxLength: 20 }), (endpoints) => {
      const bytes = endpoints.flatMap((endpoint) => [...(encodeCompact(endpoint) ?? [])]);
      expect(decodeCompact(Uint8Array.from(bytes), 4)).toEqual(endpoints);
    }),
  );
  const v6: Endpoint = { host: '2001:db8::1', port: 6881 };
  expect(decodeCompact(encodeCompact(v6) ?? new Uint8Array(), 6)).toEqual([v6]);
});

test('a name has no compact form', () => {
  expect(encodeCompact({ host: 'tracker.example', port: 1 })).toBeUndefined();
});

test('port 0 is left out, a broken length refused (BEP 23, BEP 7)', () => {
  expect(decodeCompact(Uint8Array.of(1, 2, 3, 4, 0, 0, 5, 6, 7, 8, 0, 9), 4)).toEqual([
    { host: '5.6.7.8', port: 9 },
  ]);
  for (const length of [1, 5, 7, 11]) {
    expect(() => decodeCompact(new Uint8Array(length), 4)).toThrow(ProtocolError);
  }
  expect(() => decodeCompact(new Uint8Array(6), 6)).toThrow(ProtocolError);
});

test('equal by host and port', () => {
  expect(equalEndpoints({ host: 'a', port: 1 }, { host: 'a', port: 1 })).toBe(true);
  expect(equalEndpoints({ host: 'a', port: 1 }, { host: 'a', port: 2 })).toBe(false);
  expect(equalEndpoints({ host: 'a', port: 1 }, { host: 'b', port: 1 })).toBe(false);
});
