/**
 * Local Service Discovery, which clients call local peer discovery (BEP 14): peers of a torrent on the
 * networks that this machine is in, over IPv4 and IPv6.
 *
 * @module
 */

export { type LpdAnnounce, MAX_INFO_HASHES } from './codec.ts';
export type { Door } from './doors.ts';
export { type HeardAnnounce, Lpd, type LpdOptions } from './driver.ts';
