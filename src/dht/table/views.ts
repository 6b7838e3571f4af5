/** What displays show of a table. @module */

import type { Millis } from '../../runtime/ports.ts';
import type { Contact } from '../contact.ts';
import type { NodeState } from './standing.ts';

/** A node as displays show it. */
export interface NodeView extends Contact {
  readonly state: NodeState;
  readonly rttMs: Millis | undefined;
  /** Its id follows from its address (BEP 42). */
  readonly isVerified: boolean;
}

export interface BucketView {
  /** Leading bits that its nodes share with us; the last bucket holds all that share more, too. */
  readonly depth: number;
  readonly room: number;
  readonly nodes: readonly NodeView[];
  readonly replacements: readonly NodeView[];
}
