/** Virtual time. @module */

import { InvariantError } from '../../base/errors.ts';
import type { Millis } from '../ports.ts';
import { EventQueue, type SimEvent } from './event-queue.ts';
import { Trace } from './trace.ts';

/** The world's clock and what is to happen by it. Time passes only from one event to the next. */
export class Timeline {
  readonly trace: Trace;
  readonly #queue = new EventQueue();
  readonly #maxEvents: number;
  #now: Millis = 0;
  #happened = 0;

  constructor(options: { readonly maxEvents: number; readonly keepLines: boolean }) {
    this.#maxEvents = options.maxEvents;
    this.trace = new Trace(options);
  }

  get now(): Millis {
    return this.#now;
  }
  /** Events so far. */
  get happened(): number {
    return this.#happened;
  }
  /** Events to come. */
  get waiting(): number {
    return this.#queue.size;
  }

  /** A time that has passed means now, after what is already due now. */
  at(time: Millis, run: () => void): SimEvent {
    return this.#queue.push(Math.max(time, this.#now), run);
  }

  after(delay: Millis, run: () => void): SimEvent {
    return this.#queue.push(this.#now + Math.max(0, delay), run);
  }

  cancel(event: SimEvent): void {
    this.#queue.cancel(event);
  }

  /**
   * Lets the next event happen, unless it is due after `until`. False when there is none.
   *
   * @throws {InvariantError} when the budget of events is used up: something goes round for ever.
   * @throws whatever the event throws.
   */
  step(until: Millis = Number.POSITIVE_INFINITY): boolean {
    const event = this.#queue.peek();
    if (event?.run === undefined || event.at > until) return false;
    this.#queue.pop();
    if (++this.#happened > this.#maxEvents) {
      const sofar = `${this.#maxEvents} events in ${Math.round(this.#now)} virtual ms`;
      throw new InvariantError(`the world does not come to rest: ${sofar}; is there a loop?`);
    }
    this.#now = event.at;
    const { run } = event;
    event.run = undefined;
    run();
    return true;
  }

  /** Moves the clock on to `time` without any event. */
  skipTo(time: Millis): void {
    this.#now = Math.max(this.#now, time);
  }
}
