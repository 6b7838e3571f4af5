/** What a tracker does with announces and scrapes, whatever protocol they come by. @module */

import { InvariantError } from '../../base/errors.ts';
import { scopeOfIp } from '../../base/ip-scope.ts';
import type { Clock, Random } from '../../runtime/ports.ts';
import type { RateLimiter } from '../../runtime/rate-limiter.ts';
import type { Access } from './access.ts';
import { COUNTER, type Counters } from './counters.ts';
import {
  createAnswer,
  EVENT,
  type IncomingAnnounce,
  type Refusal,
  type RemoteAnswer,
  type RemoteSwarms,
  type SwarmAnswer,
  type SwarmCounts,
  type Wanted,
} from './model.ts';
import type { NetworkSet } from './network-set.ts';
import type { SwarmStore } from './store/index.ts';

export interface TrackerOptions {
  /** How long clients are told to wait between announces. */
  readonly intervalSeconds: number;
  /** Earlier than this they must not come, whatever they want to know. */
  readonly minIntervalSeconds: number;
  /** The interval is stretched by up to this part of it, so that clients spread; 0 to 0.5. */
  readonly jitter: number;
  /** Peers in an answer, at most; no more than `MAX_PEERS_IN_ANSWER`. */
  readonly maxNumWant: number;
  /** For clients that do not say how many they want. */
  readonly defaultNumWant: number;
  /** Whose word about its address counts: nobody's, of who is near (loopback, private), everybody's. */
  readonly ipParameter: 'never' | 'local' | 'always';
  /** Reverse proxies that speak for others. */
  readonly trustedProxies?: NetworkSet;
  /** Where they say for whom; default `x-forwarded-for`. */
  readonly proxyHeader?: string;
}

export interface TrackerDeps {
  readonly store: Pick<SwarmStore, 'announce' | 'scrape' | 'time'>;
  readonly access: Access;
  readonly counters: Counters;
  readonly random: Random;
  readonly clock: Clock;
  readonly limiter?: RateLimiter;
  /** Swarms shared with other trackers: then only the calls with `Remote` in their names are right. */
  readonly remote?: RemoteSwarms;
  /** Told of every announce; what `call` points to is overwritten by the next one. */
  readonly onAnnounce?: (
    call: IncomingAnnounce,
    wanted: Wanted,
    refusal: Refusal | undefined,
  ) => void;
}

export class Tracker {
  /** May be replaced at any time. */
  access: Access;
  /** What {@link announce} fills. */
  readonly answer: SwarmAnswer = createAnswer();
  readonly options: TrackerOptions;
  readonly #deps: TrackerDeps;

  constructor(deps: TrackerDeps, options: TrackerOptions) {
    this.#deps = deps;
    this.options = options;
    this.access = deps.access;
  }

  get remote(): RemoteSwarms | undefined {
    return this.#deps.remote;
  }

  /** Seconds since the store began: the time that all workers agree on. */
  get seconds(): number {
    return this.#deps.store.time;
  }

  /** Fills `answer`, by default {@link answer}; a refusal leaves everything as it was. */
  announce(
    call: IncomingAnnounce,
    wanted: Wanted,
    passkey: string | undefined,
    answer: SwarmAnswer = this.answer,
  ): Refusal | undefined {
    const refusal = this.#refuses(call, passkey, false) ?? this.#write(call, wanted, answer);
    this.#deps.onAnnounce?.(call, wanted, refusal);
    return refusal;
  }

  /**
   * Writes the announce to this tracker's own memory and then to the shared swarms, so that what was
   * acknowledged is not lost with either. What `call` points to may change once this has returned.
   */
  announceRemote(
    call: IncomingAnnounce,
    wanted: Wanted,
    passkey: string | undefined,
  ): Promise<RemoteAnswer> | Refusal {
    const remote = this.#shared();
    const refusal =
      this.#refuses(call, passkey, remote.pending >= MAX_PENDING) ??
      this.#write(call, wanted, this.answer);
    this.#deps.onAnnounce?.(call, wanted, refusal);
    return refusal ?? remote.announce(call, wanted);
  }

  /** Whether a scrape is refused as a whole: asked once for each request, before its swarms are. */
  refusesScrape(sender: Uint8Array, passkey: string | undefined): Refusal | undefined {
    const refusal = this.access.refusesSender(sender, passkey) ?? this.#limits(sender);
    return refusal === undefined ? undefined : this.#refuse(refusal);
  }

