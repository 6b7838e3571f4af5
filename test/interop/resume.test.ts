/** A download that is cut off goes on where it was: killed, interrupted, out of time. */

import { expect, test } from 'vitest';
import { Bip } from './bip.ts';
import { bytesOf, type Content, MiB } from './content.ts';
import { expectComplete, expectEvents, expectExit } from './expect-download.ts';
import type { Peer } from './peers/peer.ts';
import { describeWith } from './require.ts';
import { openSwarm, type Swarm } from './swarm.ts';

const DONE_MS = 30_000;
const LENGTH = 8 * MiB + 1234;
/** Some seconds for all of it: time to act in the middle. */
const SLOWLY = 3 * MiB;

function content(): Content {
  return new Map([
    ['cut off/first.bin', bytesOf('first', 5 * MiB)],
    ['cut off/second.bin', bytesOf('second', LENGTH - 5 * MiB)],
  ]);
}

function download(swarm: Swarm, seeder: Peer, ...more: readonly string[]): Bip {
  const dir = swarm.to('out');
  const args = ['--output', dir, '--peer', seeder.address, '--events', 'piece', ...more];
  return new Bip(['download', swarm.torrent.path, ...args]);
}

/** All pieces have the same length but the last. */
function bytesIn({ torrent }: Swarm, pieces: readonly number[]): number {
  const { pieceLength, pieceCount, length } = torrent;
  const last = pieces.includes(pieceCount - 1) ? pieceLength * pieceCount - length : 0;
  return pieces.length * pieceLength - last;
}

/** The second run, from one other seed: complete, and no more fetched than what was missing. */
async function expectResumed(swarm: Swarm, kept: number): Promise<void> {
  const seeder = await swarm.seed('libtorrent');
  await using again = download(swarm, seeder);
  const end = await expectComplete(again, swarm, { dir: swarm.to('out'), deadlineMs: DONE_MS });
  const missing = LENGTH - kept;
  expect(end.downloaded).toBeLessThanOrEqual(missing);
  // bip is not the only witness.
  await seeder[Symbol.asyncDispose]();
  const { uploaded } = await seeder.counters();
  expect(uploaded).toBeGreaterThanOrEqual(end.downloaded);
  expect(uploaded).toBeLessThanOrEqual(missing);
}

describeWith(['libtorrent'], 'a download cut off half way', () => {
  test.concurrent('SIGKILL: the next run fetches only what was missing or in flight', async () => {
    await using swarm = await openSwarm(content());
    const seeder = await swarm.seed('libtorrent', { uploadLimit: SLOWLY });
    await using first = download(swarm, seeder);
    await first.hasPieces(swarm.torrent.pieceCount / 2, DONE_MS);
    first.child.kill('SIGKILL');
    expect((await first.child.ended(DONE_MS)).signal).toBe('SIGKILL');
    expect(first.pieces.length).toBeLessThan(swarm.torrent.pieceCount);
    await seeder[Symbol.asyncDispose]();
    await expectResumed(swarm, bytesIn(swarm, first.pieces));
  });

  test.concurrent.for([
    { signal: 'SIGINT', code: 130 },
    { signal: 'SIGTERM', code: 143 },
  ] as const)('$signal: exit $code, and nothing is fetched twice', async ({ signal, code }) => {
    await using swarm = await openSwarm(content());
    const seeder = await swarm.seed('libtorrent', { uploadLimit: SLOWLY });
    await using first = download(swarm, seeder);
    await first.hasPieces(swarm.torrent.pieceCount / 2, DONE_MS);
    first.child.kill(signal);
    const result = await first.ended(DONE_MS);
    expectExit(result, [code]);
    const end = expectEvents(result, swarm);
    expect(end.complete).toBe(false);
    expect(end.done).toBeGreaterThanOrEqual(bytesIn(swarm, first.pieces));
    await seeder[Symbol.asyncDispose]();
    await expectResumed(swarm, end.done);
  });

  test.concurrent('--timeout: exit 6, what was done is kept', async () => {
    await using swarm = await openSwarm(content());
    const seeder = await swarm.seed('libtorrent', { uploadLimit: MiB });
    await using first = download(swarm, seeder, '--timeout', '3s');
    const result = await first.ended(DONE_MS);
    expectExit(result, [6]);
    const end = expectEvents(result, swarm);
    expect(end.complete).toBe(false);
    expect(end.done).toBeGreaterThan(0);
    await seeder[Symbol.asyncDispose]();
    await expectResumed(swarm, end.done);
  });
});
