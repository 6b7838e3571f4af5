/** IPv6 and nothing else, over TCP, with clients that nobody here wrote; over uTP and by trackers elsewhere. */

import { randomBytes } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import { describe } from 'vitest';
import { CLIENTS, testBothWays } from './both-ways.ts';
import type { Content } from './content.ts';
import { describeWith } from './require.ts';

const HAS_IPV6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === '::1'),
);

function content(): Content {
  return new Map([['film.bin', new Uint8Array(randomBytes(8_000_001))]]);
}

describe.runIf(HAS_IPV6).for(CLIENTS)('%s', (client) => {
  describeWith(['libtorrent', client], 'over IPv6 alone', () => {
    testBothWays({
      ...{ client, content, peer: { host: '::1' } },
      flags: [
        ...['--no-trackers', '--no-dht', '--host', '::1'],
        ...['--transport', 'tcp', '--verbose'],
      ],
      note: /connected to \[::1\]:/,
    });
  });
});
