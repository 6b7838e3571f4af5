/** The addresses of a torrent's peers: which to call next, which never again. @module */

import { type Endpoint, formatEndpoint } from '../base/endpoint.ts';
import { ipFamily } from '../base/ip.ts';
import type { Millis } from '../runtime/ports.ts';
import type { Opening } from './encryption.ts';

/** Where an address came from. What the user named is never given up. */
export type PeerSource = 'user' | 'tracker' | 'lpd' | 'dht';

/** Of an address that is known from several sources the one that says most about it counts. */
const RANK: Readonly<Record<PeerSource, number>> = { dht: 0, lpd: 1, tracker: 2, user: 3 };

/** Addresses kept; libtorrent's `max_peerlist_size`. */
const MAX_CANDIDATES = 3_000;
/** First pause after a failure; it doubles with each. libtorrent waits 60 s; newcomers wait less. */
const RETRY_PAUSE: Millis = 15_000;
const MAX_PAUSE: Millis = 600_000;
/** Addresses that the user named are tried again sooner. */
const USER_RETRY_PAUSE: Millis = 1_000;
const USER_MAX_PAUSE: Millis = 15_000;
/** Failures in a row after which an address from elsewhere is forgotten; libtorrent's `max_failcount`. */
const MAX_FAILURES = 3;

interface Candidate {
  readonly endpoint: Endpoint;
  source: PeerSource;
  failures: number;
  /** Not to be called before. */
  notBefore: Millis;
  state: 'idle' | 'busy' | 'ourselves';
  /** What led to it when we called it last. */
  opening?: Opening;
}

export class PeerPool {
  readonly #candidates = new Map<string, Candidate>();
  readonly #banned = new Set<string>();

  get size(): number {
    return this.#candidates.size;
  }

  /** True when it was not known. Banned addresses and port 0 are passed over. */
  add(endpoint: Endpoint, source: PeerSource): boolean {
    const key = formatEndpoint(endpoint);
    const known = this.#candidates.get(key);
    if (known !== undefined) {
      if (RANK[source] > RANK[known.source]) known.source = source;
      return false;
    }
    if (endpoint.port === 0 || this.isBanned(endpoint)) return false;
    if (this.#candidates.size >= MAX_CANDIDATES && source !== 'user') return false;
    this.#candidates.set(key, { endpoint, source, failures: 0, notBefore: 0, state: 'idle' });
    return true;
  }

  /** The next to be called, noted as busy; those with the fewest failures first. */
  next(now: Millis): Endpoint | undefined {
    let best: Candidate | undefined;
    for (const candidate of this.#candidates.values()) {
      if (candidate.state !== 'idle' || candidate.notBefore > now) continue;
      if (best === undefined || candidate.failures < best.failures) best = candidate;
    }
    if (best !== undefined) best.state = 'busy';
    return best?.endpoint;
  }

  /** When {@link next} may have something; `undefined` when it never will by itself. */
  nextAt(): Millis | undefined {
    let at: Millis | undefined;
    for (const { state, notBefore } of this.#candidates.values()) {
      if (state === 'idle' && (at === undefined || notBefore < at)) at = notBefore;
    }
    return at;
  }

  /** A connection to this address stands, whoever called; `opening` is how we did. */
  connected(endpoint: Endpoint, opening?: Opening): void {
    const candidate = this.#candidates.get(formatEndpoint(endpoint));
    if (candidate === undefined) return;
    candidate.state = 'busy';
    candidate.failures = 0;
    if (opening !== undefined) candidate.opening = opening;
  }

  /** How the peer was called when that worked last. */
  openingOf(endpoint: Endpoint): Opening | undefined {
    return this.#candidates.get(formatEndpoint(endpoint))?.opening;
  }

  /** A connection or an attempt ended. `worked` is true when the peer was of use. */
  released(endpoint: Endpoint, worked: boolean, now: Millis): void {
    const key = formatEndpoint(endpoint);
    const candidate = this.#candidates.get(key);
    if (candidate === undefined || candidate.state === 'ourselves') return;
    candidate.state = 'idle';
    candidate.failures = worked ? 0 : candidate.failures + 1;
    const user = candidate.source === 'user';
    if (!user && candidate.failures >= MAX_FAILURES) {
      this.#candidates.delete(key);
      return;
    }
    const [first, most] = user ? [USER_RETRY_PAUSE, USER_MAX_PAUSE] : [RETRY_PAUSE, MAX_PAUSE];
    candidate.notBefore = now + Math.min(most, first * 2 ** Math.max(0, candidate.failures - 1));
  }

  /** Calls nobody any more who is known from there alone; connections that stand are left alone. */
  forget(source: PeerSource): void {
    for (const [key, candidate] of this.#candidates) {
      if (candidate.source === source) this.#candidates.delete(key);
    }
  }

  /** That address is our own: never again. */
  isOurselves(endpoint: Endpoint): void {
    const candidate = this.#candidates.get(formatEndpoint(endpoint));
    if (candidate !== undefined) candidate.state = 'ourselves';
  }

  /**
   * Never again: neither called nor let in. On loopback, where peers share an address, the port
   * counts too.
   */
  ban(endpoint: Endpoint): void {
    this.#banned.add(banKey(endpoint));
    for (const [key, candidate] of this.#candidates) {
      if (banKey(candidate.endpoint) === banKey(endpoint)) this.#candidates.delete(key);
    }
  }
  isBanned(endpoint: Endpoint): boolean {
    return this.#banned.has(banKey(endpoint));
  }
}

function banKey(endpoint: Endpoint): string {
  const { host } = endpoint;
  const isLoopback = host === '::1' || (ipFamily(host) === 4 && host.startsWith('127.'));
  return isLoopback ? formatEndpoint(endpoint) : host;
}
