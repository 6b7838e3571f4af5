/**
 * The routing table of BEP 5 for one family (BEP 32): extended first buckets, questionable nodes pinged
 * before they are replaced, a cache of replacements, limits by address and network, and a preference
 * for ids that follow from addresses (BEP 42). It sends nothing: the driver asks it whom to ping and
 * what to look up, and tells it what became of that.
 *
 * @module
 */

export type { NodeState } from './standing.ts';
export { type RoutingOptions, RoutingTable } from './table.ts';
export type { BucketView, NodeView } from './view.ts';
