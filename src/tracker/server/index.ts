/**
 * Trackers, the server's side: swarms in memory or shared with others, HTTP and UDP on one port.
 *
 * BEP 3, 7, 15, 21, 23, 24, 27, 31, 41, 48.
 *
 * `store` keeps swarms ← `tracker` decides ← `udp`, `http` speak ← `serving` is a thread ← `service`
 * is all of it.
 *
 * @module
 */

export type { AccessLists } from './access.ts';
export { type DenyList, parseAllowList, parseDenyList, parsePasskeys } from './lists.ts';
export { NetworkSet } from './network-set.ts';
export {
  type ServiceEvent,
  type ServiceHost,
  type ServiceNumbers,
  type ServiceOptions,
  TrackerService,
} from './service.ts';
export type { OpenShared } from './serving.ts';
export type { AnnounceNote, SharedSwarmsAt, TrackerSetup } from './setup.ts';
export { shareByRedis } from './share.ts';
export { serveThread } from './thread.ts';
export type { FromThread, ToThread, TrackerThread } from './threads.ts';
