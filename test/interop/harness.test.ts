/** The launchers prove themselves on each other, without bip: when this fails, look here first. */

import { mkdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { Child } from './child.ts';
import { bytesOf, expectContent, MiB, manyFiles, singleFile, writeContent } from './content.ts';
import { readEvent } from './events.ts';
import { describeWith } from './require.ts';
import { openScratch } from './scratch.ts';
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
    // The leecher may leave without its `stopped` reaching the tracker: it exits when it is done.
    const counted = await swarm.tracker?.scrape(swarm.torrent.infoHash);
    expect(counted?.seeders).toBeGreaterThanOrEqual(1);
  });
});

describeWith([], 'the judges see what is wrong', () => {
  const progress = {
    type: 'progress',
    done: 1,
    total: 2,
    downloadBytesPerSecond: 0.5,
    uploadBytesPerSecond: 0,
    peers: 1,
    seeds: 0,
  };

  test('an event as promised, also with a field more', () => {
    expect(readEvent(JSON.stringify(progress))).toEqual(progress);
    expect(readEvent(JSON.stringify({ ...progress, etaSeconds: 3, more: 1 })).type).toBe(
      'progress',
    );
  });

  test.for([
    { what: 'no JSON', line: '{"type":"progr', fault: /JSON/ },
    { what: 'an unknown type', line: '{"type":"state"}', fault: /unknown type/ },
    { what: 'a list', line: '[]', fault: /no object/ },
    {
      what: 'a missing field',
      line: JSON.stringify({ ...progress, peers: undefined }),
      fault: /`peers`/,
    },
    { what: 'a wrong type', line: JSON.stringify({ ...progress, done: '1' }), fault: /`done`/ },
    { what: 'a negative count', line: JSON.stringify({ ...progress, done: -1 }), fault: /`done`/ },
    {
      what: 'null for what is absent',
      line: JSON.stringify({ ...progress, more: Number.NaN }),
      fault: /null in `more`/,
    },
    {
      what: 'a code of another kind',
      line: '{"type":"warning","code":"E1","message":"x"}',
      fault: /`code`/,
    },
  ])('$what is refused', ({ line, fault }) => {
    expect(() => readEvent(line)).toThrow(fault);
  });

  test.for([
    {
      what: 'a changed byte',
      path: 'many – ünïcode/nested/second.bin',
      bytes: bytesOf('x', MiB - 1),
      fault: /first wrong one at 0/,
    },
    {
      what: 'a missing byte',
      path: 'many – ünïcode/a tiny file',
      bytes: bytesOf('x', 0),
      fault: /0 of 1 bytes/,
    },
    {
      what: 'a file too many',
      path: 'many – ünïcode/nested/more',
      bytes: bytesOf('x', 0),
      fault: /deeply equal/,
    },
  ])('$what is found', async ({ path, bytes, fault }) => {
    await using scratch = await openScratch();
    await writeContent(scratch.path, manyFiles());
    await expectContent(scratch.path, manyFiles());
    await writeContent(scratch.path, new Map([[path, bytes]]));
    await expect(expectContent(scratch.path, manyFiles())).rejects.toThrow(fault);
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
