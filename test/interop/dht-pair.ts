/** A DHT of some nodes of bip and some of libtorrent, so small that every search asks all of them. @module */

import {
  type DhtItem,
  type GetResult,
  type PeersOptions,
  type PeersResult,
  targetOf,
} from '../../src/dht/index.ts';
import { DhtCrowd, SEARCH_MS } from './dht-crowd.ts';
import { LibtorrentDht } from './peers/libtorrent-dht.ts';

export interface DhtPairOptions {
  readonly bip: readonly string[];
  readonly libtorrent: readonly string[];
}

const HOSTS: DhtPairOptions = {
  bip: ['127.0.0.31', '127.0.0.32', '127.0.0.33'],
  libtorrent: ['127.0.0.41', '127.0.0.42'],
};

export class DhtPair implements AsyncDisposable {
  readonly bip: DhtCrowd;
  readonly libtorrent: LibtorrentDht;

  /** Everyone knows everyone when this settles. */
  static async open(hosts: DhtPairOptions = HOSTS): Promise<DhtPair> {
    await using stack = new AsyncDisposableStack();
    const bip = stack.use(await DhtCrowd.open(hosts.bip));
    const libtorrent = stack.use(await LibtorrentDht.start(hosts.libtorrent));
    // It would find them by itself, one in five seconds.
    const all = [...bip.nodes, ...libtorrent.nodes];
    for (const node of libtorrent.nodes) {
      for (const other of all) if (other !== node) node.tell('know', { at: other.endpoint });
    }
    const pair = new DhtPair(bip, libtorrent);
    await bip.knows(pair.others);
    await libtorrent.knows(pair.others);
    stack.move();
    return pair;
  }

  private constructor(bip: DhtCrowd, libtorrent: LibtorrentDht) {
    this.bip = bip;
    this.libtorrent = libtorrent;
  }

  /** Nodes beside the one that searches. */
  get others(): number {
    return this.bip.nodes.length + this.libtorrent.nodes.length - 1;
  }

  /** The same result of all nodes beside the one that searches. */
  all<T>(result: T): readonly T[] {
    return Array.from({ length: this.others }, () => result);
  }

  /**
   * Lets a node of bip write an item to all others.
   *
   * @returns what each made of it: `stored`, the code of an error, or `timedOut`.
   */
  async put(
    node: number,
    item: DhtItem,
    compareSequence?: bigint,
  ): Promise<readonly (string | number)[]> {
    const { dht } = this.bip.node(node);
    const salt = item.type === 'mutable' ? item.salt : undefined;
    const signal = AbortSignal.timeout(SEARCH_MS);
    const options = { signal, salt, compareSequence, make: () => item };
    const { writes } = theOnly(await dht.putItem(targetOf(item), options));
    return writes.map(({ outcome, code }) => code ?? outcome);
  }

  /** Lets a node of bip search for an item. */
  async get(node: number, target: Uint8Array, salt?: Uint8Array): Promise<GetResult> {
    const signal = AbortSignal.timeout(SEARCH_MS);
    return theOnly(await this.bip.node(node).dht.getItem(target, { signal, salt }));
  }

  /** Lets a node of bip search for the peers of a torrent. */
  async peers(
    node: number,
    infoHash: Uint8Array,
    options: Pick<PeersOptions, 'announce' | 'scrape'> = {},
  ): Promise<PeersResult> {
    const signal = AbortSignal.timeout(SEARCH_MS);
    return theOnly(await this.bip.node(node).dht.findPeers(infoHash, { signal, ...options }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.libtorrent[Symbol.asyncDispose]();
    await this.bip[Symbol.asyncDispose]();
  }
}

/** These nodes have one socket. */
export function theOnly<T>(results: readonly T[]): T {
  const [result] = results;
  if (result === undefined) throw new Error('there is no result');
  return result;
}
