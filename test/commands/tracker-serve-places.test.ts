/** Where a tracker says that it is. */

import { expect, test } from 'vitest';
import { reachableUrls } from '../../commands/cli/places.ts';

const ALL = [
  'http://0.0.0.0:6969/announce',
  'udp://0.0.0.0:6969/announce',
  'http://[::]:6969/announce',
  'udp://[::]:6969/announce',
];

test('all addresses are each of those that the machine has', () => {
  expect(reachableUrls(ALL, ['192.0.2.1', '2001:db8::1', '192.0.2.2'])).toEqual([
    'http://192.0.2.1:6969/announce',
    'http://192.0.2.2:6969/announce',
    'udp://192.0.2.1:6969/announce',
    'udp://192.0.2.2:6969/announce',
    'http://[2001:db8::1]:6969/announce',
    'udp://[2001:db8::1]:6969/announce',
  ]);
});

test('a family that the machine has no address of is left out', () => {
  expect(reachableUrls(ALL, ['2001:db8::1'])).toEqual([
    'http://[2001:db8::1]:6969/announce',
    'udp://[2001:db8::1]:6969/announce',
  ]);
});

test('a machine without a network is there for itself', () => {
  expect(reachableUrls(ALL, [])).toEqual([
    'http://localhost:6969/announce',
    'udp://localhost:6969/announce',
  ]);
});

test('an address that was chosen stays; so does port 80', () => {
  const urls = ['http://127.0.0.1:6969/announce', 'udp://[2001:db8::5]:6969/announce'];
  expect(reachableUrls(urls, ['192.0.2.1'])).toEqual(urls);
  expect(reachableUrls(['http://0.0.0.0:80/', 'http://[::]:80/'], ['2001:db8::1'])).toEqual([
    'http://[2001:db8::1]/',
  ]);
  expect(reachableUrls(['udp://0.0.0.0:80/'], ['192.0.2.1'])).toEqual(['udp://192.0.2.1:80/']);
});
