/** What a crawl tells as it goes on. @module */

import type { Endpoint } from '../../base/endpoint.ts';
import type { NetworkError } from '../../base/errors.ts';
import type { Millis } from '../../runtime/ports.ts';
import type { Family } from '../contact.ts';
import type { CensusState } from './census.ts';
import type { SizeEstimate } from './estimate.ts';

/** A node that answered, with an id of the part of the id space that was looked at. */
export interface FoundNode {
  readonly family: Family;
  /** 20 bytes. */
  readonly id: Uint8Array;
  readonly endpoint: Endpoint;
  readonly rttMs: Millis;
  /** `v`: client and version. */
  readonly version: Uint8Array | undefined;
  /** Its id follows from its address, or needs not (BEP 42). */
  readonly isSecure: boolean;
  /** 20 bytes each; undefined when it does not know the question (BEP 51). */
  readonly samples: readonly Uint8Array[] | undefined;
  /** How many infohashes it says to have. */
  readonly total: number | undefined;
  /** Seconds until it would give others. */
  readonly intervalSeconds: number | undefined;
}

/** How far the crawl of one family is. */
export interface FamilyCrawlReport {
  readonly family: Family;
  /** Zones that there are; undefined while it is found out how many there are to be. */
  readonly zones: number | undefined;
  readonly zonesDone: number;
  /** Of up to 64 equal parts of the id space, in their order, the share that was asked, 0 to 1. */
  readonly coverage: readonly number[];
  /** Undefined while nothing can be said. */
  readonly estimate: SizeEstimate | undefined;
  readonly census: CensusState;
}

export type CrawlEvent =
  | { readonly type: 'node'; readonly node: FoundNode }
  /** A zone of the id space was asked to the end. */
  | { readonly type: 'zone'; readonly family: Family; readonly nodes: number }
  /** Nobody answers in a family, or not any more; its crawl has ended. */
  | { readonly type: 'silent'; readonly family: Family; readonly error: NetworkError };
