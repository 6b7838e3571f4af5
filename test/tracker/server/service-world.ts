/** A whole tracker in a simulated world, and clients that ask it with bip's own client. @module */

import { formatEndpoint } from '../../../src/base/endpoint.ts';
import { InfoHash, PeerId } from '../../../src/base/ids.ts';
import type { Runtime } from '../../../src/runtime/ports.ts';
import type { HostOptions, SimHost, World, WorldOptions } from '../../../src/runtime/sim/index.ts';
import {
  type AnnounceRequest,
  type AnnounceResponse,
  announce,
  type ScrapedFile,
  scrape,
} from '../../../src/tracker/index.ts';
import {
  type ServiceEvent,
  type ServiceHost,
  type ServiceOptions,
  TrackerService,
} from '../../../src/tracker/server/index.ts';
import type { TrackerOptions } from '../../../src/tracker/server/tracker.ts';
import { makeWorld } from '../../sim/world.ts';
import { peerIdOf } from './desk.ts';

/** Where the tracker is. */
export const TRACKER = { four: '198.51.100.1', six: '2001:db8:ffff::1', port: 6969 } as const;
export const STATS_PORT = 6970;
export const LIFETIME_SECONDS = 2700;

export const ANSWERS: Omit<TrackerOptions, 'trustedProxies'> = {
  intervalSeconds: 1800,
  minIntervalSeconds: 900,
  jitter: 0,
  maxNumWant: 200,
  defaultNumWant: 50,
  ipParameter: 'never',
};

export type Over = 'http4' | 'http6' | 'udp4' | 'udp6';

/** One client: a host, asked from with as little as a story wants to say. */
export interface Client {
  readonly host: SimHost;
  announce(
    over: Over,
    request?: Partial<AnnounceRequest>,
    path?: string,
  ): Promise<AnnounceResponse>;
  scrape(over: Over, ...infoHashes: readonly InfoHash[]): Promise<readonly ScrapedFile[]>;
}

/** The addresses of the client of {@link openService}. */
export const CLIENT_FOUR = '203.0.113.1';
export const CLIENT_SIX = '2001:db8::1';

/** A tracker, and a client with an address of each family. */
export async function openService(
  options: Partial<ServiceOptions> = {},
): Promise<{ scene: ServiceWorld; service: TrackerService; client: Client }> {
  const scene = new ServiceWorld();
  const client = scene.client(CLIENT_FOUR, { addresses: [CLIENT_SIX] });
  const service = await scene.world.run(scene.serve(options));
  return { scene, service, client };
}

export class ServiceWorld {
  readonly world: World;
  readonly host: SimHost;
  /** What the trackers told. */
  readonly events: ServiceEvent[] = [];
  readonly #stop = new AbortController();

  constructor(options: Partial<WorldOptions> = {}) {
    this.world = makeWorld(options);
    this.host = this.world.host(TRACKER.four, { addresses: [TRACKER.six] });
  }

  /** A tracker on a host, by default on {@link host}. */
  serve(
    options: Partial<ServiceOptions> = {},
    runtime: Runtime = this.host.runtime,
    beside: ServiceHost = {},
  ): Promise<TrackerService> {
    const all = {
      signal: this.#stop.signal,
      places: { port: TRACKER.port, http: true, udp: true },
      limits: { maxSwarms: 10_000, maxPeers: 50_000, maxBytes: 32 * 1024 * 1024 },
      peerLifetimeSeconds: LIFETIME_SECONDS,
      access: {},
      answers: ANSWERS,
      fullScrape: false,
      workers: 1,
      version: '1.2.3',
      logAnnounces: false,
      onEvent: (event: ServiceEvent) => this.events.push(event),
      ...options,
    };
    return TrackerService.open(runtime, all, beside);
  }

  /** A client on a host of its own; the last address, when there are two, is of IPv6. */
  client(address: string, options: Partial<HostOptions> = {}): Client {
    const { signal } = this.#stop;
    const host = this.world.host(address, options);
    const how = { signal, trusted: true, timeoutMs: 60_000 };
    return {
      host,
      announce: (over, request = {}, path = '/announce') =>
        announce(host.runtime, urlOf(over, path), { ...REQUEST, ...request }, how),
      scrape: async (over, ...infoHashes) =>
        (await scrape(host.runtime, urlOf(over, '/announce'), infoHashes, how)).files,
    };
  }

  /** Plays a story to its end, after which nothing may be left open. */
  async play(story: () => Promise<void>): Promise<void> {
    await this.world.run(story());
    this.world.assertClosed();
  }

  /** Waits in virtual time. */
  async pass(seconds: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.world.timeline.after(seconds * 1000, resolve);
    await promise;
  }
}

export function urlOf(over: Over, path: string): string {
  const host = over.endsWith('4') ? TRACKER.four : TRACKER.six;
  return `${over.slice(0, -1)}://${formatEndpoint({ host, port: TRACKER.port })}${path}`;
}

export function infoHashOf(seed: number): InfoHash {
  return new InfoHash(Uint8Array.from({ length: 20 }, (_, at) => (seed >>> ((at % 4) * 8)) & 0xff));
}

/** `host:port` of each, sorted. */
export function peersOf({ peers }: Pick<AnnounceResponse, 'peers'>): string[] {
  return peers.map(formatEndpoint).toSorted();
}

const REQUEST: AnnounceRequest = {
  infoHash: infoHashOf(1),
  peerId: new PeerId(peerIdOf('a')),
  port: 6881,
  uploaded: 0,
  downloaded: 0,
  left: 100,
};
