/**
 * Tracker URLs, which come out of torrents that anybody can write, and the guards on them.
 *
 * Sentences of errors never repeat a URL: it may hold a passkey.
 *
 * @module
 */

import { formatEndpoint } from '../base/endpoint.ts';
import { ProtocolError } from '../base/errors.ts';

/** A tracker URL that passed the guards. */
export interface TrackerUrl {
  readonly scheme: 'http' | 'https' | 'udp' | 'ws' | 'wss';
  /** A name or a literal address, without brackets. */
  readonly host: string;
  readonly port: number;
  /** Path and query without fragment, e.g. `/announce?passkey=x`; may be empty for `udp`. */
  readonly target: string;
  /** `user:password`, decoded; for HTTP only. */
  readonly credentials?: string;
}

/**
 * Parses and guards. Default ports: 80, for `https` and `wss` 443.
 *
 * @throws {ProtocolError} with code `BIP_TRACKER_URL`: no URL, longer than 4096 characters, spaces
 *   or control characters, a scheme other than `http`, `https`, `udp`, `ws` and `wss`, an
 *   internationalised name (`xn--`, which look-alikes hide behind), or a query with keys of the
 *   protocol itself.
 */
export function parseTrackerUrl(text: string): TrackerUrl {
  const url = parseGuarded(text);
  guardKeys(url);
  return url;
}

/**
 * Where a redirect leads, with the guards of {@link parseTrackerUrl}; only a redirect that repeats
 * our query, `info_hash` and all, may have keys of the protocol.
 *
 * @throws {ProtocolError} with code `BIP_TRACKER_URL`.
 */
export function resolveRedirect(location: string, from: TrackerUrl): TrackerUrl {
  if (hasControls(location)) throw broken('it holds a space or a control character');
  const base = formatTrackerUrl(from);
  if (!URL.canParse(location, base)) throw broken('it is no URL');
  const url = parseGuarded(new URL(location, base).href);
  if (!isHttp(url)) throw broken('a redirect cannot lead from HTTP to UDP or a WebSocket');
  if (!repeatsQuery(url)) guardKeys(url);
  const sameOrigin = url.scheme === from.scheme && url.host === from.host && url.port === from.port;
  return sameOrigin && from.credentials !== undefined && url.credentials === undefined
    ? { ...url, credentials: from.credentials }
    : url;
}

function isHttp({ scheme }: TrackerUrl): boolean {
  return scheme === 'http' || scheme === 'https';
}

/** The URL without its credentials. */
export function formatTrackerUrl(url: TrackerUrl): string {
  return `${url.scheme}://${formatEndpoint(url)}${url.target}`;
}

/** How sentences name a tracker: without path, query and credentials, which may be secret. */
export function trackerName(url: TrackerUrl): string {
  return `${url.scheme}://${formatEndpoint(url)}`;
}

/**
 * The target to scrape by HTTP: the last part of the path has to begin with `announce`, which
 * `scrape` replaces (BEP 48); `undefined` when it does not.
 */
export function scrapeTarget(target: string): string | undefined {
  const [, before, after] = /^([^?]*\/)announce([^?/]*(?:\?.*)?)$/s.exec(target) ?? [];
  return before === undefined || after === undefined ? undefined : `${before}scrape${after}`;
}

/** True for the target of a redirect that repeats the query of an announce. */
export function repeatsQuery({ target }: TrackerUrl): boolean {
  return queryKeys(target).includes('info_hash');
}

function guardKeys({ target }: TrackerUrl): void {
  if (queryKeys(target).some((key) => PROTOCOL_KEYS.has(key))) {
    throw broken('its query holds keys of the announce protocol itself, like `info_hash`');
  }
}

/** Names in a query, decoded, in lower case. */
function queryKeys(target: string): string[] {
  const start = target.indexOf('?');
  if (start < 0) return [];
  return target
    .slice(start + 1)
    .split(/[&;]/)
    .map((pair) => decode(pair.split('=', 1)[0] ?? '').toLowerCase());
}

function parseGuarded(text: string): TrackerUrl {
  if (text.length > MAX_URL_LENGTH) throw broken(`it is longer than ${MAX_URL_LENGTH} characters`);
  if (hasControls(text)) throw broken('it holds a space or a control character');
  if (!URL.canParse(text)) throw broken('it is no URL');
  const url = new URL(text);
  const scheme = SCHEMES[url.protocol];
  if (scheme === undefined) {
    throw broken(
      `\`${url.protocol}\` trackers are not supported, http:, https:, udp:, ws: and wss: are`,
    );
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  guardHost(host);
  const port = Number(url.port === '' ? DEFAULT_PORTS[scheme] : url.port);
  if (port === 0) throw broken('its port is 0');
  return { scheme, host, port, target: `${url.pathname}${url.search}`, ...credentialsOf(url) };
}

/** Of HTTP URLs only: UDP trackers have no use for them, and browsers send none to WebSockets. */
function credentialsOf({ protocol, username, password }: URL): { credentials?: string } {
  if (!protocol.startsWith('http') || (username === '' && password === '')) return {};
  return { credentials: `${decode(username)}:${decode(password)}` };
}

function guardHost(host: string): void {
  if (host === '') throw broken('it has no host');
  if (host.split('.').some((label) => label.toLowerCase().startsWith('xn--'))) {
    throw broken('its name is internationalised (`xn--`), which hides look-alikes');
  }
  if (!/^[\w.:~-]+$/.test(host)) throw broken('its host is no name and no address');
}

function hasControls(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code <= 0x20 || code === 0x7f) return true;
  }
  return false;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function broken(what: string): ProtocolError {
  return new ProtocolError(`the tracker's URL cannot be used: ${what}`, {
    rule: 'tracker URL',
    code: 'BIP_TRACKER_URL',
  });
}

/** Room for any passkey; a datagram of BEP 41 with it still goes through. */
const MAX_URL_LENGTH = 4096;

const SCHEMES: Readonly<Record<string, TrackerUrl['scheme']>> = {
  'http:': 'http',
  'https:': 'https',
  'udp:': 'udp',
  'ws:': 'ws',
  'wss:': 'wss',
};

/** Of `udp` none is registered; 80 is what clients take. */
const DEFAULT_PORTS = { http: 80, https: 443, udp: 80, ws: 80, wss: 443 } as const;

/** As libtorrent's `ssrf_mitigation`: a torrent must not speak for us. */
const PROTOCOL_KEYS: ReadonlySet<string> = new Set([
  'info_hash',
  'event',
  'port',
  'left',
  'key',
  'uploaded',
  'downloaded',
  'corrupt',
  'peer_id',
]);
