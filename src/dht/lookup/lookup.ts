/**
 * The search for the nodes closest to a target (Kademlia §2.3): at any time α queries are under way to
 * the closest that were not asked yet, until the closest k that are alive have answered.
 *
 * A node that does not answer in the short time is waited for no longer, but counts if it answers
 * before the end; one of the closest is asked a second time, since packets get lost. Pure: told what
 * happened, asked whom to query next.
 *
 * @module
 */

import { equalBytes } from '../../base/bytes.ts';
import { formatEndpoint } from '../../base/endpoint.ts';
import { parseIp } from '../../base/ip.ts';
import type { Millis } from '../../runtime/ports.ts';
import type { Contact } from '../contact.ts';
import { compareDistance } from '../distance.ts';
import { isPlausible } from '../plausible.ts';
import { isSecureId } from '../secure-id.ts';
import { Candidate, type CandidateState } from './candidate.ts';

export interface LookupOptions {
  /** 20 bytes. */
  readonly target: Uint8Array;
  /** Us: never asked. */
  readonly ownId: Uint8Array;
  /** How many of the closest have to answer. */
  readonly k: number;
  /** How many queries are under way at once, those that are slow left out. */
  readonly alpha: number;
  /** One node of an address and {@link MAX_PER_NETWORK} of a network; not on loopback. */
  readonly limitAddresses: boolean;
  /** Leaves out nodes whose ids do not follow from their addresses (BEP 42). */
  readonly onlySecure: boolean;
}

export class Lookup {
  readonly target: Uint8Array;
  readonly #options: LookupOptions;
  /** Nearest first. */
  #sorted: Candidate[] = [];
  /** Those of which only the address is known. */
  readonly #nameless: Candidate[] = [];
  /** All that were ever heard of, by address. */
  readonly #known = new Map<string, Candidate>();
  readonly #hosts = new Map<string, Candidate>();
  readonly #networks = new Map<string, number>();
  /** Of all answers so far. */
  #slowestMs: Millis = 0;

  constructor(options: LookupOptions) {
    this.target = options.target;
    this.#options = options;
  }

