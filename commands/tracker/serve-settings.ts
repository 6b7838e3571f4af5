/** From the flags of `tracker serve` to what the tracker wants to know. @module */

import { UsageError } from '../../src/base/errors.ts';
import {
  type AccessLists,
  NetworkSet,
  parseNetwork,
  type ServiceOptions,
} from '../../src/tracker/server/index.ts';
import type { ServeFlags } from './serve-options.ts';

/** @throws {UsageError} when flags contradict each other. */
export function serviceOptionsOf(
  flags: ServeFlags,
  { access, version }: { readonly access: AccessLists; readonly version: string },
): Omit<ServiceOptions, 'signal' | 'onEvent'> {
  const { http, udp, workers, fullScrape = false, logAnnounces = false } = flags;
  if (!http && !udp) throw new UsageError('--no-http and --no-udp leave nothing to serve');
  return {
    ...placesOf(flags),
    access,
    version,
    workers,
    fullScrape,
    logAnnounces,
    answers: answersOf(flags),
    places: { hosts: flags.host ?? ALL_ADDRESSES, port: flags.port, http, udp },
    limits: {
      maxSwarms: flags.maxSwarms,
      maxPeers: flags.maxPeers,
      maxBytes: flags.maxMemory,
    },
    peerLifetimeSeconds: lifetimeOf(flags),
    ...(flags.trustedProxy === undefined
      ? {}
      : { trustedProxies: networksOf(flags.trustedProxy).handle }),
    ...(flags.rateLimit === false ? {} : { requestsPerSecond: flags.rateLimit }),
  };
}

/** What else there is in the world: the status page, the state file, the store. */
function placesOf(flags: ServeFlags): Pick<ServiceOptions, 'stats' | 'state' | 'shared'> {
  const { stats, state, saveEvery, store, storePrefix } = flags;
  return {
    ...(stats === undefined ? {} : { stats }),
    ...(state === undefined ? {} : { state: { path: state, everyMs: saveEvery } }),
    ...(store === undefined ? {} : { shared: { url: store, prefix: storePrefix } }),
  };
}

function answersOf(flags: ServeFlags): ServiceOptions['answers'] {
  const { interval, minInterval = interval / 2, numwant, maxNumwant } = flags;
  if (minInterval > interval) throw new UsageError('--min-interval is longer than --interval');
  return {
    intervalSeconds: Math.round(interval / 1000),
    minIntervalSeconds: Math.round(minInterval / 1000),
    jitter: JITTER,
    defaultNumWant: Math.min(numwant, maxNumwant),
    maxNumWant: maxNumwant,
    ipParameter: flags.acceptIp,
    proxyHeader: flags.proxyHeader,
  };
}

function lifetimeOf({ interval, peerLifetime }: ServeFlags): number {
  if (peerLifetime === undefined) return Math.round((interval * LIFETIMES) / 1000);
  if (peerLifetime <= interval * (1 + JITTER)) {
    throw new UsageError(
      '--peer-lifetime: peers would be forgotten before they announce again; make it longer than --interval and a tenth',
    );
  }
  return Math.round(peerLifetime / 1000);
}

function networksOf(texts: readonly string[]): NetworkSet {
  return NetworkSet.of(
    texts.map((text) => {
      const network = parseNetwork(text);
      if (network !== undefined) return network;
      throw new UsageError(`--trusted-proxy: \`${text}\` is no address and no network`);
    }),
  );
}

const ALL_ADDRESSES = ['0.0.0.0', '::'];
/** Clients come back later by up to this part of the interval. */
const JITTER = 0.1;
/** In intervals: one announce may be lost. */
const LIFETIMES = 2.5;
