/** One state of a tracker, from which all that is shown is made. @module */

import type { CounterName } from './counters.ts';

/** What all swarms amount to. */
export interface TrackerTotals {
  readonly swarms: number;
  readonly peers4: number;
  readonly peers6: number;
  readonly seeders: number;
  readonly leechers: number;
  readonly completed: number;
  readonly bytesUsed: number;
  readonly bytesReserved: number;
}

export type CounterTotals = Readonly<Record<CounterName, number>>;

/** What does not follow from totals and counters. */
export interface TrackerInfo {
  readonly version: string;
  readonly workers: number;
  /** The store that several trackers share. */
  readonly store?: { readonly up: boolean; readonly pending: number };
}

/** One state of a tracker, from which all that is shown is made. */
export interface TrackerState extends TrackerInfo {
  readonly totals: TrackerTotals;
  readonly counters: CounterTotals;
  readonly announces: number;
  readonly announcesPerSecond: number;
  readonly uptimeSeconds: number;
}
