/** What a torrent must not make us do: ask services of this machine or of our network. @module */

import type { Endpoint } from '../base/endpoint.ts';
import { type IpScope, ipScope } from '../base/ip-scope.ts';
import { type ExchangeOptions, TrackerError, type TrackerRuntime } from './model.ts';
import { type TrackerUrl, trackerName } from './url.ts';

/**
 * As libtorrent's `ssrf_mitigation`: on loopback only paths that begin with `/announce` or `/scrape`,
 * and never by a redirect from the internet. For HTTP and WebSockets, whose first bytes hold words of
 * the URL; UDP needs none of it, as its first packet holds none, and more goes only to whoever
 * answered that as a tracker does.
 *
 * @throws {TrackerError} with code `BIP_TRACKER_LOCAL` or `BIP_TRACKER_REDIRECT`.
 */
export async function guardScope(
  runtime: Pick<TrackerRuntime, 'lookup'>,
  url: TrackerUrl,
  redirectedBy: Endpoint | undefined,
  options: ExchangeOptions,
): Promise<void> {
  const fromGlobal = redirectedBy !== undefined && ipScope(redirectedBy.host) === 'global';
  const checksPath = options.trusted !== true && !TRACKER_PATH.test(url.target);
  if (options.allowLocal === true || !(fromGlobal || checksPath)) return;
  const scopes = await scopesOf(runtime, url.host, options);
  if (fromGlobal && scopes.some((scope) => scope !== 'global')) throw ledInside(url);
  if (checksPath && scopes.includes('loopback')) throw noTrackerHere(url);
}

async function scopesOf(
  { lookup }: Pick<TrackerRuntime, 'lookup'>,
  host: string,
  { signal, family }: ExchangeOptions,
): Promise<readonly (IpScope | undefined)[]> {
  const only = family === undefined ? {} : { family };
  return (await lookup.addresses(host, { signal, ...only })).map(ipScope);
}

function ledInside(url: TrackerUrl): TrackerError {
  return new TrackerError(
    `a tracker on the internet redirected to ${trackerName(url)}, an address of the local network; bip does not follow`,
    { code: 'BIP_TRACKER_REDIRECT' },
  );
}

function noTrackerHere(url: TrackerUrl): TrackerError {
  return new TrackerError(
    `${trackerName(url)} is this machine and the path does not begin with /announce; name the URL yourself if it is a tracker`,
    { code: 'BIP_TRACKER_LOCAL' },
  );
}

const TRACKER_PATH = /^\/(?:announce|scrape)/;
