/**
 * What peers tell a torrent of each other (BEP 11), and how far that is believed. Addresses from peers may
 * be made up, to waste our time or to turn a swarm on a victim: each peer has a measure of how many it may
 * name, and who names nobody that can be reached is listened to no more.
 *
 * @module
 */

import { type Endpoint, formatEndpoint } from '../base/endpoint.ts';
import { ProtocolError } from '../base/errors.ts';
import { ipScope } from '../base/ip-scope.ts';
import {
  MAX_PEX_SENT,
  MAX_PEX_TAKEN,
  PEX_FLAG,
  type PexMessage,
  type PexPeer,
} from '../peer/index.ts';
import type { Millis } from '../runtime/ports.ts';
import { reaches } from './peer-exchange.ts';
import type { PeerLink } from './peer-link.ts';

/** BEP 11 allows one message a minute; six at once may have waited for a slow line (as in libtorrent). */
const INTERVAL: Millis = 60_000;
const MAX_MESSAGES = 6;
/** Addresses of one peer that count as being there at once; twice libtorrent's `max_pex_peers`. */
const MAX_KNOWN = 100;
/** So many that one peer named were called, and none was there: it is believed no more for a while. */
const MAX_IN_VAIN = 20;
/** Half of the calls in vain are forgiven after this time: it may have been our own line that was dead. */
const FORGIVEN: Millis = 600_000;
/** Addresses of which is known who named them; as many as a pool of addresses holds. */
const MAX_ORIGINS = 3_000;
/** Hosts whose word is weighed; beyond, the one that was heard of least recently is forgotten. */
const MAX_TELLERS = 500;

/** As much of a link as matters here. */
export type Telling = Pick<PeerLink, 'remote' | 'listening'>;

export interface PeerTipsOptions {
  /** A peer to be called, perhaps one that is known already. */
  readonly onPeer: (endpoint: Endpoint, about: { readonly uploadOnly: boolean }) => void;
  /** The host's word counts no more, nor what it said of others that were not called yet. */
  readonly onDistrust: (teller: string, named: readonly Endpoint[]) => void;
  /** Where we listen, as far as we know. */
  readonly isOurselves: (endpoint: Endpoint) => boolean;
}

/** What one host is worth as a source, over all its connections. */
interface Teller {
  /** Addresses that it may name now. */
  credit: number;
  creditAt: Millis;
  /** Of those that it named: calls that came to nothing, and those that did not. */
  failed: number;
  worked: number;
}

interface Origin {
  readonly endpoint: Endpoint;
  readonly teller: Teller;
  /** It was called in vain. */
  failed: boolean;
}

/** What one link said. */
interface Said {
  readonly at: Millis[];
  /** Peers that it says are there, with their flags. */
  readonly of: Map<string, number>;
}

export class PeerTips<Link extends Telling> {
  readonly #options: PeerTipsOptions;
  readonly #said = new Map<Link, Said>();
  readonly #tellers = new Map<string, Teller>();
  /** Who named an address that nobody was reached at yet. */
  readonly #origins = new Map<string, Origin>();

  constructor(options: PeerTipsOptions) {
    this.#options = options;
  }

  /** @throws {ProtocolError} messages come too often. */
  onMessage(link: Link, { added, dropped }: PexMessage, now: Millis): void {
    const said = this.#saidBy(link);
    noteMessage(said, now);
    for (const endpoint of dropped) said.of.delete(formatEndpoint(endpoint));
    const teller = this.#teller(link.remote.host, now);
    const hosts = new Set<string>();
    for (const peer of added) {
      if (teller.credit < 1 || isDistrusted(teller) || said.of.size >= MAX_KNOWN) break;
      const { host } = peer.endpoint;
      const isNews = !said.of.has(formatEndpoint(peer.endpoint)) && !hosts.has(host);
      if (!isNews || !reaches(peer.endpoint, link)) continue;
      // BEP 11: "Duplicate IP addresses (e.g. with different ports) should be ignored".
      if (ipScope(host) !== 'loopback') hosts.add(host);
      this.#take(peer, said, teller);
    }
  }

