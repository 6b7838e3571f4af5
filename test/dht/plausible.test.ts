import { describe, expect, test } from 'vitest';
import { parseIp } from '../../src/base/ip.ts';
import { isPlausible, mayName } from '../../src/dht/plausible.ts';

function ip(text: string): Uint8Array {
  const bytes = parseIp(text);
  if (bytes === undefined) throw new Error(`no address: ${text}`);
  return bytes;
}

describe('an address that a node can have', () => {
  test.each([
    '8.8.8.8',
    '127.0.0.1',
    '10.0.0.1',
    '223.255.255.255',
    '::1',
    '2001:db8::1',
    'fe80::1',
  ])('%s', (host) => {
    expect(isPlausible(ip(host), 6881)).toBe(true);
    expect(isPlausible(ip(host), 0)).toBe(false);
    expect(isPlausible(ip(host), 65_536)).toBe(false);
    expect(isPlausible(ip(host), 65_535)).toBe(true);
  });

  test.each([
    '0.0.0.0',
    '0.1.2.3',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    'ff02::1',
    '::ffff:8.8.8.8',
  ])('not %s', (host) => {
    expect(isPlausible(ip(host), 6881)).toBe(false);
  });
});

describe('a node may name others that are as far away as it', () => {
  const at = (host: string): { host: string; port: number } => ({ host, port: 1 });
  test.each([
    ['8.8.8.8', '9.9.9.9', true],
    ['8.8.8.8', '192.168.1.1', false],
    ['8.8.8.8', '127.0.0.1', false],
    ['192.168.1.1', '8.8.8.8', true],
    ['192.168.1.1', '192.168.1.2', true],
    ['192.168.1.1', '127.0.0.1', false],
    ['127.0.0.1', '127.0.0.2', true],
    ['127.0.0.1', '10.0.0.1', true],
    ['2001:db8::1', 'fe80::1', false],
    ['2001:db8::1', '::1', false],
    ['::1', '2001:db8::1', true],
  ])('%s names %s: %s', (from, named, expected) => {
    expect(mayName(at(from), at(named))).toBe(expected);
  });
});
