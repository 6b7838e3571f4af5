/** uTP and nothing else, with clients that nobody here wrote. */

import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { Bip } from './bip.ts';
import { CLIENTS, testBothWays } from './both-ways.ts';
import { type Content, expectContent } from './content.ts';
import { expectComplete } from './expect-download.ts';
import { freePort } from './free-port.ts';
import { startLibtorrent } from './peers/libtorrent.ts';
import { describeWith } from './require.ts';
import { openSwarm } from './swarm.ts';

const READY_MS = 30_000;
const DONE_MS = 90_000;
/** No tracker and no DHT: who meets whom is told. */
const ALONE = ['--no-trackers', '--no-dht', '--transport', 'utp', '--verbose'] as const;

/** Some megabytes, so that packets, windows and trials of larger packets play a part. */
function content(): Content {
  return new Map([['film.bin', new Uint8Array(randomBytes(8_000_001))]]);
}

describe.for(CLIENTS)('%s', (client) => {
  describeWith(['libtorrent', client], 'over uTP alone', () => {
    const note = /connected to .* over uTP/;
    testBothWays({ client, content, peer: { utpOnly: true }, flags: ALONE, note });
  });
});

describeWith(['libtorrent'], 'libtorrent calls bip over uTP', () => {
  test.for(['127.0.0.1', '::1'] as const)('at %s, and downloads', async (host) => {
    await using swarm = await openSwarm(content());
    const out = swarm.to('out');
    await mkdir(out);
    const port = await freePort();
    const where = ['--content', swarm.source, '--port', String(port), '--host', host];
    await using bip = new Bip(['seed', swarm.torrent.path, ...where, ...ALONE]);
    await bip.child.until(() => bip.ofType('seeding').length > 0, {
      deadlineMs: READY_MS,
      what: 'bip seed to serve',
    });
    await using leecher = await startLibtorrent({
      mode: 'download',
      torrent: swarm.torrent.path,
      dir: out,
      host,
      utpOnly: true,
      peers: [host === '::1' ? `[::1]:${port}` : `${host}:${port}`],
    });
    await leecher.completed(DONE_MS);
    await expectContent(out, swarm.content);
    expect(bip.child.log).toMatch(/called by .* over uTP/);
  });
});

describeWith(['libtorrent'], 'bip to bip', () => {
  test('over uTP alone', async () => {
    await using swarm = await openSwarm(content());
    const port = await freePort();
    const where = ['--content', swarm.source, '--port', String(port), '--host', '127.0.0.1'];
    await using seed = new Bip(['seed', swarm.torrent.path, ...where, ...ALONE]);
    await seed.child.until(() => seed.ofType('seeding').length > 0, {
      deadlineMs: READY_MS,
      what: 'bip seed to serve',
    });
    const dir = swarm.to('out');
    const peer = ['--peer', `127.0.0.1:${port}`, '--output', dir];
    await using bip = new Bip(['download', swarm.torrent.path, ...peer, ...ALONE]);
    await expectComplete(bip, swarm, { dir, deadlineMs: DONE_MS });
    expect(bip.child.log).toMatch(/connected to .* over uTP/);
  });
});
