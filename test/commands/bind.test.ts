/** `--bind`: an address of this machine, or an interface that has one. */

import { describe, expect, test } from 'vitest';
import { boundAddress } from '../../commands/cli/bind.ts';
import type { Lookup } from '../../src/runtime/ports.ts';
import { bip, runBipOnDisk } from './harness.ts';
import { serveOnLoopback } from './loopback-tracker.ts';

const HASH = 'c0fda1edafdbdbb96443424e0b3899af7159d10e';

function lookupOf(interfaces: Readonly<Record<string, readonly string[]>>): Lookup {
  return {
    addresses: async (host) => [host],
    texts: async () => [],
    localAddresses: () => [],
    interfaces: () =>
      Object.entries(interfaces).flatMap(([name, addresses]) =>
        addresses.map((address) => ({ interface: name, address, isLoopback: false })),
      ),
  };
}

describe('which address is meant', () => {
  const lookup = lookupOf({
    tun0: ['2001:db8::7', '10.8.0.2', '10.8.0.3'],
    six: ['2001:db8::8'],
    down: ['fe80::1%down'],
  });

  test.each([
    [undefined, undefined],
    ['10.0.0.1', '10.0.0.1'],
    ['::1', '::1'],
    ['tun0', '10.8.0.2'],
    ['six', '2001:db8::8'],
  ])('%s', (bind, address) => {
    expect(boundAddress(lookup, bind === undefined ? {} : { bind })).toBe(address);
  });

  test('with -6 that of IPv6', () => {
    expect(boundAddress(lookup, { bind: 'tun0', ipv6: true })).toBe('2001:db8::7');
  });

  test.each([
    ['wlan9', 'no interface of this machine has that name; there are: tun0, six, down'],
    ['down', 'the interface down has no address to send from'],
  ])('%s is refused', (bind, reason) => {
    expect(() => boundAddress(lookup, { bind })).toThrow(reason);
  });

  test('an interface without IPv6 is refused with -6', () => {
    const four = lookupOf({ eth0: ['10.0.0.1'] });
    expect(() => boundAddress(four, { bind: 'eth0', ipv6: true })).toThrow('has no IPv6 address');
  });
});

test.each([
  ['download', 'x.torrent'],
  ['seed', 'x.torrent'],
  ['magnet', 'fetch', HASH],
  ['dht', 'lookup', HASH],
  ['tracker', 'announce', 'udp://10.0.0.9:1', HASH],
  ['tracker', 'scrape', 'udp://10.0.0.9:1', HASH],
])('%s %s takes it, and refuses what is none', async (...argv) => {
  const { code, stderr } = await bip(...argv, '--bind', 'wlan9');
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr:
      'error: --bind: `wlan9` is no IP address, and no interface of this machine has that name; there are: lo, eth0\n',
  });
});

test.skipIf(process.platform !== 'linux')(
  'trackers are asked from there, over UDP and HTTP',
  async () => {
    await using tracker = await serveOnLoopback();
    for (const url of [tracker.udpUrl, tracker.httpUrl]) {
      const argv = ['tracker', 'announce', url, HASH, '--no-stop', '--bind', '127.0.0.7'];
      expect(await runBipOnDisk({ argv: () => argv })).toMatchObject({ code: 0, stderr: '' });
    }
    const heard = tracker.tiny.heard.map(({ over, from }) => [over, from.host]);
    expect(heard).toEqual([
      ['udp', '127.0.0.7'],
      ['http', '127.0.0.7'],
    ]);
    const argv = ['tracker', 'announce', tracker.httpUrl, HASH, '--bind', 'lo'];
    expect(await runBipOnDisk({ argv: () => argv })).toMatchObject({ code: 0 });
  },
);
