/** The addresses of a torrent's peers: which to call next, which never again. @module */

import { type Endpoint, formatEndpoint } from '../base/endpoint.ts';
import { ipFamily } from '../base/ip.ts';
import type { Millis } from '../runtime/ports.ts';
import type { Opening } from './encryption.ts';

/** Where an address came from. What the user named is never given up. */
export type PeerSource = 'user' | 'tracker' | 'lpd' | 'dht' | 'pex';

/** Of an address that is known from several sources the one that says most about it counts. */
const RANK: Readonly<Record<PeerSource, number>> = { pex: 0, dht: 1, lpd: 2, tracker: 3, user: 4 };

/** Addresses kept; libtorrent's `max_peerlist_size`. */
const MAX_CANDIDATES = 3_000;
/** First pause after a failure; it doubles with each. libtorrent waits 60 s; newcomers wait less. */
const RETRY_PAUSE: Millis = 15_000;
const MAX_PAUSE: Millis = 600_000;
/** Addresses that the user named are tried again sooner. */
const USER_RETRY_PAUSE: Millis = 1_000;
const USER_MAX_PAUSE: Millis = 15_000;
/**
 * Failures in a row after which an address is forgotten; libtorrent's `max_failcount`. What a peer says
 * of others deserves less patience: it may be made up, and it comes for nothing.
 */
const MAX_FAILURES: Readonly<Record<PeerSource, number>> = {
  pex: 2,
  dht: 3,
  lpd: 3,
  tracker: 3,
  user: Number.POSITIVE_INFINITY,
};
/** Thirty calls a second, libtorrent's `connection_speed`; as many at once after a rest. */
const CALL_INTERVAL: Millis = 33;
const MAX_CALLS_AT_ONCE = 30;

interface Candidate {
  readonly endpoint: Endpoint;
  source: PeerSource;
  failures: number;
  /** Not to be called before. */
  notBefore: Millis;
  state: 'idle' | 'busy' | 'ourselves';
  /** What led to it when we called it last. */
  opening?: Opening;
  /** It wants nothing of anybody, as far as is known: a seed, or a partial one (BEP 21). */
  uploadOnly: boolean;
}

export class PeerPool {
  readonly #candidates = new Map<string, Candidate>();
  readonly #banned = new Set<string>();
  /** Those who want nothing are not called: we want nothing either. */
  isSeeding = false;
  /** When all calls so far will be forgiven. */
  #freshAt: Millis = 0;

  get size(): number {
    return this.#candidates.size;
  }

  /**
   * True when it was not known. Banned addresses and port 0 are passed over; when there is no room, it
   * takes the place of one from a lesser source, or is passed over, too.
   */
  add(
    endpoint: Endpoint,
    source: PeerSource,
    { uploadOnly = false }: { readonly uploadOnly?: boolean } = {},
  ): boolean {
    const key = formatEndpoint(endpoint);
    const known = this.#candidates.get(key);
    if (known !== undefined) {
      if (RANK[source] > RANK[known.source]) known.source = source;
      return false;
    }
    if (endpoint.port === 0 || this.isBanned(endpoint)) return false;
    if (this.#candidates.size >= MAX_CANDIDATES && !this.#displace(source)) return false;
    const fresh = { failures: 0, notBefore: 0, state: 'idle', uploadOnly } as const;
    this.#candidates.set(key, { endpoint, source, ...fresh });
    return true;
  }

  /** The next to be called, noted as busy; those with the fewest failures first, then the best source. */
  next(now: Millis): Endpoint | undefined {
    if (this.#callableAt > now) return undefined;
    let best: Candidate | undefined;
    for (const candidate of this.#candidates.values()) {
      if (!this.#isCallable(candidate) || candidate.notBefore > now) continue;
      if (best === undefined || isBetter(candidate, best)) best = candidate;
    }
    if (best === undefined) return undefined;
    best.state = 'busy';
    this.#freshAt = Math.max(this.#freshAt, now) + CALL_INTERVAL;
    return best.endpoint;
  }

  /** When {@link next} may have something; `undefined` when it never will by itself. */
  nextAt(): Millis | undefined {
    let at: Millis | undefined;
    for (const candidate of this.#candidates.values()) {
      if (!this.#isCallable(candidate)) continue;
      if (at === undefined || candidate.notBefore < at) at = candidate.notBefore;
    }
    return at === undefined ? undefined : Math.max(at, this.#callableAt);
  }

  /** A peer that is known says that it wants nothing any more, or something again. */
  noteUploadOnly(endpoint: Endpoint, uploadOnly: boolean): void {
    const candidate = this.#candidates.get(formatEndpoint(endpoint));
    if (candidate !== undefined) candidate.uploadOnly = uploadOnly;
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
    if (candidate.failures >= MAX_FAILURES[candidate.source]) {
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

  /** The pause after a failure is over for this address. */
  hurry(endpoint: Endpoint): void {
    const candidate = this.#candidates.get(formatEndpoint(endpoint));
    if (candidate !== undefined) candidate.notBefore = 0;
  }

  /** Forgets an address that is known from there alone; one that is being called with its next failure. */
  retract(endpoint: Endpoint, source: PeerSource): void {
    const key = formatEndpoint(endpoint);
    const candidate = this.#candidates.get(key);
    if (candidate?.source !== source) return;
    if (candidate.state === 'idle') this.#candidates.delete(key);
    else candidate.failures = MAX_FAILURES[source] - 1;
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

  /** The earliest moment at which the speed limit allows a call. */
  get #callableAt(): Millis {
    return this.#freshAt - (MAX_CALLS_AT_ONCE - 1) * CALL_INTERVAL;
  }

  #isCallable({ state, uploadOnly, source }: Candidate): boolean {
    return state === 'idle' && !(this.isSeeding && uploadOnly && source !== 'user');
  }

  /** Makes room for an address of this source; false when all that are there are as good. */
  #displace(source: PeerSource): boolean {
    if (source === 'user') return true;
    let least: Candidate | undefined;
    for (const candidate of this.#candidates.values()) {
      if (candidate.state !== 'idle') continue;
      if (RANK[candidate.source] < RANK[least?.source ?? source]) least = candidate;
    }
    return least !== undefined && this.#candidates.delete(formatEndpoint(least.endpoint));
  }
}

function isBetter(a: Candidate, b: Candidate): boolean {
  return a.failures < b.failures || (a.failures === b.failures && RANK[a.source] > RANK[b.source]);
}

function banKey(endpoint: Endpoint): string {
  const { host } = endpoint;
  const isLoopback = host === '::1' || (ipFamily(host) === 4 && host.startsWith('127.'));
  return isLoopback ? formatEndpoint(endpoint) : host;
}
