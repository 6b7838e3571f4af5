/** Swarms in memory: announces, scrapes, expiry, and a form to keep them in. @module */

export { encodeSnapshot } from './encode-snapshot.ts';
export type { StoreHandle, SwarmStoreOptions } from './layout.ts';
export { SnapshotReader } from './snapshot-reader.ts';
export { type StoreId, type StoreTotals, SwarmStore } from './swarm-store.ts';
export type { CountedSwarm, PeerView, SwarmView } from './views.ts';
