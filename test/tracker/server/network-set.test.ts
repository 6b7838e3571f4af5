import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatIp, parseIp } from '../../../src/base/ip.ts';
import { type AddressNetwork, parseNetwork } from '../../../src/base/ip-network.ts';
import { NetworkSet } from '../../../src/tracker/server/network-set.ts';

function network(text: string): AddressNetwork {
  const found = parseNetwork(text);
  if (found === undefined) throw new Error(`no network: ${text}`);
  return found;
}

function setOf(...texts: readonly string[]): NetworkSet {
  return NetworkSet.of(texts.map(network));
}

function has(set: NetworkSet, address: string): boolean {
  const bytes = parseIp(address);
  if (bytes === undefined) throw new Error(`no address: ${address}`);
  return set.has(bytes);
}

function bits(address: Uint8Array): string {
  return [...address].map((byte) => byte.toString(2).padStart(8, '0')).join('');
}

/** Few different bytes, so that networks meet. */
const addresses = fc.oneof(
  fc.uint8Array({ minLength: 4, maxLength: 4, max: 3 }),
  fc.uint8Array({ minLength: 4, maxLength: 4 }),
  fc.uint8Array({ minLength: 16, maxLength: 16, max: 1 }),
);
const networks = addresses.chain((address) =>
  fc.nat(8 * address.length).map((length) => ({ address, length })),
);

describe('parsing', () => {
  test.each([
    ['10.0.0.0/8', '10.0.0.0', 8],
    ['10.1.2.3/8', '10.0.0.0', 8],
    ['192.0.2.77', '192.0.2.77', 32],
    ['192.0.2.129/25', '192.0.2.128', 25],
    ['0.0.0.0/0', '0.0.0.0', 0],
    ['2001:db8::/32', '2001:db8::', 32],
    ['2001:db8:ffff::1', '2001:db8:ffff::1', 128],
    ['::/0', '::', 0],
    ['::ffff:10.0.0.0/104', '10.0.0.0', 8],
    ['::ffff:192.0.2.1', '192.0.2.1', 32],
  ])('%s', (text, address, prefixLength) => {
    const found = network(text);
    expect([formatIp(found.address), found.prefixLength]).toEqual([address, prefixLength]);
  });

  test.each([
    '',
    '/8',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '10.0.0/8',
    '10.0.0.0/0x8',
    '10.0.0.0 /8',
    '::/129',
    'localhost',
    'example.org/24',
    'fe80::1%eth0/64',
  ])('%j is none', (text) => {
    expect(parseNetwork(text)).toBeUndefined();
  });
});

describe('membership', () => {
  test('is that of any of the networks, as their bits say', () => {
    fc.assert(
      fc.property(fc.array(networks, { maxLength: 30 }), fc.array(addresses), (list, others) => {
        const set = setOf(...list.map(({ address, length }) => `${formatIp(address)}/${length}`));
        for (const address of [...others, ...list.map((one) => one.address)]) {
          const expected = list.some(
            (one) =>
              one.address.length === address.length &&
              bits(one.address).slice(0, one.length) === bits(address).slice(0, one.length),
          );
          expect(set.has(address)).toBe(expected);
        }
      }),
    );
  });

  test('its first and last address, and their neighbours', () => {
    const set = setOf('192.0.2.0/24', '2001:db8::/32');
    expect(
      ['192.0.1.255', '192.0.2.0', '192.0.2.255', '192.0.3.0'].map((one) => has(set, one)),
    ).toEqual([false, true, true, false]);
    expect(
      [
        '2001:db7:ffff:ffff:ffff:ffff:ffff:ffff',
        '2001:db8::',
        '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff',
        '2001:db9::',
      ].map((one) => has(set, one)),
    ).toEqual([false, true, true, false]);
  });

  test('families are apart', () => {
    expect(has(setOf('0.0.0.0/0'), '::1')).toBe(false);
    expect(has(setOf('::/0'), '127.0.0.1')).toBe(false);
  });

  test('networks within others take no room', () => {
    const set = setOf('10.0.0.0/8', '10.1.0.0/16', '10.0.0.0/8', '10.255.255.255', '11.0.0.0/8');
    expect(set.size).toBe(2);
  });

  test('another thread gets the same set', () => {
    const set = setOf('10.0.0.0/8', '2001:db8::/32');
    const copy = NetworkSet.attach(structuredClone(set.handle));
    expect([has(copy, '10.2.3.4'), has(copy, '2001:db8::1'), has(copy, '11.0.0.1')]).toEqual([
      true,
      true,
      false,
    ]);
    expect(copy.size).toBe(2);
  });

  test('an empty set is empty', () => {
    expect(has(setOf(), '10.0.0.1')).toBe(false);
    expect(setOf().size).toBe(0);
  });
});
