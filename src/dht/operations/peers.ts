/** Peers of a torrent: searched for, counted, announced (BEP 5, 33). @module */

import {
  decodeCompact,
  type Endpoint,
  encodeCompact,
  formatEndpoint,
} from '../../base/endpoint.ts';
import { parseIp } from '../../base/ip.ts';
import { PeerBloom } from '../bloom.ts';
import { compareDistance } from '../distance.ts';
import type { KrpcResponse } from '../krpc/index.ts';
import type { Candidate } from '../lookup/candidate.ts';
import type { LookupEvent, LookupNode, LookupSummary } from '../lookup/events.ts';
import { mayName } from '../plausible.ts';
import { K, type SearchContext, search } from '../search.ts';
import { type WriteResult, writeToClosest } from './write.ts';

export interface PeersOptions {
  readonly signal: AbortSignal;
  readonly onEvent?: ((event: LookupEvent) => void) | undefined;
  /** Called once for each peer. */
  readonly onPeer?: ((peer: Endpoint) => void) | undefined;
  /** Called for each node that was announced to. */
  readonly onWrite?: ((result: WriteResult) => void) | undefined;
  /** Asks for no seeds (BEP 33). */
  readonly noSeed?: boolean | undefined;
  /** Asks for blooms, too, and adds them up (BEP 33). */
  readonly scrape?: boolean | undefined;
  readonly announce?: Announcement | undefined;
}

/** How a peer is announced. */
export interface Announcement {
  /** The port that the peer listens on; undefined for the one that the query comes from. */
  readonly port: number | undefined;
  readonly seed: boolean;
}

export interface PeersResult {
  readonly lookup: LookupSummary;
  readonly peers: readonly Endpoint[];
  readonly writes: readonly WriteResult[];
  /** Only when it was asked for. */
  readonly scrape: ScrapeResult | undefined;
}

/** What the nodes near a torrent know about its swarm. */
export interface ScrapeResult {
  /** Of all that gave blooms, and of those that gave peers alone. */
  readonly seeds: PeerBloom;
  readonly leechers: PeerBloom;
  /** Nodes that gave blooms. */
  readonly answers: number;
}

/**
 * Searches for the peers of a torrent, by the 20 bytes of its infohash, in one realm.
 *
 * @throws `signal.reason` when aborted.
 */
export async function findPeers(
  context: SearchContext,
  infoHash: Uint8Array,
  options: PeersOptions,
): Promise<PeersResult> {
  const { signal, onEvent, onPeer, noSeed, scrape, announce } = options;
  const peers = new Map<string, Endpoint>();
  const count = scrape === true ? new Scrape() : undefined;
  const add = (peer: Endpoint): void => {
    const key = formatEndpoint(peer);
    if (peers.has(key) || peers.size === MAX_PEERS) return;
    peers.set(key, peer);
    onPeer?.(peer);
  };
  const onAnswer = (response: KrpcResponse, from: LookupNode): void => {
    const given = peersOf(response).filter((peer) => mayName(from.endpoint, peer));
    count?.add(response, given);
    for (const peer of given) add(peer);
  };
  for (const peer of announcedHere(context, infoHash, noSeed === true)) add(peer);
  const question = { method: 'get_peers', args: { infoHash, noSeed, scrape } } as const;
  const found = await search(context, infoHash, { question, signal, onEvent, onAnswer });
  const writes =
    announce === undefined
      ? []
      : await writeToClosest(context, found.answered, {
          method: 'announce_peer',
          argsFor: () => announceArgs(infoHash, announce),
          signal,
          onWrite: options.onWrite,
        });
  if (announce !== undefined) announceHere(context, infoHash, { ...found, announce });
  return { lookup: found.summary, peers: [...peers.values()], writes, scrape: count?.result() };
}

/** Peers that this node itself was told of: a search asks others only. */
function announcedHere(
  { realm: { family }, stores, clock }: SearchContext,
  infoHash: Uint8Array,
  noSeed: boolean,
): readonly Endpoint[] {
  const how = { family, noSeed, maxCount: MAX_OWN };
  const values = stores.peers.sample(infoHash, how, clock.now());
  return values.flatMap((value) => decodeCompact(value, family));
}

/**
 * Of those that a peer is to be announced to, this node may be one: of a DHT of few it always is, and may
 * be the only one that others ask.
 */
function announceHere(
  { realm, stores, clock }: SearchContext,
  infoHash: Uint8Array,
  {
    answered,
    announce: { port, seed },
  }: { readonly answered: readonly Candidate[]; readonly announce: Announcement },
): void {
  const host = realm.ownHost;
  const farthest = answered[K - 1]?.id;
  const { ownId } = realm.table;
  const isOne = farthest === undefined || compareDistance(infoHash, ownId, farthest) < 0;
  if (host === undefined || !isOne || realm.isReadOnly) return;
  const peer = encodeCompact({ host, port: port ?? realm.local.port });
  if (peer !== undefined) stores.peers.announce(infoHash, peer, { seed }, clock.now());
}

function announceArgs(
  infoHash: Uint8Array,
  { port, seed }: Announcement,
): { infoHash: Uint8Array; port: number; impliedPort: boolean; seed: boolean } {
  // BEP 5: with implied_port the other one is not looked at, but old nodes do not know it.
  return { infoHash, port: port ?? 1, impliedPort: port === undefined, seed };
}

function peersOf({ values = [] }: KrpcResponse): Endpoint[] {
  return values.flatMap((value) => decodeCompact(value, value.length === 6 ? 4 : 6));
}

/** Adds up blooms; peers without a bloom count as leechers unless they are known as seeds (BEP 33). */
class Scrape {
  readonly #seeds = new PeerBloom();
  readonly #leechers = new PeerBloom();
  readonly #bare: Uint8Array[] = [];
  #answers = 0;

  add({ seedBloom, peerBloom }: KrpcResponse, peers: readonly Endpoint[]): void {
    if (seedBloom !== undefined && peerBloom !== undefined) {
      this.#answers++;
      this.#seeds.merge(new PeerBloom(seedBloom));
      this.#leechers.merge(new PeerBloom(peerBloom));
      return;
    }
    for (const { host } of peers) {
      const ip = parseIp(host);
      if (ip !== undefined) this.#bare.push(ip);
    }
  }

  result(): ScrapeResult {
    for (const ip of this.#bare) if (!this.#seeds.has(ip)) this.#leechers.insert(ip);
    return { seeds: this.#seeds, leechers: this.#leechers, answers: this.#answers };
  }
}

/** Peers kept of one search; swarms have more, nobody can use them. */
const MAX_PEERS = 20_000;
/** Peers taken of our own store. */
const MAX_OWN = 200;