  /** Takes in a node that was heard of `hop` answers from the start. Returns whether it is new and may be asked. */
  add({ id, endpoint }: Contact, hop: number): boolean {
    const ip = parseIp(endpoint.host);
    if (ip === undefined || !isPlausible(ip, endpoint.port)) return false;
    if (this.#isFar(id) || equalBytes(id, this.#options.ownId)) return false;
    if (this.#options.onlySecure && !isSecureId(id, ip)) return false;
    const candidate = new Candidate(endpoint, id.slice(), hop);
    if (!this.#outdo(candidate) || !this.#admit(candidate, ip)) return false;
    this.#insert(candidate);
    return true;
  }

  /** Takes in a node of which only the address is known: asked when nobody else is left to ask. */
  addNameless(endpoint: Contact['endpoint']): void {
    const key = formatEndpoint(endpoint);
    if (this.#known.has(key)) return;
    const candidate = new Candidate(endpoint, undefined, 0);
    this.#known.set(key, candidate);
    this.#nameless.push(candidate);
  }

  /** Whom to ask now; they count as asked. */
  take(): Candidate[] {
    const taken = this.#wanted(this.#options.alpha - this.#flying());
    for (const candidate of taken) {
      candidate.state = 'asked';
      candidate.attempts++;
      candidate.pending++;
    }
    return taken;
  }

  /**
   * It answered under this id, `rttMs` after it was asked. A node that was named with another id is moved
   * to where it belongs.
   */
  answered(candidate: Candidate, id: Uint8Array, rttMs: Millis): void {
    candidate.pending--;
    this.#slowestMs = Math.max(this.#slowestMs, rttMs);
    if (candidate.state === 'answered') return;
    candidate.state = 'answered';
    if (candidate.id !== undefined && equalBytes(id, candidate.id)) return;
    this.#sorted = this.#sorted.filter((other) => other !== candidate);
    candidate.id = id.slice();
    this.#insert(candidate);
  }

  /** No answer in the short time. */
  slow(candidate: Candidate): void {
    if (candidate.state !== 'asked') return;
    candidate.state = this.#deservesRetry(candidate) ? 'fresh' : 'slow';
  }

  /** It answered, and will not say more: it is of no use. */
  refused(candidate: Candidate): void {
    candidate.attempts = MAX_ATTEMPTS;
    this.failed(candidate);
  }

  /** No answer in the long time. */
  failed(candidate: Candidate): void {
    candidate.pending--;
    if (candidate.state === 'answered' || candidate.pending > 0) return;
    candidate.state = this.#deservesRetry(candidate) ? 'fresh' : 'failed';
    if (candidate.state === 'failed') this.#release(candidate);
  }

  /** Whether no further answer can matter. */
  get isDone(): boolean {
    let alive = 0;
    let slow = 0;
    for (const { state } of this.#sorted) {
      if (state === 'answered' && ++alive === this.#options.k) return true;
      if (state === 'fresh' || state === 'asked') return false;
      if (state === 'slow') slow++;
    }
    if (slow > 0 && !this.#areDead(slow, alive)) return false;
    const patience = alive > 0 ? NEEDED : WANTED;
    return !this.#nameless.some(({ state }) => patience.includes(state));
  }

  /** Whether so few are known that it may end without having come near. */
  get isStarving(): boolean {
    let alive = 0;
    for (const { state } of this.#sorted) if (state !== 'failed') alive++;
    return alive < this.#options.k;
  }

  /** Those that answered, nearest first. */
  answeredOnes(): Candidate[] {
    return this.#sorted.filter(({ state }) => state === 'answered');
  }

  /** The k nearest of those that answered, nearest first. */
  closest(): Candidate[] {
    return this.answeredOnes().slice(0, this.#options.k);
  }

  /** At most `room` that were not asked yet: nearer ones than the k that answered, then the nameless. */
  #wanted(room: number): Candidate[] {
    const wanted: Candidate[] = [];
    let alive = 0;
    for (const candidate of this.#sorted) {
      if (wanted.length >= room) return wanted;
      if (candidate.state === 'fresh') wanted.push(candidate);
      if (candidate.state === 'answered' && ++alive === this.#options.k) return wanted;
    }
    const nameless = this.#nameless.filter(({ state }) => state === 'fresh');
    return [...wanted, ...nameless].slice(0, Math.max(0, room));
  }

  /** Where most nodes answer at once, those that did not in the short time, twice, never will. */
  #areDead(slow: number, alive: number): boolean {
    return alive > slow && this.#slowestMs <= AT_ONCE_MS;
  }

  #flying(): number {
    return this.#sorted.filter(isFlying).length + this.#nameless.filter(isFlying).length;
  }

  #deservesRetry(candidate: Candidate): boolean {
    if (candidate.attempts >= MAX_ATTEMPTS) return false;
    let rank = 0;
    for (const other of this.#sorted) {
      if (other === candidate) return true;
      if (other.state !== 'failed' && ++rank === this.#options.k) return false;
    }
    return true;
  }

  /** There are so many nearer ones that it will never be asked. */
  #isFar(id: Uint8Array): boolean {
    const last = this.#sorted.length < MAX_CANDIDATES ? undefined : this.#sorted.at(-1)?.id;
    return last !== undefined && compareDistance(this.target, id, last) >= 0;
  }

  /**
   * Whether the address, and where that counts the host, is free for a candidate, or made free: of two
   * claims about one address nobody knows which is right. Whoever remembers an old id of a node, or makes
   * one up, shall not keep the search from asking it, so that the closer one counts until it was asked.
   */
  #outdo({ endpoint, id }: Candidate): boolean {
    const rivals = [this.#known.get(formatEndpoint(endpoint)), this.#hosts.get(endpoint.host)];
    for (const rival of rivals) {
      if (rival === undefined) continue;
      if (rival.attempts > 0 || rival.id === undefined || id === undefined) return false;
      if (compareDistance(this.target, id, rival.id) >= 0) return false;
    }
    for (const rival of rivals) if (rival !== undefined) this.#forget(rival);
    return true;
  }

  #forget(candidate: Candidate): void {
    this.#sorted = this.#sorted.filter((other) => other !== candidate);
    this.#known.delete(formatEndpoint(candidate.endpoint));
    this.#release(candidate);
  }

  #admit(candidate: Candidate, ip: Uint8Array): boolean {
    const { endpoint } = candidate;
    if (this.#options.limitAddresses) {
      const network = networkOf(ip);
      const inNetwork = this.#networks.get(network) ?? 0;
      if (inNetwork >= MAX_PER_NETWORK) return false;
      this.#hosts.set(endpoint.host, candidate);
      this.#networks.set(network, inNetwork + 1);
    }
    this.#known.set(formatEndpoint(endpoint), candidate);
    return true;
  }

  /** Whoever names a dead node at the address of another shall not keep that one out. */
  #release(candidate: Candidate): void {
    const { host } = candidate.endpoint;
    const ip = parseIp(host);
    if (ip === undefined || this.#hosts.get(host) !== candidate) return;
    this.#hosts.delete(host);
    const network = networkOf(ip);
    this.#networks.set(network, (this.#networks.get(network) ?? 1) - 1);
  }

  #insert(candidate: Candidate): void {
    const { id } = candidate;
    if (id === undefined) return;
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#sorted[middle]?.id;
      if (other !== undefined && compareDistance(this.target, other, id) <= 0) low = middle + 1;
      else high = middle;
    }
    this.#sorted.splice(low, 0, candidate);
    this.#drop();
  }

  #drop(): void {
    const last = this.#sorted.at(-1);
    if (this.#sorted.length > MAX_CANDIDATES && last?.state === 'fresh') this.#sorted.pop();
  }
}

function isFlying({ state }: Candidate): boolean {
  return state === 'asked';
}

function networkOf(ip: Uint8Array): string {
  return ip.subarray(0, ip.length === 4 ? 3 : 8).join('.');
}

/** Nameless nodes that are waited for while nobody has answered, and when somebody has. */
const WANTED: readonly CandidateState[] = ['fresh', 'asked', 'slow'];
const NEEDED: readonly CandidateState[] = ['fresh', 'asked'];

/** A quarter of the short time. */
const AT_ONCE_MS = 250;

/** A search asks some 30 to 60; what is farther than so many others is never asked. */
const MAX_CANDIDATES = 200;

/** The first query and one more. */
const MAX_ATTEMPTS = 2;

/** Of an IPv4 /24 or an IPv6 /64: libtorrent asks one; some providers put several customers in one. */
const MAX_PER_NETWORK = 2;
