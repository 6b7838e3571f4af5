/** Time of the real world. @module */

import type { Clock, Millis, WallClock } from '../ports.ts';

/** The longest delay that `setTimeout` takes; longer ones would fire at once. */
const LONGEST_DELAY = 2 ** 31 - 1;

/** Monotonic: the process's `performance.now()`. */
export const clock: Clock = {
  now: () => performance.now(),
  schedule(at, wake) {
    // Due already: as soon as what came with this turn of the loop is worked through. A timer takes
    // a millisecond at least.
    if (at <= performance.now()) {
      const immediate = setImmediate(wake);
      return () => clearImmediate(immediate);
    }
    let timer: NodeJS.Timeout | undefined;
    // Timers of Node may fire a fraction of a millisecond early; a machine would take that for a
    // spurious timeout and ask again, so look before waking.
    const arm = (): void => {
      timer = setTimeout(() => (clock.now() < at ? arm() : wake()), delayUntil(at));
    };
    arm();
    return () => clearTimeout(timer);
  },
};

export const wallClock: WallClock = { now: () => Date.now() };

function delayUntil(at: Millis): number {
  return Math.min(Math.max(0, Math.ceil(at - performance.now())), LONGEST_DELAY);
}
