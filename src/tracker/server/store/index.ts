/** Swarms in memory: announces, scrapes, expiry, and a form to keep them in. @module */

export type { StoreHandle, SwarmStoreOptions } from './layout.ts';
export { type StoreTotals, SwarmStore } from './swarm-store.ts';
export type { CountedSwarm, PeerView, SwarmView } from './views.ts';
