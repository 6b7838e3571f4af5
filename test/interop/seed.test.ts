/** `bip seed` serves clients that nobody here wrote. */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Bip } from './bip.ts';
import { type Content, expectContent, manyFiles, nameOf, singleFile } from './content.ts';
import { expectExit } from './expect-download.ts';
import { freePort } from './free-port.ts';
import { describeWith } from './require.ts';
import { CLIENTS, openSwarm, type Swarm } from './swarm.ts';
import { until } from './until.ts';

const READY_MS = 20_000;
const DONE_MS = 60_000;

/** A seed of the swarm's content, ready to serve. */
async function seed(swarm: Swarm, ...more: readonly string[]): Promise<Bip> {
  const args = ['--content', swarm.source, '--port', String(await freePort())];
  return served(new Bip(['seed', swarm.torrent.path, ...args, ...more]));
}

/** Ready once it has told what it serves, which it does after checking the data. */
async function served(bip: Bip): Promise<Bip> {
  await bip.child.until(() => magnetOf(bip) !== '', {
    deadlineMs: READY_MS,
    what: 'bip seed to print its magnet',
  });
  return bip;
}

function magnetOf(bip: Bip): string {
  return bip.ofType('seeding')[0]?.magnet ?? '';
}

describe.concurrent.for(CLIENTS)('%s leeches', (client) => {
  describeWith(['libtorrent', client, 'opentracker'], 'found by a tracker', () => {
    test.for(['http', 'udp'] as const)('over %s', async (by) => {
      await using swarm = await openSwarm(by === 'http' ? manyFiles() : singleFile(), by);
      const out = swarm.to('out');
      await mkdir(out);
      // Transmission never dials an address in 127/8: it announces first, so that bip learns of it.
      const first = client === 'transmission' ? await swarm.leech(client, out) : undefined;
      await using bip = await seed(swarm);
      await seedIsListed(swarm);
      const leecher = first ?? (await swarm.leech(client, out));
      await leecher.completed(DONE_MS);
      await expectContent(out, client === 'transmission' ? withBytes(swarm) : swarm.content);
      await expectStopped(bip, swarm);
    });
  });
});

describeWith(['libtorrent'], 'seed PATH', () => {
  test.for([
    { what: 'a folder', content: manyFiles() },
    { what: 'a file', content: singleFile() },
  ])('$what: libtorrent downloads by the magnet it prints', async ({ content }) => {
    await using swarm = await openSwarm(content);
    const path = join(swarm.source, nameOf(content));
    await using bip = await served(new Bip(['seed', path, '--port', String(await freePort())]));
    const magnet = magnetOf(bip);
    expect(magnet).toContain('x.pe=');
    const out = swarm.to('out');
    await mkdir(out);
    const leecher = await swarm.leech('libtorrent', out, { torrent: magnet });
    await leecher.completed(DONE_MS);
    await expectContent(out, content);
  });

  test('two leechers at once, and one bip that downloads by the magnet', async () => {
    await using swarm = await openSwarm(manyFiles());
    await using bip = await seed(swarm);
    const magnet = magnetOf(bip);
    const folders = ['one', 'two'].map((name) => swarm.to(name));
    const leechers = await Promise.all(
      folders.map(async (folder) => {
        await mkdir(folder);
        return swarm.leech('libtorrent', folder, { torrent: magnet });
      }),
    );
    const third = swarm.to('three');
    await using download = new Bip(['download', magnet, '--output', third]);
    await Promise.all(leechers.map((leecher) => leecher.completed(DONE_MS)));
    expectExit(await download.ended(DONE_MS), [0]);
    for (const folder of [...folders, third]) await expectContent(folder, swarm.content);
  });
});

/** Transmission 3 makes no files for what has no bytes. */
function withBytes(swarm: Swarm): Content {
  return new Map([...swarm.content].filter(([, bytes]) => bytes.length > 0));
}

/** The tracker counts bip: who asks from now on is told of it. */
async function seedIsListed(swarm: Swarm): Promise<void> {
  await until(async () => (await swarm.tracker?.scrape(swarm.torrent.infoHash))?.seeders === 1, {
    deadlineMs: READY_MS,
    what: 'the tracker to count bip as a seeder',
  });
}

/** Ctrl-C: exit 130, the sums are told, and the tracker is told too. */
async function expectStopped(bip: Bip, swarm: Swarm): Promise<void> {
  const before = await swarm.tracker?.scrape(swarm.torrent.infoHash);
  bip.child.kill('SIGINT');
  const result = await bip.ended(READY_MS);
  expectExit(result, [130]);
  expect(result.end?.uploaded).toBeGreaterThanOrEqual(swarm.torrent.length);
  const after = await swarm.tracker?.scrape(swarm.torrent.infoHash);
  expect(after?.seeders).toBe((before?.seeders ?? 0) - 1);
}
