import { describe, expect, test } from 'vitest';
import { doorsOf, scopesOf } from '../../src/lpd/doors.ts';
import type { InterfaceAddress } from '../../src/runtime/ports.ts';

const at = (name: string, address: string, isLoopback = false): InterfaceAddress => ({
  interface: name,
  address,
  isLoopback,
});
const LOOPBACK = [at('lo', '127.0.0.1', true), at('lo', '::1', true)];
const MACHINE = [
  ...LOOPBACK,
  at('eth0', 'fe80::1%eth0'),
  at('eth0', '192.168.1.7'),
  at('eth0', '2001:db8::7'),
  at('eth0', 'fd00::7'),
  at('wlan0', '10.0.0.7'),
  at('wlan0', 'fe80::2%wlan0'),
];

const words = (...parameters: Parameters<typeof doorsOf>): readonly string[] =>
  doorsOf(...parameters).map((door) => `${door.interface} ${door.address}`);

describe('doors', () => {
  test('are all interfaces that lead to others, each family once, link-local where there is nothing else', () => {
    expect(words(MACHINE, {})).toEqual([
      'eth0 192.168.1.7',
      'eth0 2001:db8::7',
      'wlan0 10.0.0.7',
      'wlan0 fe80::2%wlan0',
    ]);
  });

  test('are loopback where there is no network', () => {
    expect(words(LOOPBACK, {})).toEqual(['lo 127.0.0.1', 'lo ::1']);
    expect(words([], {})).toEqual([]);
  });

  test.each<[string, Parameters<typeof doorsOf>[1], readonly string[]]>([
    ['a family', { families: [4] }, ['eth0 192.168.1.7', 'wlan0 10.0.0.7']],
    ['interfaces', { interfaces: ['wlan0', 'wlan0'] }, ['wlan0 10.0.0.7', 'wlan0 fe80::2%wlan0']],
    ['an address', { address: '10.0.0.7' }, ['wlan0 10.0.0.7']],
    ['an address of IPv6', { address: 'fd00::7' }, ['eth0 fd00::7']],
    ['a link-local address', { address: 'fe80::2%wlan0' }, ['wlan0 fe80::2%wlan0']],
    ['loopback', { address: '127.0.0.1' }, ['lo 127.0.0.1']],
    ['loopback that is not listed', { address: '127.0.0.44' }, ['lo 127.0.0.44']],
    ['all of IPv4', { address: '0.0.0.0' }, ['eth0 192.168.1.7', 'wlan0 10.0.0.7']],
  ])('may be those of %s', (_, options, expected) => {
    expect(words(MACHINE, options)).toEqual(expected);
  });

  test.each([
    [{ address: '10.0.0.8' }, 'this machine has no address 10.0.0.8'],
    [{ interfaces: ['eth9'] }, 'this machine has no interface eth9'],
  ])('cannot be what is not there: %j', (options, message) => {
    expect(() => doorsOf(MACHINE, options)).toThrow(message);
  });
});

describe('addresses that are believed', () => {
  const scopes = (options: Parameters<typeof doorsOf>[1], own = MACHINE): readonly string[][] => {
    const found = scopesOf(own, doorsOf(own, options));
    return [[...found[4]].toSorted(), [...found[6]].toSorted()];
  };

  test('are as near as our own ones', () => {
    expect(scopes({})).toEqual([['local'], ['global', 'local']]);
    expect(scopes({ interfaces: ['wlan0'] })).toEqual([['local'], ['local']]);
    expect(scopes({}, [...MACHINE, at('ppp0', '8.8.8.8')])[0]).toEqual(['global', 'local']);
  });

  test('are of this machine where we keep to it, and nowhere else', () => {
    expect(scopes({ address: '127.0.0.1' })).toEqual([['loopback'], []]);
    // An address that others know, on loopback (a network of tests).
    const island = [...LOOPBACK, at('lo', '10.99.0.1', true)];
    expect(scopes({ address: '10.99.0.1' }, island)).toEqual([['local'], []]);
  });
});
