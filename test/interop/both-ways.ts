/** A torrent from another client to bip and back, with nobody else: who meets whom is told. @module */

import { mkdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { Bip } from './bip.ts';
import { type Content, expectContent } from './content.ts';
import { expectComplete } from './expect-download.ts';
import { freePort } from './free-port.ts';
import { startLibtorrent } from './peers/libtorrent.ts';
import type { Peer, PeerOptions } from './peers/peer.ts';
import { startQbittorrent } from './peers/qbittorrent.ts';
import { startTransmission } from './peers/transmission.ts';
import { openSwarm } from './swarm.ts';

const DONE_MS = 90_000;

const START = {
  libtorrent: startLibtorrent,
  qbittorrent: startQbittorrent,
  transmission: startTransmission,
} as const satisfies Record<string, (options: PeerOptions) => Promise<Peer>>;

/** Clients that can be kept to one transport and one family. */
export const CLIENTS = ['libtorrent', 'qbittorrent', 'transmission'] as const;

export interface Ways {
  readonly client: (typeof CLIENTS)[number];
  readonly content: () => Content;
  /** How the client is kept to what is tested. */
  readonly peer: Pick<PeerOptions, 'host' | 'utpOnly'>;
  /** How bip is. */
  readonly flags: readonly string[];
  /** What bip notes of the connection. */
  readonly note: RegExp;
}

/** Two tests: bip downloads from the client, and seeds to it. */
export function testBothWays({ client, content, peer, flags, note }: Ways): void {
  test('bip downloads from it', async () => {
    await using swarm = await openSwarm(content());
    const { path: torrent } = swarm.torrent;
    await using seeder = await START[client]({
      ...{ mode: 'seed', torrent, dir: swarm.source, state: swarm.to('client') },
      ...peer,
    });
    const dir = swarm.to('out');
    const where = ['--peer', seeder.address, '--output', dir];
    await using bip = new Bip(['download', torrent, ...where, ...flags]);
    await expectComplete(bip, swarm, { dir, deadlineMs: DONE_MS });
    expect(bip.child.log).toMatch(note);
  });

  test('it downloads from bip, which calls it', async () => {
    await using swarm = await openSwarm(content());
    const { path: torrent } = swarm.torrent;
    const dir = swarm.to('out');
    await mkdir(dir);
    await using leecher = await START[client]({
      ...{ mode: 'download', torrent, dir, state: swarm.to('client') },
      ...peer,
    });
    const port = String(await freePort());
    const where = ['--content', swarm.source, '--port', port, '--peer', leecher.address];
    await using bip = new Bip(['seed', torrent, ...where, ...flags]);
    await leecher.completed(DONE_MS);
    await expectContent(dir, swarm.content);
    expect(bip.child.log).toMatch(note);
  });
}
