/** Announces to and scrapes of HTTP trackers (BEP 3, 48). @module */

import type { Endpoint } from '../../base/endpoint.ts';
import { BipError } from '../../base/errors.ts';
import type { InfoHash } from '../../base/ids.ts';
import { ipFamily } from '../../base/ip.ts';
import {
  type AnnounceOptions,
  type AnnounceRequest,
  type AnnounceResponse,
  type ExchangeOptions,
  type ScrapeResponse,
  TrackerError,
  type TrackerRuntime,
} from '../model.ts';
import { inTurns, scrapedFiles } from '../scraping.ts';
import { scrapeTarget, type TrackerUrl, trackerName } from '../url.ts';
import { decodeAnnounce, decodeScrape, encodeAnnounce, encodeScrape } from './codec.ts';
import { exchangeHttp } from './exchange.ts';

/** Announces once. @throws as {@link exchangeHttp} does. */
export async function announceHttp(
  runtime: TrackerRuntime,
  url: TrackerUrl,
  request: AnnounceRequest,
  options: AnnounceOptions,
): Promise<AnnounceResponse> {
  const { answer, ...how } = await exchangeHttp(
    runtime,
    url,
    {
      encode: (target) => encodeAnnounce(target, request, options.trackerId),
      decode: decodeAnnounce,
    },
    options,
  );
  const { type: _, peers, ...said } = answer;
  return { ...said, peers: await resolvePeers(runtime, peers, options.signal), ...how };
}

/**
 * Scrapes, {@link MAX_HASHES} torrents a request.
 *
 * @throws {TrackerError} with code `BIP_TRACKER_NO_SCRAPE` when the URL leads to no scrape (BEP 48);
 *   and as {@link exchangeHttp} does.
 */
export async function scrapeHttp(
  runtime: TrackerRuntime,
  url: TrackerUrl,
  infoHashes: readonly InfoHash[],
  options: ExchangeOptions,
): Promise<ScrapeResponse> {
  const target = scrapeTarget(url.target);
  if (target === undefined) {
    throw new TrackerError(
      `${trackerName(url)} cannot be scraped: the last part of its path does not begin with announce`,
      { code: 'BIP_TRACKER_NO_SCRAPE' },
    );
  }
  return inTurns(
    infoHashes,
    { ...options, clock: runtime.clock, most: MAX_HASHES },
    async (some, left) => {
      const { answer, ...how } = await exchangeHttp(
        runtime,
        { ...url, target },
        { encode: (own) => encodeScrape(own, some), decode: decodeScrape },
        left,
      );
      const { swarms, minRequestIntervalSeconds } = answer;
      return {
        files: scrapedFiles(some, swarms),
        ...(minRequestIntervalSeconds === undefined ? {} : { minRequestIntervalSeconds }),
        ...how,
      };
    },
  );
}

/** Names in old dictionary answers, looked up; what has no address is left out. */
async function resolvePeers(
  runtime: TrackerRuntime,
  peers: readonly Endpoint[],
  signal: AbortSignal,
): Promise<readonly Endpoint[]> {
  const named = peers.filter(({ host }) => ipFamily(host) === undefined);
  if (named.length === 0) return peers;
  const resolved = await Promise.all(
    named.slice(0, MAX_NAMED_PEERS).map(async ({ host, port }): Promise<Endpoint[]> => {
      try {
        const [address] = await runtime.lookup.addresses(host, { signal });
        return address === undefined ? [] : [{ host: address, port }];
      } catch (error) {
        if (signal.aborted || !(error instanceof BipError)) throw error;
        return [];
      }
    }),
  );
  return [...peers.filter(({ host }) => ipFamily(host) !== undefined), ...resolved.flat()];
}

const MAX_NAMED_PEERS = 30;
/** What a URL of some 4,000 characters takes; more than most trackers answer at once. */
const MAX_HASHES = 50;
