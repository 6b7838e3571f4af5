/** The routing table: whom we know (BEP 5, BEP 42). @module */

export { RoutingTable } from './table.ts';
export type { BucketView, NodeView } from './views.ts';
