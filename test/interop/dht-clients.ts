/** One network of DHT nodes of bip, libtorrent, aria2 and rtorrent, each with a torrent that it announces. @module */

import { parseHex } from '../../src/base/bytes.ts';
import {
  type Endpoint,
  equalEndpoints,
  formatEndpoint,
  parseEndpoint,
} from '../../src/base/endpoint.ts';
import { bytesOf, type Content, KiB } from './content.ts';
import { DhtCrowd, SEARCH_MS } from './dht-crowd.ts';
import { Aria2Dht } from './peers/aria2-dht.ts';
import { startLibtorrent } from './peers/libtorrent.ts';
import { LibtorrentDht } from './peers/libtorrent-dht.ts';
import { READY_MS } from './peers/peer.ts';
import { Rtorrent } from './peers/rtorrent.ts';
import { openScratch, type Scratch } from './scratch.ts';
import { makeTorrent, type Torrent } from './torrent.ts';
import { until } from './until.ts';

/** How long a peer may take to be found: aria2 announces when it sees fit. */
export const FOUND_MS = 30_000;

const CLIENTS = ['bip', 'libtorrent', 'aria2', 'rtorrent'] as const;
export type DhtClient = (typeof CLIENTS)[number];

// Everyone has an address of its own, since rtorrent keeps but one peer of each.
const HOSTS = {
  bip: ['127.0.0.31', '127.0.0.32', '127.0.0.33', '127.0.0.34', '127.0.0.35', '127.0.0.36'],
  libtorrent: ['127.0.0.41', '127.0.0.42'],
  aria2: '127.0.0.51',
  rtorrent: '127.0.0.61',
} as const;

/** A torrent without trackers, of one piece: rtorrent and aria2 cannot agree on more. */
export interface DhtTorrent {
  readonly by: DhtClient;
  readonly torrent: Torrent;
  readonly content: Content;
  /** Holds the content. */
  readonly dir: string;
}

/** It is seeded at `peer`, and only the DHT knows. */
export interface Announced extends DhtTorrent {
  readonly peer: Endpoint;
}

export class DhtClients implements AsyncDisposable {
  readonly scratch: Scratch;
  readonly bip: DhtCrowd;
  readonly libtorrent: LibtorrentDht;
  readonly aria2: Aria2Dht;
  readonly rtorrent: Rtorrent;
  readonly #stack: AsyncDisposableStack;
  #announced: readonly Announced[] = [];

  /** Settles when each client has announced a torrent and bip has found all of them. */
  static async open(): Promise<DhtClients> {
    await using stack = new AsyncDisposableStack();
    const scratch = stack.use(await openScratch());
    const bip = stack.use(await DhtCrowd.open(HOSTS.bip));
    const entryPoint = bip.node(0).endpoint;
    const libtorrent = stack.use(await LibtorrentDht.start(HOSTS.libtorrent));
    const state = (client: DhtClient): string => scratch.to(`${client}-state`);
    const aria2 = stack.use(
      await Aria2Dht.start({ host: HOSTS.aria2, state: state('aria2'), entryPoint }),
    );
    const rtorrent = stack.use(
      await Rtorrent.start({ host: HOSTS.rtorrent, state: state('rtorrent') }),
    );
    for (const node of libtorrent.nodes) node.tell('know', { at: entryPoint });
    await rtorrent.join(entryPoint);
    const clients = new DhtClients({ scratch, bip, libtorrent, aria2, rtorrent }, stack.move());
    try {
      await clients.#announce();
    } catch (error) {
      await clients[Symbol.asyncDispose]();
      throw error;
    }
    return clients;
  }

  private constructor(
    parts: Pick<DhtClients, 'scratch' | 'bip' | 'libtorrent' | 'aria2' | 'rtorrent'>,
    stack: AsyncDisposableStack,
  ) {
    this.scratch = parts.scratch;
    this.bip = parts.bip;
    this.libtorrent = parts.libtorrent;
    this.aria2 = parts.aria2;
    this.rtorrent = parts.rtorrent;
    this.#stack = stack;
  }

