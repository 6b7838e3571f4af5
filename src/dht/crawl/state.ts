/** What a crawl keeps from one run to the next. @module */

import type { Family } from '../contact.ts';
import type { CensusState } from './census.ts';
import type { ZoneCount } from './estimate.ts';
import type { ZoneNode } from './zone.ts';

/** Of each family that was crawled. */
export type CrawlState = Readonly<Partial<Record<Family, FamilyState>>>;

export interface FamilyState {
  /** The id space is cut into 2^`bits` zones, 0 to 16. */
  readonly bits: number;
  /** What the order of the zones follows from, 32 bits. */
  readonly seed: number;
  /** How far the 8th nearest node to some random points was, as shares of the id space. */
  readonly distances: readonly number[];
  /** Zones that were asked to the end, by their places in the order. */
  readonly done: ReadonlyMap<number, ZoneCount>;
  readonly open: readonly OpenZone[];
  readonly census: CensusState;
  /** 16 bytes; see `Networks`. */
  readonly networksKey: Uint8Array;
  readonly networks: Uint8Array;
}

/** A zone that is being asked. */
export interface OpenZone {
  /** Its place in the order. */
  readonly place: number;
  readonly nodes: readonly ZoneNode[];
}
