/** `bip tracker serve` between clients that nobody here wrote: they find each other by it alone. */

import { mkdir, writeFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { describe, expect, test } from 'vitest';
import { type Content, expectContent, singleFile } from './content.ts';
import { startAria2 } from './peers/aria2.ts';
import { BipTracker, type Transport } from './peers/bip-tracker.ts';
import { startLibtorrent } from './peers/libtorrent.ts';
import type { Loopback, Peer, PeerOptions } from './peers/peer.ts';
import { startQbittorrent } from './peers/qbittorrent.ts';
import { RedisServer } from './peers/redis.ts';
import { startTransmission } from './peers/transmission.ts';
import { describeWith } from './require.ts';
import { openScratch, type Scratch } from './scratch.ts';
import { makeTorrent } from './torrent.ts';

const DONE_MS = 60_000;
const PASSKEY = 'c0ffee00c0ffee00c0ffee00c0ffee00';

const START: Readonly<Record<Client, (options: PeerOptions) => Promise<Peer>>> = {
  libtorrent: startLibtorrent,
  transmission: startTransmission,
  aria2: startAria2,
  qbittorrent: startQbittorrent,
};

type Client = 'libtorrent' | 'transmission' | 'aria2' | 'qbittorrent';

/** A client and how it reaches its tracker. */
interface Side {
  readonly client: Client;
  readonly tracker: BipTracker;
  readonly by: Transport;
  readonly host: Loopback;
  readonly passkey?: string;
}

interface Pair {
  readonly seeder: Client;
  readonly leecher: Client;
  readonly by: Transport;
  readonly host: Loopback;
}

/** Everybody once in either part; aria2 asks UDP trackers over IPv4 only. */
const CHAIN: readonly Pair[] = [
  { seeder: 'libtorrent', leecher: 'qbittorrent', by: 'udp', host: '::1' },
  { seeder: 'qbittorrent', leecher: 'transmission', by: 'http', host: '127.0.0.1' },
  { seeder: 'transmission', leecher: 'aria2', by: 'http', host: '::1' },
  { seeder: 'aria2', leecher: 'libtorrent', by: 'udp', host: '127.0.0.1' },
];

const IPV6_IS_THERE = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === '::1'),
);

describe.concurrent('a chain of clients', () => {
  for (const { seeder, leecher, by, host } of CHAIN) {
    const skipped = host === '::1' && !IPV6_IS_THERE;
    const at = skipped ? ' (skipped: no ::1 here)' : '';
    describe.skipIf(skipped)(`at ${host}${at}`, () => {
      describeWith(['libtorrent', seeder, leecher], `from ${seeder} to ${leecher}`, () => {
        test(`over ${by}`, async () => {
          await using tracker = await BipTracker.start([], { hosts: [host] });
          const common = { tracker, by, host };
          await expectTransfer({ client: seeder, ...common }, { client: leecher, ...common });
        });
      });
    });
  }

  describeWith(['libtorrent', 'aria2'], 'two threads', () => {
    test('one swarm over both transports', async () => {
      await using tracker = await BipTracker.start(['--workers', '2']);
      const common = { tracker, host: '127.0.0.1' } as const;
      await expectTransfer(
        { client: 'libtorrent', by: 'udp', ...common },
        { client: 'aria2', by: 'http', ...common },
      );
    });
  });
});

describeWith(['libtorrent', 'aria2'], 'private mode', () => {
  test.concurrent('who names a passkey finds others, over both transports; who does not is refused', async () => {
    await using scratch = await openScratch();
    const passkeys = scratch.to('passkeys');
    await writeFile(passkeys, `${PASSKEY} somebody\n`);
    await using tracker = await BipTracker.start(['--passkeys', passkeys]);
    const common = { tracker, host: '127.0.0.1' } as const;
    await expectTransfer(
      { client: 'libtorrent', by: 'udp', passkey: PASSKEY, ...common },
      { client: 'aria2', by: 'http', passkey: PASSKEY, ...common },
    );
    expect(tracker.announces.filter(({ refused }) => refused !== undefined)).toEqual([]);

    const made = await torrentOf(scratch, 'stranger', {
      client: 'aria2',
      by: 'http',
      passkey: PASSKEY.replaceAll('c', 'd'),
      ...common,
    });
    await using stranger = await startAria2({ ...made, mode: 'seed', state: scratch.to('aria2') });
    const told = await tracker.heard({ refused: 'passkey' });
    expect(told).toMatchObject({ transport: 'http', peer: stranger.address });
  });
});

describeWith(['libtorrent', 'aria2', 'redis'], 'two trackers that share a store', () => {
  test.concurrent('a client at each: they find each other', async () => {
    await using scratch = await openScratch();
    await using redis = await RedisServer.start({ state: scratch.path });
    await using first = await BipTracker.start(['--store', redis.url]);
    await using second = await BipTracker.start(['--store', redis.url]);
    const host = '127.0.0.1';
    await expectTransfer(
      { client: 'aria2', tracker: first, by: 'http', host },
      { client: 'libtorrent', tracker: second, by: 'udp', host },
    );
  });
});

/**
 * Both sides come to know each other by their tracker, the leecher completes, and the trackers heard
 * what they ought to, each over its transport and family.
 */
async function expectTransfer(seeder: Side, leecher: Side): Promise<void> {
  await using scratch = await openScratch();
  const source = await torrentOf(scratch, 'source', seeder);
  const { torrent } = await torrentOf(scratch, 'other', leecher);
  const out = scratch.to('out');
  await mkdir(out);
  const seed = (): Promise<Peer> =>
    listed(seeder, { ...source, mode: 'seed', state: scratch.to('seeder') });
  const leech = (): Promise<Peer> =>
    listed(leecher, { torrent, dir: out, mode: 'download', state: scratch.to('leecher') });
  await using stack = new AsyncDisposableStack();
  // Transmission dials nobody on loopback: the seeder has to hear of it.
  const order = leecher.client === 'transmission' ? [leech, seed] : [seed, leech];
  const peers: Peer[] = [];
  for (const start of order) peers.push(stack.use(await start()));
  const taker = peers[order.indexOf(leech)];
  await taker?.completed(DONE_MS);
  await expectContent(out, CONTENT);
  await leecher.tracker.heard({ event: 'completed', seeding: true, peer: taker?.address ?? '' });
}

/** Starts a client and waits until its tracker has heard of it. */
async function listed(side: Side, options: PeerOptions): Promise<Peer> {
  const peer = await START[side.client]({ ...options, host: side.host });
  try {
    const told = { peer: peer.address, transport: side.by, seeding: options.mode === 'seed' };
    await side.tracker.heard({ event: 'started', refused: undefined, ...told });
  } catch (error) {
    await peer[Symbol.asyncDispose]();
    throw error;
  }
  return peer;
}

/** The content at `name` with a torrent that names this side's tracker only. */
async function torrentOf(
  scratch: Scratch,
  name: string,
  { tracker, by, host, passkey }: Side,
): Promise<Pick<PeerOptions, 'torrent' | 'dir'>> {
  const dir = scratch.to(name);
  const trackers = [tracker.url(by, host, passkey)];
  const { path } = await makeTorrent({ dir, content: CONTENT, trackers });
  return { torrent: path, dir };
}

const CONTENT: Content = singleFile();
