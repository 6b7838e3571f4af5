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
import { Candidate, type CandidateState } from './candidate.ts';
import { closestOf, Tally } from './choice.ts';

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
  /** Queries to each host and network: nobody shall have us send more where there may be no node. */
  readonly #queries = new Map<string, number>();
  /** Those in whose place of an address or network others stand. */
  #waiting: Claim[] = [];
  /** Of all answers so far. */
  #slowestMs: Millis = 0;

  constructor(options: LookupOptions) {
    this.target = options.target;
    this.#options = options;
  }

  /**
   * Takes in a node that was heard of `hop` answers from the start, named by `sponsor`. Returns whether
   * it is new and may be asked.
   */
  add({ id, endpoint }: Contact, hop: number, sponsor?: Candidate): boolean {
    const ip = parseIp(endpoint.host);
    if (ip === undefined || !isPlausible(ip, endpoint.port)) return false;
    if (this.#isFar(id) || equalBytes(id, this.#options.ownId)) return false;
    const candidate = new Candidate(endpoint, id.slice(), { hop, sponsor });
    if (this.#options.onlySecure && !candidate.isSecure) return false;
    if (!this.#outdo(candidate) || !this.#admit(candidate, ip)) return false;
    this.#insert(candidate);
    return true;
  }

  /** Takes in a node of which only the address is known: asked when nobody else is left to ask. */
  addNameless(endpoint: Contact['endpoint']): void {
    const key = formatEndpoint(endpoint);
    if (this.#known.has(key)) return;
    const candidate = new Candidate(endpoint, undefined, { hop: 0 });
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
      this.#countQuery(candidate.endpoint.host);
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
    candidate.speak();
    candidate.state = 'answered';
    const isMoved = candidate.id === undefined || !equalBytes(id, candidate.id);
    if (isMoved) this.#move(candidate, id.slice());
    if (!this.#isWelcome(candidate, id) || !this.#takeBack(candidate)) candidate.state = 'failed';
  }

  /** No answer in the short time. */
  slow(candidate: Candidate): void {
    if (candidate.state !== 'asked') return;
    candidate.fallSilent();
    candidate.state = this.#deservesRetry(candidate) ? 'fresh' : 'slow';
    if (candidate.state === 'slow') this.#giveWay(candidate);
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
    if (candidate.state === 'failed') this.#giveWay(candidate);
  }

  /** Whether no further answer can matter. */
  get isDone(): boolean {
    const tally = new Tally(this.#options.k);
    const count = { fresh: 0, asked: 0, slow: 0, answered: 0, failed: 0 };
    for (const candidate of this.#sorted) {
      const { state } = candidate;
      count[state]++;
      if (state === 'asked' || (state === 'fresh' && !candidate.isDoubtful)) return false;
      if (state === 'answered') tally.add(candidate);
      if (tally.isFull) return true;
    }
    return count.fresh === 0 && !this.#mayCome(count.slow, count.answered);
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

  /** The k closest of those that answered, nearest first. */
  closest(): Candidate[] {
    return closestOf(this.answeredOnes(), this.#options.k);
  }

  /**
   * At most `room` that were not asked yet: nearer ones than the k that answered, then the nameless; the
   * doubtful only when there is nobody else.
   */
  #wanted(room: number): Candidate[] {
    const tally = new Tally(this.#options.k);
    const wanted: Candidate[] = [];
    const doubtful: Candidate[] = [];
    for (const candidate of this.#sorted) {
      if (wanted.length >= room) return wanted;
      if (candidate.state === 'fresh') (candidate.isDoubtful ? doubtful : wanted).push(candidate);
      if (candidate.state === 'answered') tally.add(candidate);
      if (tally.isFull) return wanted;
    }
    const others = [...wanted, ...this.#nameless.filter(({ state }) => state === 'fresh')];
    const isIdle = others.length === 0 && room === this.#options.alpha;
    return (isIdle ? doubtful : others).slice(0, Math.max(0, room));
  }

  /** Whether it is worth waiting, when all were asked and too few have answered. */
  #mayCome(slow: number, alive: number): boolean {
    if (slow > 0 && !this.#areDead(slow, alive)) return true;
    const patience = alive > 0 ? NEEDED : WANTED;
    return this.#nameless.some(({ state }) => patience.includes(state));
  }

  /** Where most nodes answer at once, those that did not in the short time, twice, never will. */
  #areDead(slow: number, alive: number): boolean {
    return alive > slow && this.#slowestMs <= AT_ONCE_MS;
  }

  #flying(): number {
    return this.#sorted.filter(isFlying).length + this.#nameless.filter(isFlying).length;
  }

  #deservesRetry(candidate: Candidate): boolean {
    if (candidate.attempts >= MAX_ATTEMPTS || candidate.isDoubtful) return false;
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
  #outdo(candidate: Candidate): boolean {
    const known = this.#known.get(formatEndpoint(candidate.endpoint));
    if (known !== undefined && !this.#isCloser(candidate, known)) {
      this.#vouch(known, candidate);
      return false;
    }
    const rival = this.#hosts.get(candidate.endpoint.host);
    if (rival !== undefined && rival !== known) {
      if (rival.sponsor !== undefined && rival.sponsor === candidate.sponsor) return false;
      if (!this.#isCloser(candidate, rival)) return this.#wait(candidate);
      this.#wait(rival);
      this.#forget(rival);
    }
    if (known !== undefined) this.#forget(known);
    return true;
  }

  /** Whether it takes the place of a rival: that was not asked, and is not closer. */
  #isCloser({ id }: Candidate, rival: Candidate): boolean {
    if (rival.attempts > 0 || rival.id === undefined || id === undefined) return false;
    return compareDistance(this.target, id, rival.id) < 0;
  }

  /** Who was named by a liar, and by somebody else as well, is asked. */
  #vouch(known: Candidate, { id, sponsor }: Candidate): void {
    const isSame = id !== undefined && known.id !== undefined && equalBytes(id, known.id);
    if (isSame && known.attempts === 0 && known.isDoubtful) known.sponsor = sponsor;
  }

  /** Its place may become free: whoever names dead nodes beside others shall not keep these out. */
  #wait({ endpoint, id, hop, sponsor }: Candidate): false {
    const network = networkOfHost(endpoint.host);
    // One answer is good for one claim: honest nodes know few of a network.
    const isRepeated = (other: Claim): boolean =>
      sponsor !== undefined && other.sponsor === sponsor && other.network === network;
    if (id === undefined || this.#waiting.length >= MAX_WAITING) return false;
    if (this.#waiting.some(isRepeated)) return false;
    this.#waiting.push({ contact: { id, endpoint }, hop, sponsor, network });
    return false;
  }

  #forget(candidate: Candidate): void {
    this.#sorted = this.#sorted.filter((other) => other !== candidate);
    this.#known.delete(formatEndpoint(candidate.endpoint));
    this.#release(candidate);
  }

  #admit(candidate: Candidate, ip: Uint8Array): boolean {
    if (!this.#takePlace(candidate, ip)) return this.#wait(candidate);
    this.#known.set(formatEndpoint(candidate.endpoint), candidate);
    return true;
  }

  /** Counts it as one of its address and network, if there is room. */
  #takePlace(candidate: Candidate, ip: Uint8Array): boolean {
    if (!this.#options.limitAddresses) return true;
    const { host } = candidate.endpoint;
    const network = networkOf(ip);
    const inNetwork = this.#networks.get(network) ?? 0;
    if (inNetwork >= MAX_PER_NETWORK || this.#isBothered(host, network)) return false;
    this.#hosts.set(host, candidate);
    this.#networks.set(network, inNetwork + 1);
    return true;
  }

  #countQuery(host: string): void {
    for (const key of [host, networkOfHost(host)]) {
      this.#queries.set(key, (this.#queries.get(key) ?? 0) + 1);
    }
  }

  #isBothered(host: string, network: string): boolean {
    const queries = (key: string): number => this.#queries.get(key) ?? 0;
    return queries(host) >= MAX_HOST_QUERIES || queries(network) >= MAX_NETWORK_QUERIES;
  }

  /** It is dead, or slow: others of its address and network are asked. */
  #giveWay(candidate: Candidate): void {
    if (candidate.gaveWay) return;
    candidate.gaveWay = true;
    this.#release(candidate);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { contact, hop, sponsor } of waiting) this.add(contact, hop, sponsor);
  }

  /** Under the id that it has indeed: it may be ourselves, named with another id. */
  #isWelcome({ isSecure }: Candidate, id: Uint8Array): boolean {
    const { ownId, onlySecure } = this.#options;
    return (isSecure || !onlySecure) && !equalBytes(id, ownId);
  }

  /** It answered after all: it counts if nobody has taken its place. */
  #takeBack(candidate: Candidate): boolean {
    const { host } = candidate.endpoint;
    const ip = parseIp(host);
    if (!candidate.gaveWay || ip === undefined) return true;
    if (this.#hosts.has(host) || !this.#takePlace(candidate, ip)) return false;
    candidate.gaveWay = false;
    return true;
  }

  #release(candidate: Candidate): void {
    const { host } = candidate.endpoint;
    const ip = parseIp(host);
    if (ip === undefined || this.#hosts.get(host) !== candidate) return;
    this.#hosts.delete(host);
    const network = networkOf(ip);
    this.#networks.set(network, (this.#networks.get(network) ?? 1) - 1);
  }

  #move(candidate: Candidate, id: Uint8Array): void {
    this.#sorted = this.#sorted.filter((other) => other !== candidate);
    candidate.id = id;
    this.#insert(candidate);
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

/** What somebody says of a node. */
interface Claim {
  readonly contact: Contact;
  readonly hop: number;
  readonly sponsor: Candidate | undefined;
  readonly network: string;
}

function isFlying({ state }: Candidate): boolean {
  return state === 'asked';
}

function networkOfHost(host: string): string {
  const ip = parseIp(host);
  return ip === undefined ? host : networkOf(ip);
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

/** A search asks some 17 nodes, each of which names 8, or 16 at most. */
const MAX_WAITING = 256;

/** Three nodes that are said to be at one host, asked twice. */
const MAX_HOST_QUERIES = 6;
const MAX_NETWORK_QUERIES = 12;

/** The first query and one more. */
const MAX_ATTEMPTS = 2;

/** Of an IPv4 /24 or an IPv6 /64: libtorrent asks one; some providers put several customers in one. */
const MAX_PER_NETWORK = 2;
