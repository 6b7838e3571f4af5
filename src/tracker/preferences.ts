/**
 * Where the trackers of a host are, as its owner says by DNS (BEP 34): old torrents find trackers that
 * moved, and trackers that are gone are left alone.
 *
 * @module
 */

import { BipError, NetworkError, TimeoutError } from '../base/errors.ts';
import { ipFamily } from '../base/ip.ts';
import { bounded } from '../runtime/aborting.ts';
import type { Clock, Lookup, Millis } from '../runtime/ports.ts';
import { type ExchangeFacts, type ExchangeOptions, TrackerError } from './model.ts';
import { type TrackerUrl, trackerName } from './url.ts';
import { oneLine } from './words.ts';

/** A record of BEP 34. */
export interface PreferenceRecord {
  /** The words, fit for a terminal. */
  readonly record: string;
  /** Where trackers run, the preferred one first; none when there are none. */
  readonly services: readonly Service[];
}

interface Service {
  readonly protocol: 'udp' | 'tcp';
  readonly port: number;
}

/** What DNS says about the hosts of one session's trackers, remembered for an hour. */
export class TrackerPreferences {
  readonly #clock: Clock;
  readonly #lookup: Lookup;
  readonly #known = new Map<
    string,
    { readonly record: PreferenceRecord | undefined; readonly until: Millis }
  >();

  constructor({ clock, lookup }: { readonly clock: Clock; readonly lookup: Lookup }) {
    this.#clock = clock;
    this.#lookup = lookup;
  }

  /**
   * The record of a host; `undefined` when there is none, when the name server is not to be had within
   * {@link PATIENCE} (or `limitMs`), and for what is no name of the internet.
   *
   * @throws `signal.reason` when aborted.
   */
  async of(
    host: string,
    options: { readonly signal: AbortSignal; readonly limitMs?: Millis | undefined },
  ): Promise<PreferenceRecord | undefined> {
    if (!isPublicName(host)) return undefined;
    const known = this.#known.get(host);
    if (known !== undefined && known.until > this.#clock.now()) return known.record;
    const found = await this.#ask(host, options);
    const record = found === 'failed' ? undefined : parsePreference(found);
    this.#keep(host, record, found === 'failed' ? RETRY_AFTER : LIFETIME);
    return record;
  }

  async #ask(
    host: string,
    {
      signal,
      limitMs = PATIENCE,
    }: { readonly signal: AbortSignal; readonly limitMs?: Millis | undefined },
  ): Promise<readonly string[] | 'failed'> {
    const ms = Math.min(limitMs, PATIENCE);
    const error = (): Error => new TimeoutError(`no answer about ${host} within ${ms} ms`, ms);
    try {
      return await bounded({ signal, clock: this.#clock, limit: { ms, error } }, (inTime) =>
        this.#lookup.texts(host, { signal: inTime }),
      );
    } catch (failure) {
      if (signal.aborted || !(failure instanceof BipError)) throw failure;
      return 'failed';
    }
  }

  #keep(host: string, record: PreferenceRecord | undefined, lifetime: Millis): void {
    const [oldest] = this.#known.keys();
    if (this.#known.size >= MAX_KNOWN && oldest !== undefined) this.#known.delete(oldest);
    this.#known.delete(host);
    this.#known.set(host, { record, until: this.#clock.now() + lifetime });
  }
}

/** The first record that is one of BEP 34; unknown words are ignored. */
export function parsePreference(texts: readonly string[]): PreferenceRecord | undefined {
  for (const text of texts) {
    const [first, ...words] = text.split(' ').filter((word) => word !== '');
    if (first !== 'BITTORRENT') continue;
    const services = words.flatMap(parseService).slice(0, MAX_SERVICES);
    return { record: oneLine(text, MAX_RECORD), services };
  }
  return undefined;
}

function parseService(word: string): Service[] {
  const { protocol, digits } = /^(?<protocol>UDP|TCP):(?<digits>\d{1,5})$/.exec(word)?.groups ?? {};
  const port = Number(digits);
  if (protocol === undefined || !(port >= 1 && port <= 65_535)) return [];
  return [{ protocol: protocol === 'UDP' ? 'udp' : 'tcp', port }];
}

/**
 * Asks the trackers that DNS names, in its order, until one of them answers, each with its share of
 * the limit of time; without a record the tracker itself.
 *
 * @throws {TrackerError} with code `BIP_TRACKER_DNS_DENIES` when there is none.
 */
export async function withPreference<Response extends { readonly exchange: ExchangeFacts }>(
  tracker: TrackerUrl,
  options: ExchangeOptions & { readonly preferences: TrackerPreferences; readonly clock: Clock },
  ask: (at: TrackerUrl, how: ExchangeOptions) => Promise<Response>,
): Promise<Response> {
  const { clock, preferences, signal, timeoutMs } = options;
  const started = clock.now();
  const found = await preferences.of(tracker.host, { signal, limitMs: timeoutMs });
  const left = (): number | undefined =>
    timeoutMs === undefined ? undefined : Math.max(timeoutMs - (clock.now() - started), 0);
  if (found === undefined) return ask(tracker, { ...options, timeoutMs: left() });
  const candidates = candidatesOf(tracker, found);
  for (const [at, candidate] of candidates.entries()) {
    const others = candidates.length - 1 - at;
    const limit = left();
    const share =
      limit === undefined ? (others > 0 ? IMPATIENCE : undefined) : limit / (others + 1);
    try {
      const response = await ask(candidate, { ...options, timeoutMs: share });
      const preference = { record: found.record, asked: trackerName(candidate) };
      return { ...response, exchange: { ...response.exchange, preference } };
    } catch (error) {
      const silent = error instanceof NetworkError || error instanceof TimeoutError;
      if (others === 0 || !silent || signal.aborted) throw error;
    }
  }
  throw new TrackerError(
    `${tracker.host} says by DNS that it runs no tracker (its TXT record is \`${found.record}\`)`,
    { code: 'BIP_TRACKER_DNS_DENIES' },
  );
}

/**
 * Those of the record. BEP 34 has no word for TLS and none for WebSockets: such a URL is kept as it is
 * unless there is no tracker at all, lest somebody who forges a record lead us to where he can listen.
 */
function candidatesOf(tracker: TrackerUrl, { services }: PreferenceRecord): TrackerUrl[] {
  if (services.length === 0) return [];
  if (tracker.scheme !== 'http' && tracker.scheme !== 'udp') return [tracker];
  return services.map(({ protocol, port }) => {
    const scheme = protocol === 'udp' ? 'udp' : 'http';
    if (scheme === tracker.scheme && port === tracker.port) return tracker;
    const { host, target } = tracker;
    return { scheme, host, port, target: target === '' ? DEFAULT_TARGET : target };
  });
}

/** False for addresses, and for names that no name server of the internet knows (RFC 6762, 6761, 7686). */
function isPublicName(host: string): boolean {
  if (ipFamily(host) !== undefined || !host.replace(/\.$/, '').includes('.')) return false;
  return !/\.(?:localhost|local|onion|i2p)\.?$/i.test(host);
}

/** Nobody waits longer for what is only a wish. */
const PATIENCE: Millis = 2000;
const LIFETIME: Millis = 3_600_000;
/** A name server that did not answer is asked again after this. */
const RETRY_AFTER: Millis = 300_000;
/** For a tracker that has others beside it, when the caller sets no limit. */
const IMPATIENCE: Millis = 60_000;
const MAX_KNOWN = 1000;
const MAX_SERVICES = 8;
const MAX_RECORD = 255;
/** A UDP URL may go without, HTTP cannot. */
const DEFAULT_TARGET = '/announce';
