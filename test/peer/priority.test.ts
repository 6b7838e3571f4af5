import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatIp } from '../../src/base/ip.ts';
import { peerPriority } from '../../src/peer/index.ts';

const ALL = 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff';

test.each([
  // BEP 40 "Examples".
  ['123.213.32.10', '98.76.54.32', 0xec2d7224],
  ['123.213.32.10', '123.213.32.234', 0x99568189],
  // libtorrent test_peer_priority.cpp: the same /24, /16, and none in common.
  ['230.12.123.1', '230.12.123.3', 0x99c54d79],
  ['230.12.23.1', '230.12.123.3', 0x21fd5f80],
  ['230.120.23.1', '230.12.123.3', 0xfa9a860e],
  // anacrolix/torrent.
  ['206.248.98.111', '142.147.89.224', 0x2b41d456],
  // libtorrent's of IPv6.
  [ALL, ALL.replace(/:ffff/, ':0fff'), 0x59d71f38],
  [ALL, ALL.replace(/(ffff:ffff):ffff/, '$1:0fff'), 0x081d5282],
  [ALL, ALL.replace(/(ffff:ffff):ffff/, '$1:ff0f'), 0xc5f972be],
  [ALL, ALL.replace(/(ffff:ffff:ffff):ffff/, '$1:0fff'), 0x9ff50bd0],
])('the priority of %s and %s', (a, b, priority) => {
  expect(peerPriority({ host: a, port: 0x4d2 }, { host: b, port: 0x12c })).toBe(priority);
});

test.each(['230.12.123.3', ALL])('between equal addresses the ports count: %s', (host) => {
  expect(peerPriority({ host, port: 0x4d2 }, { host, port: 0x12c })).toBe(0xae8b7034);
});

test('both sides come to the same', () => {
  const ips = fc
    .constantFrom(4, 16)
    .chain((length) =>
      fc.tuple(
        fc.uint8Array({ minLength: length, maxLength: length }),
        fc.uint8Array({ minLength: length, maxLength: length }),
        fc.nat(length),
      ),
    )
    // Addresses with a common beginning, as neighbours have.
    .map(([a, b, shared]) => [a, Uint8Array.of(...a.subarray(0, shared), ...b.subarray(shared))]);
  fc.assert(
    fc.property(ips, fc.nat(65_535), fc.nat(65_535), ([a, b], portA, portB) => {
      const one = { host: formatIp(a ?? new Uint8Array(4)), port: portA };
      const other = { host: formatIp(b ?? new Uint8Array(4)), port: portB };
      expect(peerPriority(one, other)).toBe(peerPriority(other, one));
    }),
  );
});

test('who changes the last bits of an address within a network gains little', () => {
  const us = { host: '203.0.113.9', port: 6881 };
  const priorities = new Set(
    Array.from({ length: 65_536 }, (_, at) =>
      peerPriority(us, { host: `198.51.${at >> 8}.${at & 255}`, port: 1 }),
    ),
  );
  // The mask leaves four bits of each of the last two bytes.
  expect(priorities.size).toBe(256);
});

test('there is none between families, nor for names', () => {
  const four = { host: '192.0.2.1', port: 1 };
  expect(peerPriority(four, { host: '2001:db8::1', port: 1 })).toBeUndefined();
  expect(peerPriority(four, { host: 'example.org', port: 1 })).toBeUndefined();
});
