/**
 * Trackers, the client's side: announces over HTTP(S) and UDP, tiers, and the announcer of a session.
 *
 * BEP 3 (announce), 7 (IPv6), 12 (tiers), 15 (UDP), 23 (compact peers), 24 (external ip), 31 (retry
 * in), 41 (URL data).
 *
 * @module
 */

export { announce } from './announce.ts';
export type { AnnouncerEvent } from './announce-loop.ts';
export { Announcer, type AnnouncerOptions } from './announcer.ts';
export {
  type AnnounceEvent,
  type AnnounceOptions,
  type AnnounceRequest,
  type AnnounceResponse,
  TrackerRefusal,
  type TrackerRuntime,
} from './model.ts';
export { TrackerTiers } from './tiers.ts';
export { UdpTrackers } from './udp/driver.ts';
export { parseTrackerUrl, type TrackerUrl } from './url.ts';
