/** A node that a search has heard of. @module */

import type { Endpoint } from '../../base/endpoint.ts';

/**
 * `fresh`: not asked yet; `asked`: its answer is awaited; `slow`: it is awaited no longer, and counts
 * when it comes; the others are final.
 */
export type CandidateState = 'fresh' | 'asked' | 'slow' | 'answered' | 'failed';

export class Candidate {
  /** 20 bytes; undefined for a node that only its address is known of. */
  id: Uint8Array | undefined;
  readonly endpoint: Endpoint;
  /** Answers that led to it: 0 for those that the search began with. */
  readonly hop: number;
  state: CandidateState = 'fresh';
  /** Queries that were sent to it. */
  attempts = 0;
  /** Of them, those that may still be answered. */
  pending = 0;
  /** It was asked for nodes alone, too. */
  wasAskedForNodes = false;
  /** What it asks to see again with a write, copied. */
  token: Uint8Array | undefined;

  constructor(endpoint: Endpoint, id: Uint8Array | undefined, hop: number) {
    this.endpoint = endpoint;
    this.id = id;
    this.hop = hop;
  }
}
