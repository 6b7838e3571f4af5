/** A tracker, a torrent that names it, and the content on disk: where most tests begin. @module */

import type { Content } from './content.ts';
import { freePort } from './free-port.ts';
import { startAria2 } from './peers/aria2.ts';
import { type LibtorrentOptions, startLibtorrent } from './peers/libtorrent.ts';
import { announceUrl, startOpentracker, type Tracker } from './peers/opentracker.ts';
import { type Peer, type PeerOptions, READY_MS } from './peers/peer.ts';
import { startTransmission } from './peers/transmission.ts';
import { openScratch } from './scratch.ts';
import { makeTorrent, type Torrent } from './torrent.ts';
import { until } from './until.ts';

export const CLIENTS = ['libtorrent', 'transmission', 'aria2'] as const;
export type ClientName = (typeof CLIENTS)[number];

/** Rates in bytes a second, and what only libtorrent can be asked to do. */
export type ClientOptions = Pick<
  LibtorrentOptions,
  'uploadLimit' | 'downloadLimit' | 'peers' | 'lie' | 'pex' | 'utp' | 'utpOnly'
>;

export interface Swarm extends AsyncDisposable {
  readonly tracker: Tracker | undefined;
  readonly torrent: Torrent;
  readonly content: Content;
  /** Holds the content. */
  readonly source: string;
  /** A path in the scratch folder. */
  to(...parts: readonly string[]): string;
  /** A seeder of the content, ended with the swarm at the latest. */
  seed(client: ClientName, options?: ClientOptions & { readonly dir?: string }): Promise<Peer>;
  /** A leecher into `dir`, ended with the swarm at the latest. */
  leech(
    client: ClientName,
    dir: string,
    options?: ClientOptions & { readonly torrent?: string },
  ): Promise<Peer>;
}

/** `by` is how clients reach the tracker; without it there is none. */
export async function openSwarm(
  content: Content,
  by?: 'http' | 'udp',
  options: { readonly pieceLength?: number } = {},
): Promise<Swarm> {
  await using stack = new AsyncDisposableStack();
  const scratch = stack.use(await openScratch());
  const source = scratch.to('source');
  const port = await freePort();
  const trackers = by === undefined ? [] : [announceUrl(port, by)];
  const torrent = await makeTorrent({ dir: source, content, trackers, ...options });
  const tracker =
    by === undefined
      ? undefined
      : await startOpentracker({
          port,
          infoHashes: [torrent.infoHash],
          state: scratch.to('tracker'),
        });
  stack.use(tracker);
  const kept = stack.move();
  let clients = 0;
  let seeders = 0;
  const start = async (client: ClientName, given: Omit<PeerOptions, 'state'>): Promise<Peer> => {
    clients += 1;
    const state = scratch.to(`${client}-${clients}`);
    return kept.use(await LAUNCH[client]({ ...given, state }));
  };
  return {
    tracker,
    torrent,
    content,
    source,
    to: (...parts) => scratch.to(...parts),
    seed: async (client, more = {}) => {
      const given = { mode: 'seed', torrent: torrent.path, dir: source, ...more } as const;
      const peer = await start(client, given);
      seeders += 1;
      // Not every client tells when it has announced, and who asks before is told of nobody.
      if (tracker !== undefined) await listed(tracker, torrent.infoHash, seeders);
      return peer;
    },
    leech: (client, dir, more = {}) =>
      start(client, { mode: 'download', torrent: torrent.path, dir, ...more }),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** Waits until the tracker counts so many seeders. */
async function listed(tracker: Tracker, infoHash: string, seeders: number): Promise<void> {
  await until(async () => (await tracker.scrape(infoHash)).seeders >= seeders, {
    deadlineMs: READY_MS,
    what: `the tracker to count ${seeders} seeders`,
  });
}

const LAUNCH: Readonly<Record<ClientName, (options: PeerOptions) => Promise<Peer>>> = {
  libtorrent: startLibtorrent,
  transmission: startTransmission,
  aria2: startAria2,
};
