/** What a routing table looks like, for displays. @module */

import type { Millis } from '../../runtime/ports.ts';
import type { Contact } from '../contact.ts';
import type { Buckets } from './buckets.ts';
import { type NodeState, stateOf } from './standing.ts';

export interface NodeView extends Contact {
  readonly state: NodeState;
  /** Mean round trip; `undefined` when none was measured. */
  readonly rttMs: Millis | undefined;
  /** Its id follows from its address, or need not (BEP 42). */
  readonly isVerified: boolean;
}

export interface BucketView {
  /** Bits that its ids share with ours; in the last bucket: at least. */
  readonly depth: number;
  /** Live nodes that it has place for. */
  readonly room: number;
  readonly nodes: readonly NodeView[];
  /** Candidates and replacements. */
  readonly replacements: readonly NodeView[];
}

/** The bucket of a depth at a tick. */
export function viewBucket(buckets: Buckets, depth: number, tick: number): BucketView {
  const { records } = buckets;
  const { start, live, spare } = buckets.at(depth);
  const view = (slot: number): NodeView => ({
    ...records.contact(slot),
    state: stateOf(records, slot, tick),
    rttMs: records.rttMs(slot),
    isVerified: records.isVerified(slot),
  });
  return {
    depth,
    room: buckets.capacity(depth),
    nodes: Array.from({ length: live }, (_, at) => view(start + at)),
    replacements: Array.from({ length: spare }, (_, at) => view(start + live + at)),
  };
}
