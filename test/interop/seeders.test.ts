/** Several sources at once: they share the work, they die, they lie. */

import { cp, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Bip } from './bip.ts';
import { bytesOf, type Content, expectContent, MiB } from './content.ts';
import { expectComplete, expectExit } from './expect-download.ts';
import { describeWith } from './require.ts';
import { CLIENTS, openSwarm, type Swarm } from './swarm.ts';
import { until } from './until.ts';

const DONE_MS = 60_000;
const LENGTH = 12 * MiB + 99;

function content(): Content {
  return new Map([['shared.bin', bytesOf('shared', LENGTH)]]);
}

function download(swarm: Swarm, ...more: readonly string[]): Bip {
  return new Bip(['download', swarm.torrent.path, '--output', swarm.to('out'), ...more]);
}

describeWith(['libtorrent', 'opentracker'], 'several seeders', () => {
  test.concurrent('three share the work', async () => {
    await using swarm = await openSwarm(content(), 'http');
    const options = { uploadLimit: 2 * MiB };
    const seeders = await Promise.all([1, 2, 3].map(() => swarm.seed('libtorrent', options)));
    await using bip = download(swarm);
    const end = await expectComplete(bip, swarm, { dir: swarm.to('out'), deadlineMs: DONE_MS });
    const sent = (): Promise<number[]> =>
      Promise.all(seeders.map(async (peer) => (await peer.counters()).uploaded));
    await until(async () => (await sent()).reduce((a, b) => a + b) >= end.downloaded, {
      deadlineMs: DONE_MS,
      what: 'the seeders to have counted what they sent',
    });
    for (const uploaded of await sent()) expect(uploaded).toBeGreaterThan(MiB);
  });

  test.concurrent('one dies in the middle, another carries on', async () => {
    await using swarm = await openSwarm(content(), 'http');
    const mortal = await swarm.seed('libtorrent', { uploadLimit: 4 * MiB });
    const other = await swarm.seed('libtorrent', { uploadLimit: 2 * MiB });
    await using bip = download(swarm);
    await until(async () => (await mortal.counters()).uploaded > 2 * MiB, {
      deadlineMs: DONE_MS,
      what: 'the mortal seeder to have sent something',
    });
    mortal.child.kill('SIGKILL');
    await expectComplete(bip, swarm, { dir: swarm.to('out'), deadlineMs: DONE_MS });
    expect((await other.counters()).uploaded).toBeGreaterThan(0);
  });
});

describeWith(['libtorrent', 'opentracker'], 'other leechers', () => {
  test.concurrent('bip gives while it takes, so that a slow seeder need not send everything twice', async () => {
    await using swarm = await openSwarm(content(), 'http');
    const seeder = await swarm.seed('libtorrent', { uploadLimit: 2 * MiB });
    const out = swarm.to('other');
    await mkdir(out);
    const other = await swarm.leech('libtorrent', out);
    await using bip = download(swarm);
    const end = await expectComplete(bip, swarm, { dir: swarm.to('out'), deadlineMs: DONE_MS });
    expect(end.uploaded).toBeGreaterThan(MiB);
    await other.completed(DONE_MS);
    await expectContent(out, swarm.content);
    await seeder[Symbol.asyncDispose]();
    expect((await seeder.counters()).uploaded).toBeLessThan(2 * LENGTH - MiB);
  });
});

describeWith(['libtorrent', 'transmission', 'aria2', 'opentracker'], 'a mixed crowd', () => {
  test.concurrent('every kind of client at once', async () => {
    await using swarm = await openSwarm(content(), 'udp');
    for (const client of CLIENTS) await swarm.seed(client, { uploadLimit: 2 * MiB });
    await using bip = download(swarm);
    await expectComplete(bip, swarm, { dir: swarm.to('out'), deadlineMs: DONE_MS });
  });
});

describeWith(['libtorrent'], 'a liar', () => {
  test.concurrent('among honest seeders: found out, banned, and the content is right', async () => {
    await using swarm = await openSwarm(content());
    const honest = await swarm.seed('libtorrent', { uploadLimit: 3 * MiB });
    const liar = await swarm.seed('libtorrent', { dir: await lies(swarm), lie: true });
    await using bip = download(swarm, '--peer', liar.address, '--peer', honest.address);
    const end = await expectComplete(bip, swarm, { dir: swarm.to('out'), deadlineMs: DONE_MS });
    expect(end.wasted).toBeGreaterThan(0);
    expect((await liar.counters()).uploaded).toBeGreaterThan(0);
    const bans = bip.ofType('warning').filter(({ message }) => message.includes(liar.address));
    expect(bans).not.toEqual([]);
    const slanders = bip
      .ofType('warning')
      .filter((event) => event.message.includes(honest.address));
    expect(slanders).toEqual([]);
  });

  test.concurrent('alone: nothing false is kept, the next run with an honest seeder completes', async () => {
    await using swarm = await openSwarm(content());
    const liar = await swarm.seed('libtorrent', { dir: await lies(swarm), lie: true });
    await using first = download(swarm, '--peer', liar.address, '--timeout', '4s');
    const result = await first.ended(DONE_MS);
    expectExit(result, [6]);
    expect(result.end?.complete).toBe(false);
    const honest = await swarm.seed('libtorrent');
    await using again = download(swarm, '--peer', honest.address);
    await expectComplete(again, swarm, { dir: swarm.to('out'), deadlineMs: DONE_MS });
  });
});

/** A copy of the content with one false byte in every piece. */
async function lies(swarm: Swarm): Promise<string> {
  const dir = swarm.to('lies');
  await cp(swarm.source, dir, { recursive: true });
  const file = await open(join(dir, 'shared.bin'), 'r+');
  const { pieceLength, pieceCount } = swarm.torrent;
  const byte = new Uint8Array(1);
  for (let piece = 0; piece < pieceCount; piece++) {
    const position = piece * pieceLength;
    await file.read(byte, 0, 1, position);
    await file.write(Uint8Array.of((byte[0] ?? 0) ^ 1), 0, 1, position);
  }
  await file.close();
  return dir;
}
