/** The launchers prove themselves on each other, without bip: when this fails, look here first. */

import { mkdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { Child } from './child.ts';
import { expectContent, manyFiles, singleFile } from './content.ts';
import { describeWith } from './require.ts';
import { openSwarm } from './swarm.ts';
import { until } from './until.ts';

const TRANSFER_MS = 40_000;

describeWith(['libtorrent', 'aria2', 'opentracker'], 'aria2 and libtorrent', () => {
  test('aria2 downloads many files from libtorrent, found by HTTP tracker', async () => {
    await using swarm = await openSwarm(manyFiles(), 'http');
    const seeder = await swarm.seed('libtorrent');
    const leecher = await swarm.leech('aria2', swarm.to('out'));
    await leecher.completed(TRANSFER_MS);
    await expectContent(swarm.to('out'), swarm.content);
    await until(async () => (await seeder.counters()).uploaded >= swarm.torrent.length, {
      deadlineMs: TRANSFER_MS,
      what: 'libtorrent to have counted what it sent',
    });
  });

  test('libtorrent downloads from aria2, found by UDP tracker, by magnet', async () => {
    await using swarm = await openSwarm(singleFile(), 'udp');
    await swarm.seed('aria2');
    const out = swarm.to('out');
    await mkdir(out);
    const leecher = await swarm.leech('libtorrent', out, { torrent: swarm.torrent.magnet });
    await leecher.completed(TRANSFER_MS);
    await expectContent(out, swarm.content);
  });
});

describeWith(['libtorrent', 'transmission', 'opentracker'], 'transmission', () => {
  test('libtorrent dials transmission and downloads from it', async () => {
    await using swarm = await openSwarm(singleFile(), 'udp');
    await swarm.seed('transmission');
    await mkdir(swarm.to('out'));
    const leecher = await swarm.leech('libtorrent', swarm.to('out'));
    await leecher.completed(TRANSFER_MS);
    await expectContent(swarm.to('out'), swarm.content);
    await until(async () => (await swarm.tracker?.scrape(swarm.torrent.infoHash))?.seeders === 1, {
      deadlineMs: TRANSFER_MS,
      what: 'the tracker to count one seeder, the one that is left',
    });
  });
});

describeWith([], 'children', () => {
  test('a program that ends is reported at once, with its log', async () => {
    await using child = new Child(['/bin/sh', '-c', 'echo broken >&2; exit 3']);
    const wait = child.until(() => false, { deadlineMs: 10_000, what: 'the impossible' });
    await expect(wait).rejects.toThrow(/the impossible: sh ended with 3[^]*broken/);
  });

  test('a program that ignores SIGTERM is killed', async () => {
    const child = new Child([
      '/bin/sh',
      '-c',
      'trap "" TERM; echo up; while :; do sleep 0.1; done',
    ]);
    await child.until(() => child.lines.includes('up'), { deadlineMs: 10_000, what: 'the trap' });
    await child[Symbol.asyncDispose]();
    expect(child.exit?.signal).toBe('SIGKILL');
  });
});
