import { expect, test } from 'vitest';
import { ExternalAddress } from '../../src/dht/external-address.ts';

test('four networks that agree give an address', () => {
  const external = new ExternalAddress();
  const changes = [1, 2, 3, 4, 5].map((at) => external.vote(`192.0.${at}.1`, '203.0.113.7'));
  expect(changes).toEqual([false, false, false, true, false]);
  expect(external.host).toBe('203.0.113.7');
});

test('a network has one vote, however many addresses it has', () => {
  const external = new ExternalAddress();
  for (let at = 1; at < 250; at++) external.vote(`192.0.2.${at}`, '203.0.113.66');
  for (let at = 1; at < 250; at++) external.vote(`2001:db8::${at}`, '203.0.113.66');
  expect(external.host).toBeUndefined();
});

test('a few liars do not outvote the others', () => {
  const external = new ExternalAddress();
  for (let at = 0; at < 10; at++) external.vote(`192.0.${at}.1`, '203.0.113.7');
  for (let at = 0; at < 9; at++) external.vote(`198.51.${at}.1`, '203.0.113.66');
  expect(external.host).toBe('203.0.113.7');
});

test('a new address wins when most of the latest votes are for it', () => {
  const external = new ExternalAddress();
  for (let at = 0; at < 24; at++) external.vote(`192.0.${at}.1`, '203.0.113.7');
  const changes = Array.from({ length: 24 }, (_, at) =>
    external.vote(`198.51.${at}.1`, '203.0.113.8'),
  );
  expect(changes.indexOf(true)).toBe(12);
  expect(changes.filter(Boolean)).toHaveLength(1);
  expect(external.host).toBe('203.0.113.8');
});

test('who changes its mind is counted once', () => {
  const external = new ExternalAddress();
  for (let round = 0; round < 10; round++) {
    for (const at of [1, 2, 3]) external.vote(`192.0.${at}.1`, `203.0.113.${round}`);
  }
  expect(external.host).toBeUndefined();
});
