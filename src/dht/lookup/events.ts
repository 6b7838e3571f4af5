/** What a search tells as it goes on. @module */

import type { Endpoint } from '../../base/endpoint.ts';
import type { Millis } from '../../runtime/ports.ts';
import type { Family } from '../contact.ts';

/** A node of a search. */
export interface LookupNode {
  readonly endpoint: Endpoint;
  /** 20 bytes; undefined while only its address is known. */
  readonly id: Uint8Array | undefined;
  /** Answers that led to it. */
  readonly hop: number;
}

interface Step {
  readonly family: Family;
  readonly node: LookupNode;
}

export type LookupEvent =
  | (Step & { readonly type: 'asked' })
  | (Step & {
      readonly type: 'answered';
      readonly rttMs: Millis;
      /** Nodes that it named, and of them those that were new. */
      readonly named: number;
      readonly fresh: number;
      /** Peers that it gave. */
      readonly values: number;
      /** `v` of the answer, copied. */
      readonly version: Uint8Array | undefined;
    })
  | (Step & { readonly type: 'slow' })
  | (Step & { readonly type: 'timedOut' })
  | (Step & {
      readonly type: 'refused';
      readonly code: number;
      readonly message: string;
      readonly rttMs: Millis;
    });

/** What a search came to. */
export interface LookupSummary {
  readonly family: Family;
  /** The closest that answered, nearest first. */
  readonly closest: readonly LookupNode[];
  readonly asked: number;
  readonly answered: number;
  readonly timedOut: number;
  readonly refused: number;
  /** The most answers that led to one of the closest. */
  readonly hops: number;
  readonly elapsedMs: Millis;
}
