/** `bip download` from clients that nobody here wrote: every byte in place, every event as promised. */

import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { parseMetainfo } from '../../src/metainfo/index.ts';
import { Bip, bipJson } from './bip.ts';
import { type Content, manyFiles, singleFile } from './content.ts';
import { expectComplete } from './expect-download.ts';
import { textAt } from './json.ts';
import { describeWith } from './require.ts';
import { CLIENTS, openSwarm } from './swarm.ts';

const DONE_MS = 60_000;

interface Way {
  readonly by: 'http' | 'udp';
  readonly shape: 'one file' | 'many files';
  readonly from: '.torrent' | 'magnet';
}

const WAYS: readonly Way[] = [
  { by: 'http', shape: 'one file', from: '.torrent' },
  { by: 'http', shape: 'many files', from: 'magnet' },
  { by: 'udp', shape: 'many files', from: '.torrent' },
  { by: 'udp', shape: 'one file', from: 'magnet' },
];

function contentOf(shape: Way['shape']): Content {
  return shape === 'one file' ? singleFile() : manyFiles();
}

// Transmission takes its time before it unchokes: side by side these waits cost little.
describe.concurrent.for(CLIENTS)('from %s', (client) => {
  describeWith(['libtorrent', client], 'the metadata alone', () => {
    test('makes the .torrent, byte for byte', async () => {
      await using swarm = await openSwarm(manyFiles());
      const seeder = await swarm.seed(client);
      const path = swarm.to('fetched.torrent');
      const magnet = `${swarm.torrent.magnet}&x.pe=${seeder.address}`;
      const [fetched] = await bipJson(['magnet', 'fetch', magnet, '--output', path], DONE_MS);
      expect(textAt(fetched, 'infoHash')).toBe(swarm.torrent.infoHash);
      const [theirs, ours] = await Promise.all(
        [swarm.torrent.path, path].map((at) => readFile(at)),
      );
      expect(infoOf(ours)).toEqual(infoOf(theirs));
      const dir = swarm.to('out');
      await using bip = new Bip(['download', path, '--peer', seeder.address, '--output', dir]);
      await expectComplete(bip, swarm, { dir, deadlineMs: DONE_MS });
    });
  });

  describeWith(['libtorrent', client, 'opentracker'], 'found by a tracker', () => {
    test.for(WAYS)('over $by: $shape, by $from', async ({ by, shape, from }) => {
      await using swarm = await openSwarm(contentOf(shape), by);
      await swarm.seed(client);
      const dir = swarm.to('out');
      const torrent = from === 'magnet' ? swarm.torrent.magnet : swarm.torrent.path;
      await using bip = new Bip(['download', torrent, '--output', dir]);
      const end = await expectComplete(bip, swarm, { dir, deadlineMs: DONE_MS });
      expect(end.downloaded).toBeGreaterThanOrEqual(swarm.torrent.length);
      // It has said that it is complete, and that it is gone.
      const known = await swarm.tracker?.scrape(swarm.torrent.infoHash);
      expect(known).toEqual({ seeders: 1, leechers: 0, completed: 1 });
    });
  });

  describeWith(['libtorrent', client], 'without a tracker', () => {
    test('by magnet with x.pe', async () => {
      await using swarm = await openSwarm(manyFiles());
      const seeder = await swarm.seed(client);
      const dir = swarm.to('out');
      const magnet = `${swarm.torrent.magnet}&x.pe=${seeder.address}`;
      await using bip = new Bip(['download', magnet, '--output', dir]);
      await expectComplete(bip, swarm, { dir, deadlineMs: DONE_MS });
    });
  });
});

describeWith(['libtorrent'], 'other ways to name torrent and peer', () => {
  test('a bare infohash with --peer', async () => {
    await using swarm = await openSwarm(singleFile());
    const seeder = await swarm.seed('libtorrent');
    const dir = swarm.to('out');
    const { infoHash } = swarm.torrent;
    await using bip = new Bip(['download', infoHash, '--peer', seeder.address, '--output', dir]);
    await expectComplete(bip, swarm, { dir, deadlineMs: DONE_MS });
  });

  test('every piece is told with --events piece, every file once', async () => {
    await using swarm = await openSwarm(manyFiles());
    const seeder = await swarm.seed('libtorrent');
    const dir = swarm.to('out');
    const args = ['--peer', seeder.address, '--output', dir, '--events', 'piece'];
    await using bip = new Bip(['download', swarm.torrent.path, ...args]);
    await expectComplete(bip, swarm, { dir, deadlineMs: DONE_MS });
    const pieces = bip.ofType('piece').map(({ piece, ok }) => [piece, ok]);
    const every = Array.from({ length: swarm.torrent.pieceCount }, (_, piece) => [piece, true]);
    expect(pieces.toSorted(([a], [b]) => Number(a) - Number(b))).toEqual(every);
    const files = bip.ofType('file').map(({ path }) => path);
    expect(new Set(files).size).toBe(files.length);
    expect(files).toHaveLength(swarm.content.size);
  });

  test('complete content is checked, not fetched again', async () => {
    await using swarm = await openSwarm(manyFiles());
    const args = ['download', swarm.torrent.path, '--output', swarm.source];
    await using bip = new Bip(args);
    const end = await expectComplete(bip, swarm, { dir: swarm.source, deadlineMs: DONE_MS });
    expect(end.downloaded).toBe(0);
  });
});

function infoOf(torrent: Uint8Array | undefined): Uint8Array {
  return parseMetainfo(new Uint8Array(torrent ?? [])).infoBytes;
}
