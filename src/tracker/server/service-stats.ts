/** What the numbers of a whole tracker are made of. @module */

import type { Clock, WallClock } from '../../runtime/ports.ts';
import { Counters } from './counters.ts';
import type { ServingTracker } from './serving.ts';
import { TrackerStats } from './stats.ts';
import type { SwarmStore } from './store/index.ts';
import type { TrackerInfo } from './tracker-state.ts';

export interface StatsSources {
  readonly store: SwarmStore;
  /** Of all threads. */
  readonly counters: ArrayBufferLike;
  readonly serving: Pick<ServingTracker, 'remote'>;
}

/** Always of the moment when it is asked. */
export function statsOf(
  { clock, wallClock }: { readonly clock: Clock; readonly wallClock: WallClock },
  { version, workers }: Pick<TrackerInfo, 'version' | 'workers'>,
  { store, counters, serving }: StatsSources,
): TrackerStats {
  return new TrackerStats({
    clock,
    wallClock,
    totals: () => store.totals,
    counters: () => Counters.sum(counters),
    info() {
      const { remote } = serving;
      const common = { version, workers };
      return remote === undefined
        ? common
        : { ...common, store: { up: remote.up, pending: remote.pending } };
    },
  });
}
