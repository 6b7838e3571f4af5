/**
 * The Mainline DHT: BEP 5, with both families (32), scrapes (33), ids by address (42), read-only nodes
 * (43), items (44), several addresses (45, as far as one of each family goes), mutable torrents (46) and
 * samples (51).
 *
 * How it is made, from the bottom up:
 *
 * - `krpc/`: messages and packets; `node-info.ts`: compact nodes.
 * - `distance.ts`, `secure-id.ts`, `bloom.ts`, `tokens.ts`, `items/`, `peer-store.ts`, `routing/`: pure
 *   parts, told the time. What is kept for others lies in typed arrays.
 * - `rpc.ts`: queries that wait for their answers. `server.ts`: answers to queries of others.
 * - `realm.ts`: one socket with its table and its id; everything that goes in or out passes here.
 * - `lookup/`: the search for the closest nodes. `lookup.ts` decides, `run.ts` carries out.
 * - `crawl/`: the whole id space, zone by zone.
 * - `operations/`: what searches are for: peers, items, writes; single questions.
 * - `node.ts`: the realms of both families, joined; `maintenance.ts` keeps them alive.
 * - `state.ts`, `table-file.ts`: what outlives a run. `report.ts`, `metrics.ts`: what can be told of it.
 *
 * @module
 */

export { PeerBloom } from './bloom.ts';
export type { Contact, Family } from './contact.ts';
export { QUERY_KINDS, type QueryKind, type RealmCounters } from './counters.ts';
export * from './crawl/index.ts';
export { commonPrefixBits, compareDistance } from './distance.ts';
export { IdIndex } from './id-index.ts';
export * from './items/index.ts';
export type { LookupEvent, LookupNode, LookupSummary } from './lookup/events.ts';
export { dhtMetrics } from './metrics.ts';
export { DhtNode } from './node.ts';
export type { PingResult, SampleResult } from './operations/ask.ts';
export {
  type GetOptions,
  type GetResult,
  type PutOptions,
  type PutResult,
  targetOf,
} from './operations/items.ts';
export type {
  Announcement,
  PeersOptions,
  PeersResult,
  ScrapeResult,
} from './operations/peers.ts';
export type { WriteResult } from './operations/write.ts';
export type { DhtEvent, DhtOptions, DhtRuntime, StoreLimits } from './options.ts';
export type { Realm, RealmLimits } from './realm.ts';
export { type DhtReport, type FamilyReport, hasSecureId, reportOf } from './report.ts';
export { type Router, WELL_KNOWN_ROUTERS } from './routers.ts';
export { RoutingTable } from './routing/index.ts';
export { isSecureId, makeSecureId } from './secure-id.ts';
export {
  countNodes,
  type DhtState,
  decodeState,
  encodeState,
  withFamilies,
} from './state.ts';
export { readTable, shareTable, writeTable } from './table-file.ts';
