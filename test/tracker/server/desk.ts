/** A tracker behind its HTTP half, asked without a network. @module */

import { parseIp } from '../../../src/base/ip.ts';
import type { Clock, HttpIncoming, HttpReply, Millis } from '../../../src/runtime/ports.ts';
import { SeededRandom } from '../../../src/runtime/sim/index.ts';
import {
  decodeAnnounce,
  decodeScrape,
  type HttpAnnounced,
  type HttpFailure,
  type HttpScraped,
  percentEncode,
} from '../../../src/tracker/http/codec.ts';
import { Access, type AccessLists } from '../../../src/tracker/server/access.ts';
import {
  allocateCounters,
  type CounterName,
  Counters,
} from '../../../src/tracker/server/counters.ts';
import { HttpTracker, type HttpTrackerDeps } from '../../../src/tracker/server/http.ts';
import { SwarmStore } from '../../../src/tracker/server/store/index.ts';
import {
  Tracker,
  type TrackerDeps,
  type TrackerOptions,
} from '../../../src/tracker/server/tracker.ts';

export interface DeskOptions {
  readonly access?: AccessLists;
  readonly tracker?: Partial<TrackerOptions>;
  readonly deps?: Partial<TrackerDeps>;
  readonly fullScrape?: boolean;
  readonly allSwarms?: NonNullable<HttpTrackerDeps['allSwarms']>;
}

/** A clock that stands still; what is scheduled for now runs in the next turn. */
export class StillClock implements Clock {
  at: Millis = 1000;
  now(): Millis {
    return this.at;
  }
  schedule(_at: Millis, wake: () => void): () => void {
    queueMicrotask(wake);
    return () => undefined;
  }
}

export class Desk {
  readonly store: SwarmStore;
  readonly tracker: Tracker;
  readonly http: HttpTracker;
  readonly clock: StillClock = new StillClock();
  readonly #counted = allocateCounters(1);

  constructor({ access, tracker, deps, fullScrape, allSwarms }: DeskOptions = {}) {
    const random = new SeededRandom(7);
    this.store = new SwarmStore({
      shared: false,
      maxPeers: 10_000,
      maxSwarms: 1000,
      maxBytes: 16 * 1024 * 1024,
      random,
      peerLifetimeSeconds: 3600,
    });
    const counters = new Counters(this.#counted);
    const { clock, store } = this;
    const options: TrackerOptions = {
      intervalSeconds: 1800,
      minIntervalSeconds: 900,
      jitter: 0,
      maxNumWant: 200,
      defaultNumWant: 50,
      ipParameter: 'local',
      ...tracker,
    };
    this.tracker = new Tracker(
      { store, access: new Access(access), counters, random, clock, ...deps },
      options,
    );
    this.http = new HttpTracker({
      tracker: this.tracker,
      counters,
      clock,
      ...(fullScrape === true ? { allSwarms: () => store.counts() } : {}),
      ...(allSwarms === undefined ? {} : { allSwarms }),
    });
  }

  get counters(): Record<CounterName, number> {
    return Counters.sum(this.#counted);
  }

  /** The body is copied: the tracker uses its memory again. */
  async ask(
    target: string,
    from: string = CLIENT,
    headers: HttpIncoming['headers'] = {},
  ): Promise<HttpReply & { readonly body: Uint8Array }> {
    const request = { method: 'GET', target, headers, from: { host: from, port: 40_000 } };
    const reply = await this.http.handle(request);
    const body = typeof reply.body === 'string' ? new TextEncoder().encode(reply.body) : reply.body;
    return { ...reply, body: body.slice() };
  }

  async announce(
    parameters: Parameters = {},
    from?: string,
    headers?: HttpIncoming['headers'],
  ): Promise<HttpAnnounced | HttpFailure> {
    return decodeAnnounce((await this.ask(announceTarget(parameters), from, headers)).body);
  }

  async scrape(target: string, from?: string): Promise<HttpScraped | HttpFailure> {
    return decodeScrape((await this.ask(target, from)).body);
  }
}

/** Out of the documentation, so that it counts as far away. */
export const CLIENT = '8.8.4.4';

export type Parameters = Readonly<Record<string, string | number | Uint8Array | undefined>>;

/** An announce with all that it needs, and what `parameters` put in its place. */
export function announceTarget(parameters: Parameters = {}, path = '/announce'): string {
  const all: Parameters = {
    info_hash: hashOf(1),
    peer_id: peerIdOf('a'),
    port: 6881,
    uploaded: 0,
    downloaded: 0,
    left: 100,
    compact: 1,
    ...parameters,
  };
  const pairs = Object.entries(all).flatMap(([name, value]) => {
    if (value === undefined) return [];
    return `${name}=${value instanceof Uint8Array ? percentEncode(value) : value}`;
  });
  return `${path}?${pairs.join('&')}`;
}

export function scrapeTarget(...infoHashes: readonly Uint8Array[]): string {
  return `/scrape?${infoHashes.map((hash) => `info_hash=${percentEncode(hash)}`).join('&')}`;
}

export function hashOf(seed: number): Uint8Array {
  return Uint8Array.from({ length: 20 }, (_, at) => (seed * 31 + at * 17) & 0xff);
}

export function peerIdOf(letter: string): Uint8Array {
  return new TextEncoder().encode(`-XX0000-${letter.repeat(12)}`.slice(0, 20));
}

export function ip(text: string): Uint8Array {
  return parseIp(text) ?? new Uint8Array(0);
}
