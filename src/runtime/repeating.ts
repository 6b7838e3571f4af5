/** Work that is done again and again until it is stopped. @module */

import type { Clock, Millis } from './ports.ts';

export class Repeating {
  readonly #clock: Clock;
  readonly #cancels = new Map<object, () => void>();
  #stopped = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `work` every `ms` milliseconds, first after so long. A late call does not make up for lost ones. */
  every(ms: Millis, work: () => void): void {
    const key = {};
    const arm = (): void => {
      if (this.#stopped) return;
      const wake = (): void => {
        work();
        arm();
      };
      this.#cancels.set(key, this.#clock.schedule(this.#clock.now() + ms, wake));
    };
    arm();
  }

  stop(): void {
    this.#stopped = true;
    for (const cancel of this.#cancels.values()) cancel();
  }
}