  /** What all clients announced; or all but one. */
  announced(except?: DhtClient): readonly Announced[] {
    return this.#announced.filter(({ by }) => by !== except);
  }

  /** A node of each kind, and how `bip dht ping` is to call it. */
  entries(): readonly { readonly at: string; readonly client: RegExp }[] {
    const nodes = [
      { endpoint: this.bip.node(4).endpoint, client: /^bip$/ },
      { endpoint: this.libtorrent.node(1).endpoint, client: /^libtorrent 2\.\d+\.\d+$/ },
      { endpoint: this.aria2.endpoint, client: /^aria2$/ },
      { endpoint: this.rtorrent.endpoint, client: /^rTorrent$/ },
    ];
    return nodes.map(({ endpoint, client }) => ({ at: formatEndpoint(endpoint), client }));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }

  async #announce(): Promise<void> {
    const torrents = await Promise.all(CLIENTS.map((by) => torrentOf(by, this.scratch)));
    // aria2 takes part in the DHT while it has a torrent.
    this.#announced = await Promise.all(
      torrents.map(async (it) => ({ ...it, peer: await this.#seed[it.by](it) })),
    );
    for (const announced of this.#announced) await this.found(announced, 2);
  }

  /**
   * Lets a node of bip search until it finds the peer that was announced.
   *
   * @returns all peers that it was told of.
   */
  async found(
    { torrent, peer }: Pick<Announced, 'torrent' | 'peer'>,
    index: number,
  ): Promise<readonly Endpoint[]> {
    const { dht } = this.bip.node(index);
    let peers: readonly Endpoint[] = [];
    await until(
      async () => {
        const signal = AbortSignal.timeout(SEARCH_MS);
        const results = await dht.findPeers(hashOf(torrent), { signal });
        peers = results.flatMap((result) => result.peers);
        return peers.some((found) => equalEndpoints(found, peer));
      },
      {
        deadlineMs: FOUND_MS,
        what: `the peer of ${torrent.name}`,
        log: () => `found ${JSON.stringify(peers)}`,
      },
    );
    return peers;
  }

  readonly #seed: Readonly<Record<DhtClient, (it: DhtTorrent) => Promise<Endpoint>>> = {
    bip: async ({ torrent, dir }) => {
      const host = HOSTS.bip[1];
      const options = { mode: 'seed', torrent: torrent.path, dir, host } as const;
      const { address } = this.#stack.use(await startLibtorrent(options));
      const peer = parseEndpoint(address);
      if (peer === undefined) throw new Error(`${address} is no endpoint`);
      await this.bip.node(1).dht.findPeers(hashOf(torrent), {
        signal: AbortSignal.timeout(SEARCH_MS),
        announce: { port: peer.port, seed: true },
      });
      return peer;
    },
    libtorrent: async ({ torrent, dir }) => {
      const node = this.libtorrent.node(0);
      node.tell('announce', { torrent: torrent.path, dir });
      return node.endpoint;
    },
    aria2: async ({ torrent, dir }) => {
      await this.aria2.completed(await this.aria2.add(torrent.path, dir), READY_MS);
      return this.aria2.endpoint;
    },
    rtorrent: async ({ torrent, dir }) => {
      await this.rtorrent.load(torrent.path, dir);
      return this.rtorrent.endpoint;
    },
  };
}

/** 20 bytes. */
function hashOf({ infoHash }: Pick<Torrent, 'infoHash'>): Uint8Array {
  const hash = parseHex(infoHash);
  if (hash === undefined) throw new Error(`${infoHash} is no infohash`);
  return hash;
}

async function torrentOf(by: DhtClient, scratch: Scratch): Promise<DhtTorrent> {
  const content = new Map([[`of ${by}.bin`, bytesOf(by, 20 * KiB + 1)]]);
  const dir = scratch.to(by);
  const torrent = await makeTorrent({ dir, content, pieceLength: 32 * KiB });
  return { by, torrent, content, dir };
}
