/** One announce to one tracker of any kind, or one scrape of it. @module */

import type { InfoHash } from '../base/ids.ts';
import { announceHttp, scrapeHttp } from './http/driver.ts';
import type {
  AnnounceOptions,
  AnnounceRequest,
  AnnounceResponse,
  ExchangeFacts,
  ExchangeOptions,
  ScrapeResponse,
  TrackerRuntime,
} from './model.ts';
import { type TrackerPreferences, withPreference } from './preferences.ts';
import { UdpTrackers } from './udp/driver.ts';
import { parseTrackerUrl, type TrackerUrl } from './url.ts';
import { announceWebSocket, scrapeWebSocket } from './websocket/driver.ts';

/** What many announces and scrapes have in common. */
export interface Shared {
  /** The session's; without it one over UDP opens and closes sockets of its own. */
  readonly udp?: UdpTrackers;
  /** Asks DNS where the trackers of a host are (BEP 34) and does as it says. */
  readonly preferences?: TrackerPreferences;
}

/**
 * Announces to `url`. WebSocket trackers give no peers: theirs speak WebRTC.
 *
 * @throws {ProtocolError} with code `BIP_TRACKER_URL` when the URL must not be used.
 * @throws {TrackerRefusal} the tracker says no. {TrackerError} its answer is broken, or it must not
 *   be asked: `BIP_TRACKER_DNS_DENIES` when DNS says that there is none (BEP 34).
 * @throws {TimeoutError} there is no answer. {NetworkError} there is no way to it.
 * @throws `signal.reason` when aborted.
 */
export async function announce(
  runtime: TrackerRuntime,
  url: string,
  request: AnnounceRequest,
  options: AnnounceOptions & Shared,
): Promise<AnnounceResponse> {
  return ask(runtime, url, options, {
    http: (at, how) => announceHttp(runtime, at, request, { ...options, ...how }),
    udp: (at, how, udp) => udp.announce(at, request, { ...options, ...how }),
    webSocket: (at, how) => announceWebSocket(runtime, at, request, { ...options, ...how }),
  });
}

/**
 * Asks the tracker at `url` (of its announces, as in torrents) for the counts of at least one
 * torrent (BEP 15, 48).
 *
 * @throws as {@link announce}; {TrackerError} with code `BIP_TRACKER_NO_SCRAPE` when an HTTP
 *   tracker's URL leads to no scrape.
 */
export async function scrape(
  runtime: TrackerRuntime,
  url: string,
  infoHashes: readonly InfoHash[],
  options: ExchangeOptions & Shared,
): Promise<ScrapeResponse> {
  return ask(runtime, url, options, {
    http: (at, how) => scrapeHttp(runtime, at, infoHashes, how),
    udp: (at, how, udp) => udp.scrape(at, infoHashes, how),
    webSocket: (at, how) => scrapeWebSocket(runtime, at, infoHashes, how),
  });
}

/** How one tracker is asked over each transport. */
interface Transports<Response> {
  http(at: TrackerUrl, how: ExchangeOptions): Promise<Response>;
  udp(at: TrackerUrl, how: ExchangeOptions, udp: UdpTrackers): Promise<Response>;
  webSocket(at: TrackerUrl, how: ExchangeOptions): Promise<Response>;
}

async function ask<Response extends { readonly exchange: ExchangeFacts }>(
  runtime: TrackerRuntime,
  url: string,
  options: ExchangeOptions & Shared,
  transports: Transports<Response>,
): Promise<Response> {
  options.signal.throwIfAborted();
  const tracker = parseTrackerUrl(url);
  const { preferences, udp } = options;
  const over = (at: TrackerUrl, how: ExchangeOptions): Promise<Response> =>
    askOver(runtime, at, { how, udp }, transports);
  if (preferences === undefined) return over(tracker, options);
  return withPreference(tracker, { ...options, preferences, clock: runtime.clock }, over);
}

async function askOver<Response>(
  runtime: TrackerRuntime,
  at: TrackerUrl,
  { how, udp }: { readonly how: ExchangeOptions; readonly udp: UdpTrackers | undefined },
  transports: Transports<Response>,
): Promise<Response> {
  switch (at.scheme) {
    case 'http':
    case 'https':
      return transports.http(at, how);
    case 'ws':
    case 'wss':
      return transports.webSocket(at, how);
    case 'udp': {
      if (udp !== undefined) return transports.udp(at, how, udp);
      await using own = new UdpTrackers(runtime);
      return await transports.udp(at, how, own);
    }
  }
}
