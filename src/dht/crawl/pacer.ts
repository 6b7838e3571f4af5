/**
 * A polite rate: queries leave one by one, evenly, and nobody is asked twice in a moment.
 *
 * @module
 */

import type { Endpoint } from '../../base/endpoint.ts';
import type { Clock, Millis } from '../../runtime/ports.ts';

export interface PacerOptions {
  readonly clock: Clock;
  /** Queries a second. */
  readonly rate: number;
  /** Queries that wait for an answer at once. */
  readonly concurrency: number;
  /** Endpoints of one place are not asked within {@link REST_MS} of each other. */
  readonly placeOf: (endpoint: Endpoint) => string;
}

/** A query that is to be sent; `done` is called once when nothing more can become of it. */
type Send = (done: () => void) => void;

interface Waiting {
  readonly place: string;
  readonly send: Send;
}

/** Sends what it is given in turn; what is of a place that rests is passed by for as long. */
export class Pacer {
  readonly #options: PacerOptions;
  readonly #queue: Waiting[] = [];
  /** Until when places rest; the first to be asked again comes first. */
  readonly #resting = new Map<string, Millis>();
  #flying = 0;
  #nextAt: Millis;
  #cancelTimer: (() => void) | undefined;
  #stopped = false;

  constructor(options: PacerOptions) {
    this.#options = options;
    this.#nextAt = options.clock.now();
  }

  /** How many are to be sent. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** How many wait for an answer. */
  get flying(): number {
    return this.#flying;
  }

  /** Sends when it is time. After {@link stop} nothing becomes of it. */
  ask(endpoint: Endpoint, send: Send): void {
    if (this.#stopped) return;
    this.#queue.push({ place: this.#options.placeOf(endpoint), send });
    this.#pump(0);
  }

  /** Sends nothing any more. */
  stop(): void {
    this.#stopped = true;
    this.#cancelTimer?.();
    this.#queue.length = 0;
  }

  /** `catchUpMs`: how much of the time that has passed may be made up for. */
  #pump(catchUpMs: Millis): void {
    while (!this.#stopped && this.#queue.length > 0 && this.#flying < this.#options.concurrency) {
      const now = this.#options.clock.now();
      if (now < this.#nextAt) return this.#wakeAt(this.#nextAt);
      const next = this.#take(now);
      if (next === undefined) return this.#wakeAt(this.#firstRested());
      this.#nextAt = Math.max(this.#nextAt, now - catchUpMs) + 1000 / this.#options.rate;
      this.#resting.set(next.place, now + REST_MS);
      this.#flying++;
      next.send(() => {
        this.#flying--;
        this.#pump(0);
      });
    }
  }

  /** The first whose place does not rest. */
  #take(now: Millis): Waiting | undefined {
    for (const [place, until] of this.#resting) {
      if (until > now) break;
      this.#resting.delete(place);
    }
    const at = this.#queue.findIndex(({ place }) => !this.#resting.has(place));
    return at < 0 ? undefined : this.#queue.splice(at, 1)[0];
  }

  #firstRested(): Millis {
    for (const until of this.#resting.values()) return until;
    return this.#nextAt;
  }

  #wakeAt(at: Millis): void {
    this.#cancelTimer?.();
    this.#cancelTimer = this.#options.clock.schedule(at, () => {
      this.#cancelTimer = undefined;
      this.#pump(CATCH_UP_MS);
    });
  }
}

/** How long a place is left alone after a query. */
const REST_MS = 1000;
/** Timers are late: so much of the time that was lost is made up for, and no more. */
const CATCH_UP_MS = 50;
