import { expect, test } from 'vitest';
import { ipScope } from '../../src/base/ip-scope.ts';

test.each([
  ['127.0.0.1', 'loopback'],
  ['127.255.255.254', 'loopback'],
  ['0.0.0.0', 'loopback'],
  ['::1', 'loopback'],
  ['::', 'loopback'],
  ['::ffff:127.0.0.1', 'loopback'],
  ['10.1.2.3', 'local'],
  ['172.16.0.1', 'local'],
  ['172.31.255.255', 'local'],
  ['172.15.255.255', 'global'],
  ['172.32.0.0', 'global'],
  ['192.168.1.1', 'local'],
  ['192.167.1.1', 'global'],
  ['100.64.0.1', 'local'],
  ['100.127.255.255', 'local'],
  ['100.128.0.1', 'global'],
  ['169.254.169.254', 'local'],
  ['224.0.0.251', 'local'],
  ['255.255.255.255', 'local'],
  ['fc00::1', 'local'],
  ['fdff::1', 'local'],
  ['fe80::1', 'local'],
  ['fec0::1', 'local'],
  ['ff02::1', 'local'],
  ['::ffff:10.0.0.1', 'local'],
  ['64:ff9b::a00:1', 'local'],
  ['64:ff9b::808:808', 'global'],
  ['8.8.8.8', 'global'],
  ['223.255.255.255', 'global'],
  ['2001:db8::1', 'global'],
] as const)('%s is %s', (address, scope) => {
  expect(ipScope(address)).toBe(scope);
});

test('a name has no scope', () => {
  expect(ipScope('localhost')).toBeUndefined();
});
