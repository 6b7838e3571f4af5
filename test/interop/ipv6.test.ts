/** IPv6 and nothing else, over TCP, with clients that nobody here wrote; over uTP and by trackers elsewhere. */

import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { describe, expect, test } from 'vitest';
import { Bip } from './bip.ts';
import { type Content, expectContent } from './content.ts';
import { expectComplete } from './expect-download.ts';
import { freePort } from './free-port.ts';
import { startLibtorrent } from './peers/libtorrent.ts';
import type { Peer, PeerOptions } from './peers/peer.ts';
import { startQbittorrent } from './peers/qbittorrent.ts';
import { startTransmission } from './peers/transmission.ts';
import { describeWith } from './require.ts';
import { openSwarm } from './swarm.ts';

const DONE_MS = 90_000;
/** No tracker and no DHT: who meets whom is told. */
const ALONE = [
  '--no-trackers',
  '--no-dht',
  '--host',
  '::1',
  '--transport',
  'tcp',
  '--verbose',
] as const;

const START = {
  libtorrent: startLibtorrent,
  qbittorrent: startQbittorrent,
  transmission: startTransmission,
} as const satisfies Record<string, (options: PeerOptions) => Promise<Peer>>;

const HAS_IPV6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === '::1'),
);
const CLIENTS = ['libtorrent', 'qbittorrent', 'transmission'] as const;

function content(): Content {
  return new Map([['film.bin', new Uint8Array(randomBytes(8_000_001))]]);
}

describe.runIf(HAS_IPV6).for(CLIENTS)('%s', (client) => {
  describeWith(['libtorrent', client], 'over IPv6 alone', () => {
    test('bip downloads from it', async () => {
      await using swarm = await openSwarm(content());
      await using seeder = await START[client]({
        mode: 'seed',
        torrent: swarm.torrent.path,
        dir: swarm.source,
        state: swarm.to('client'),
        host: '::1',
      });
      const dir = swarm.to('out');
      await using bip = new Bip([
        'download',
        swarm.torrent.path,
        '--peer',
        seeder.address,
        '--output',
        dir,
        ...ALONE,
      ]);
      await expectComplete(bip, swarm, { dir, deadlineMs: DONE_MS });
      expect(bip.child.log).toMatch(/connected to \[::1\]:/);
    });

    test('it downloads from bip, which calls it', async () => {
      await using swarm = await openSwarm(content());
      const out = swarm.to('out');
      await mkdir(out);
      await using leecher = await START[client]({
        mode: 'download',
        torrent: swarm.torrent.path,
        dir: out,
        state: swarm.to('client'),
        host: '::1',
      });
      const { path } = swarm.torrent;
      const port = String(await freePort());
      const where = ['--content', swarm.source, '--port', port, '--peer', leecher.address];
      await using bip = new Bip(['seed', path, ...where, ...ALONE]);
      await leecher.completed(DONE_MS);
      await expectContent(out, swarm.content);
      expect(bip.child.log).toMatch(/connected to \[::1\]:/);
    });
  });
});
