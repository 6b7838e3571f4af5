/** Peers found by PEX alone (BEP 11): bip learns of them from other clients, and they from bip. */

import { expect, test } from 'vitest';
import { Bip } from './bip.ts';
import { bytesOf, type Content, KiB, MiB } from './content.ts';
import { expectComplete } from './expect-download.ts';
import { numberAt, parseJson, textAt } from './json.ts';
import type { Peer } from './peers/peer.ts';
import { describeWith } from './require.ts';
import { openSwarm } from './swarm.ts';
import { until } from './until.ts';

const DONE_MS = 90_000;
/** Bytes a second of a peer that is there to tell, and not to give. */
const HARDLY = 2 * KiB;

function content(): Content {
  return new Map([['told.bin', bytesOf('told', 2 * MiB + 77)]]);
}

/** How many peers libtorrent has at most had at once. */
function mostPeers(libtorrent: Peer): number {
  const states = libtorrent.child.lines
    .map(parseJson)
    .filter((line) => textAt(line, 'event') === 'state');
  return Math.max(0, ...states.map((state) => numberAt(state, 'peers')));
}

/** Waits until it has something of another, with whom it is connected then: of that it can tell. */
async function metBy(teller: Peer): Promise<void> {
  await until(async () => (await teller.counters()).downloaded > 0, {
    deadlineMs: DONE_MS,
    what: 'the two to meet',
  });
}

describeWith(['libtorrent'], 'PEX with libtorrent', () => {
  test.concurrent('bip is told of a seed by a peer that has next to nothing itself', async () => {
    await using swarm = await openSwarm(content());
    // It hears of nobody, so that it is bip that calls.
    const seed = await swarm.seed('libtorrent', { pex: false });
    const teller = await swarm.leech('libtorrent', swarm.to('teller'), {
      peers: [seed.address],
      downloadLimit: HARDLY,
    });
    await metBy(teller);
    const dir = swarm.to('out');
    const args = ['--peer', teller.address, '--output', dir, '--verbose'];
    await using bip = new Bip(['download', swarm.torrent.path, ...args]);
    await expectComplete(bip, swarm, { dir, deadlineMs: DONE_MS });
    expect(bip.child.stderr).toContain(`${teller.address} named 1 peer that we did not know`);
    expect(bip.child.stderr).toContain(`connected to ${seed.address}`);
    await until(async () => (await seed.counters()).uploaded > MiB, {
      deadlineMs: DONE_MS,
      what: 'the seed to have counted what it sent',
    });
  });

  test.concurrent('with --no-pex bip does not listen', async () => {
    await using swarm = await openSwarm(content());
    // It hears of nobody, so that it is bip that calls.
    const seed = await swarm.seed('libtorrent', { pex: false });
    const teller = await swarm.leech('libtorrent', swarm.to('teller'), {
      peers: [seed.address],
      downloadLimit: HARDLY,
    });
    await metBy(teller);
    const args = ['--peer', teller.address, '--output', swarm.to('out'), '--verbose', '--no-pex'];
    await using bip = new Bip(['download', swarm.torrent.path, ...args, '--timeout', '10s']);
    await bip.ended(DONE_MS);
    expect(bip.child.stderr).toContain(`connected to ${teller.address}`);
    expect(bip.child.stderr).not.toContain('that we did not know');
  });

  test.concurrent('libtorrent is told of a seed by bip, which has next to nothing itself', async () => {
    await using swarm = await openSwarm(content());
    // It gives bip little, and whoever else comes as little: bip is in the middle for long enough.
    const seed = await swarm.seed('libtorrent', { uploadLimit: 16 * KiB });
    const leecher = await swarm.leech('libtorrent', swarm.to('leecher'), {});
    const peers = ['--peer', seed.address, '--peer', leecher.address];
    const args = ['--output', swarm.to('out'), ...peers, '--verbose'];
    await using bip = new Bip(['download', swarm.torrent.path, ...args]);
    const bothConnected = (): boolean =>
      peers.every((address) => address === '--peer' || bip.child.stderr.includes(address));
    await bip.child.until(bothConnected, { deadlineMs: DONE_MS, what: 'bip to meet both' });
    // The leecher knew nobody: one of its two peers is bip, of the other bip has told.
    await until(() => mostPeers(leecher) === 2, {
      deadlineMs: DONE_MS,
      what: 'libtorrent to find the seed',
      log: () => bip.child.log,
    });
    expect(bip.child.stderr).not.toContain('that we did not know');
  });
});