  /** A call to this address came to something, or to nothing. */
  onCalled(endpoint: Endpoint, worked: boolean): void {
    const key = formatEndpoint(endpoint);
    const origin = this.#origins.get(key);
    if (origin === undefined) return;
    const { teller } = origin;
    if (worked) {
      this.#origins.delete(key);
      teller.worked++;
    } else if (!origin.failed) {
      origin.failed = true;
      teller.failed++;
      if (isDistrusted(teller)) this.#disown(teller);
    }
  }

  /** Links that said that this peer is there, and that it lets itself be introduced (BEP 55). */
  *introducers(endpoint: Endpoint): Generator<Link> {
    const key = formatEndpoint(endpoint);
    for (const [link, { of }] of this.#said) {
      if (((of.get(key) ?? 0) & PEX_FLAG.holepunch) !== 0) yield link;
    }
  }

  removeLink(link: Link): void {
    this.#said.delete(link);
  }

  /** Forgets all: the torrent is private (BEP 27). */
  clear(): void {
    this.#said.clear();
    this.#origins.clear();
  }

  #take({ endpoint, flags }: PexPeer, said: Said, teller: Teller): void {
    if (this.#options.isOurselves(endpoint)) return;
    const key = formatEndpoint(endpoint);
    said.of.set(key, flags);
    teller.credit--;
    this.#noteOrigin(endpoint, teller);
    this.#options.onPeer(endpoint, { uploadOnly: (flags & PEX_FLAG.uploadOnly) !== 0 });
  }

  #saidBy(link: Link): Said {
    const said = this.#said.get(link) ?? { at: [], of: new Map<string, number>() };
    this.#said.set(link, said);
    return said;
  }

  /** It takes some time until a host is believed again: see {@link FORGIVEN}. */
  #disown(teller: Teller): void {
    teller.failed = 2 * MAX_IN_VAIN;
    const named: Endpoint[] = [];
    for (const [key, origin] of this.#origins) {
      if (origin.teller !== teller) continue;
      this.#origins.delete(key);
      named.push(origin.endpoint);
    }
    for (const [host, other] of this.#tellers) {
      if (other === teller) this.#options.onDistrust(host, named);
    }
  }

  #noteOrigin(endpoint: Endpoint, teller: Teller): void {
    const key = formatEndpoint(endpoint);
    if (this.#origins.has(key)) return;
    if (this.#origins.size === MAX_ORIGINS) {
      const [oldest = key] = this.#origins.keys();
      this.#origins.delete(oldest);
    }
    this.#origins.set(key, { endpoint, teller, failed: false });
  }

  #teller(host: string, now: Millis): Teller {
    const teller = this.#tellers.get(host) ?? {
      credit: MAX_PEX_TAKEN,
      creditAt: now,
      failed: 0,
      worked: 0,
    };
    const earned = ((now - teller.creditAt) / INTERVAL) * MAX_PEX_SENT;
    teller.credit = Math.min(MAX_PEX_TAKEN, teller.credit + earned);
    teller.failed *= 0.5 ** ((now - teller.creditAt) / FORGIVEN);
    teller.creditAt = now;
    // The most recent goes to the end.
    this.#tellers.delete(host);
    this.#tellers.set(host, teller);
    if (this.#tellers.size > MAX_TELLERS) {
      const [oldest = host] = this.#tellers.keys();
      this.#tellers.delete(oldest);
    }
    return teller;
  }
}

/** @throws {ProtocolError} this is one too many. */
function noteMessage({ at }: Said, now: Millis): void {
  const [first] = at;
  if (at.length === MAX_MESSAGES && first !== undefined && now - first < INTERVAL) {
    throw new ProtocolError('the peer sends PEX messages too often', { rule: 'BEP 11 interval' });
  }
  if (at.length === MAX_MESSAGES) at.shift();
  at.push(now);
}

function isDistrusted({ failed, worked }: Teller): boolean {
  return worked === 0 && failed >= MAX_IN_VAIN;
}
