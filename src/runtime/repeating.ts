/** Work that is done again and again until it is stopped. @module */

import type { Clock, Millis } from './ports.ts';

interface Task {
  readonly ms: Millis;
  readonly work: () => void;
}

export class Repeating {
  readonly #clock: Clock;
  readonly #cancels = new Map<Task, () => void>();
  #stopped = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `work` every `ms` milliseconds, first after so long. A late call does not make up for lost ones. */
  every(ms: Millis, work: () => void): void {
    this.#arm({ ms, work });
  }

  #arm(task: Task): void {
    if (this.#stopped) return;
    const wake = (): void => {
      task.work();
      this.#arm(task);
    };
    this.#cancels.set(task, this.#clock.schedule(this.#clock.now() + task.ms, wake));
  }

  stop(): void {
    this.#stopped = true;
    for (const cancel of this.#cancels.values()) cancel();
  }
}