  /** Zeros for a swarm that is unknown or not listed; returns whether it is known. */
  scrape(infoHash: Uint8Array, counts: SwarmCounts): boolean {
    if (this.access.refusesInfoHash(infoHash) === undefined) {
      return this.#deps.store.scrape(infoHash, counts);
    }
    counts.seeders = 0;
    counts.leechers = 0;
    counts.completed = 0;
    return false;
  }

  /** The same for shared swarms, in the order of `infoHashes`. */
  scrapeRemote(infoHashes: readonly Uint8Array[]): Promise<readonly SwarmCounts[]> | Refusal {
    const remote = this.#shared();
    if (remote.pending >= MAX_PENDING) return this.#refuse('busy');
    const isListed = infoHashes.map((hash) => this.access.refusesInfoHash(hash) === undefined);
    const hide = (counts: SwarmCounts, at: number): SwarmCounts =>
      isListed[at] === true ? counts : { seeders: 0, leechers: 0, completed: 0 };
    return remote.scrape(infoHashes).then((found) => found.map(hide));
  }

  /** When a client is to come again: the interval, stretched by chance. */
  nextIntervalSeconds(): number {
    const { intervalSeconds, minIntervalSeconds, jitter } = this.options;
    const stretch = 1 + (jitter * this.#deps.random.uint32()) / 2 ** 32;
    return Math.max(minIntervalSeconds, Math.round(intervalSeconds * stretch));
  }

  /** How many peers a client gets that asks for `wanted`; negative numbers leave it to the tracker. */
  numWant(wanted: number): number {
    const { maxNumWant, defaultNumWant } = this.options;
    return Math.min(wanted < 0 ? defaultNumWant : wanted, maxNumWant);
  }

  /** Whether `sender`, 4 or 16 bytes, may say under which address it is to be found. */
  believes(sender: Uint8Array): boolean {
    const { ipParameter } = this.options;
    if (ipParameter === 'local') return scopeOfIp(sender) !== 'global';
    return ipParameter === 'always';
  }

  #refuses(
    { infoHash, address, sender = address }: IncomingAnnounce,
    passkey: string | undefined,
    isBusy: boolean,
  ): Refusal | undefined {
    const refusal =
      (sender === address ? undefined : this.access.refusesSender(address, passkey)) ??
      this.access.refuses(infoHash, sender, passkey) ??
      this.#limits(sender) ??
      (isBusy ? 'busy' : undefined);
    return refusal === undefined ? undefined : this.#refuse(refusal);
  }

  #limits(address: Uint8Array): Refusal | undefined {
    const { limiter, clock } = this.#deps;
    return limiter?.allow(address, clock.now()) === false ? 'rate' : undefined;
  }

  #write(call: IncomingAnnounce, wanted: Wanted, answer: SwarmAnswer): Refusal | undefined {
    if (!this.#deps.store.announce(call, wanted, answer)) return this.#refuse('full');
    const { counters } = this.#deps;
    if (call.event === EVENT.completed) counters.add(COUNTER.completedEvents);
    else if (call.event === EVENT.stopped) counters.add(COUNTER.stoppedEvents);
    return undefined;
  }

  #refuse(refusal: Refusal): Refusal {
    this.#deps.counters.add(REFUSAL_COUNTER[refusal]);
    return refusal;
  }

  #shared(): RemoteSwarms {
    const { remote } = this.#deps;
    if (remote === undefined) throw new InvariantError('there are no shared swarms to ask');
    return remote;
  }
}

/** What clients are told. */
export const REFUSAL_TEXT: Readonly<Record<Refusal, string>> = {
  'not-listed': 'this torrent is not served by this tracker',
  'address-denied': 'your address is not served by this tracker',
  passkey: 'this tracker is private: the passkey in the announce URL is missing or unknown',
  full: 'the tracker has no room for more peers, try again later',
  rate: 'too many requests from your address or network, slow down',
  busy: 'the tracker is overloaded, try again later',
};

const REFUSAL_COUNTER: Readonly<Record<Refusal, number>> = {
  'not-listed': COUNTER.refusedNotListed,
  'address-denied': COUNTER.refusedAddress,
  passkey: COUNTER.refusedPasskey,
  full: COUNTER.refusedFull,
  rate: COUNTER.refusedRate,
  busy: COUNTER.refusedBusy,
};

/** Announces that wait for the shared swarms: each takes memory. */
const MAX_PENDING = 10_000;
