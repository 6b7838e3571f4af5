/**
 * Trackers, the client's side: announces and scrapes over HTTP(S), UDP and WebSockets, tiers, and the
 * announcer of a session.
 *
 * BEP 3 (announce), 7 (IPv6), 12 (tiers), 15 (UDP), 23 (compact peers), 24 (external ip), 31 (retry
 * in), 34 (DNS preferences), 41 (URL data), 48 (scrape).
 *
 * @module
 */

export { announce, type Shared, scrape } from './announce.ts';
export type { AnnouncerEvent } from './announce-loop.ts';
export { Announcer, type AnnouncerOptions } from './announcer.ts';
export {
  type AnnounceEvent,
  type AnnounceOptions,
  type AnnounceRequest,
  type AnnounceResponse,
  type DnsPreference,
  type ExchangeFacts,
  type ExchangeOptions,
  type RawExchange,
  type ScrapedFile,
  type ScrapeResponse,
  TrackerError,
  TrackerRefusal,
  type TrackerRuntime,
} from './model.ts';
export { TrackerPreferences } from './preferences.ts';
export { TrackerTiers } from './tiers.ts';
export { UdpTrackers } from './udp/driver.ts';
export { parseTrackerUrl, type TrackerUrl } from './url.ts';
