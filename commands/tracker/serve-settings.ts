/** From the flags of `tracker serve` to what the tracker wants to know. @module */

import { UsageError } from '../../src/base/errors.ts';
import { ipFamily } from '../../src/base/ip.ts';
import { parseNetwork } from '../../src/base/ip-network.ts';
import { NetworkSet, type ServiceOptions } from '../../src/tracker/server/index.ts';
import type { ServeFlags } from './serve-options.ts';

type Settings = Omit<ServiceOptions, 'signal' | 'onEvent' | 'access'>;

/** @throws {UsageError} when flags contradict each other, or one has nothing to work on. */
export function serviceOptionsOf(flags: ServeFlags, version: string): Settings {
  const { http, udp, workers, fullScrape = false, logAnnounces = false } = flags;
  if (!http && !udp) throw new UsageError('--no-http and --no-udp leave nothing to serve');
  return {
    ...worldOf(flags),
    version,
    workers,
    fullScrape,
    logAnnounces,
    answers: answersOf(flags),
    places: { hosts: hostsOf(flags), port: flags.port, http, udp },
    limits: {
      maxSwarms: flags.maxSwarms,
      maxPeers: flags.maxPeers,
      maxBytes: flags.maxMemory,
    },
    peerLifetimeSeconds: lifetimeOf(flags),
    ...proxiesOf(flags),
    ...(flags.rateLimit === false ? {} : { requestsPerSecond: flags.rateLimit }),
  };
}

/** What else there is in the world: the status page, the state file, the store. */
function worldOf(flags: ServeFlags): Pick<Settings, 'stats' | 'state' | 'shared'> {
  return { ...statsOf(flags), ...stateOf(flags), ...sharedOf(flags) };
}

function statsOf(flags: ServeFlags): Pick<Settings, 'stats'> {
  const { stats, port, http } = flags;
  if (stats === undefined) return {};
  const isMeant = (host: string): boolean =>
    host === stats.host || (isAll(host) && ipFamily(host) === ipFamily(stats.host));
  if (http && port !== 0 && stats.port === port && hostsOf(flags).some(isMeant)) {
    throw new UsageError(`--stats: the tracker itself is at port ${port}; choose another one`);
  }
  return { stats };
}

function stateOf({ state: path, saveEvery }: ServeFlags): Pick<Settings, 'state'> {
  if (path !== undefined) return { state: { path, everyMs: saveEvery ?? SAVE_EVERY } };
  if (saveEvery !== undefined)
    throw new UsageError('--save-every needs --state, the file to save to');
  return {};
}

function sharedOf({ store, storePrefix }: ServeFlags): Pick<Settings, 'shared'> {
  if (store !== undefined) return { shared: { url: store, prefix: storePrefix ?? PREFIX } };
  if (storePrefix !== undefined) throw new UsageError('--store-prefix needs --store');
  return {};
}

function proxiesOf({ trustedProxy, proxyHeader }: ServeFlags): Pick<Settings, 'trustedProxies'> {
  if (proxyHeader !== undefined && trustedProxy === undefined) {
    throw new UsageError('--proxy-header needs --trusted-proxy: nobody else is believed');
  }
  if (proxyHeader !== undefined && !/^[\w!#$%&'*+.^`|~-]+$/.test(proxyHeader)) {
    throw new UsageError(`--proxy-header: \`${proxyHeader}\` is no name of a header`);
  }
  return trustedProxy === undefined ? {} : { trustedProxies: networksOf(trustedProxy).handle };
}

/** Each once, and none that an address for all of its family stands for already. */
function hostsOf({ host: hosts = ALL_ADDRESSES }: Pick<ServeFlags, 'host'>): readonly string[] {
  const named = [...new Set(hosts)];
  const covered = new Set(named.filter(isAll).map(ipFamily));
  return named.filter((host) => isAll(host) || !covered.has(ipFamily(host)));
}

function isAll(host: string): boolean {
  return ALL_ADDRESSES.includes(host);
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
    ...(flags.proxyHeader === undefined ? {} : { proxyHeader: flags.proxyHeader }),
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
const SAVE_EVERY = 5 * 60_000;
/** Of the keys in the store. */
const PREFIX = 'bip:';
/** Clients come back later by up to this part of the interval. */
const JITTER = 0.1;
/** In intervals: one announce may be lost. */
const LIFETIMES = 2.5;
