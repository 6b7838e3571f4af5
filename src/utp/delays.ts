/**
 * Delays of one direction by two clocks that agree in nothing but their speed (RFC 6817 §3.4.2):
 * what counts is how much a delay is above the shortest of the last minutes.
 *
 * @module
 */

import type { Millis } from '../runtime/ports.ts';

/** RFC 6817 §2.4.2 keeps the minima of ten minutes: shorter ones forget what an empty queue is like. */
const MINUTES = 10;
const MINUTE: Millis = 60_000;
/** Queues are judged by the least of so many samples: one that waited for a busy processor is no news. */
const FILTER = 4;
/** A base that falls by more than this at once is no drift, microseconds (libutp and libtorrent: 10 ms). */
const MOST_DRIFT = 10_000;

export class DelayHistory {
  /** Samples are kept as differences to the first one, so that they do not wrap. */
  #origin: number | undefined;
  readonly #minutes = new Float64Array(MINUTES).fill(Number.POSITIVE_INFINITY);
  #minute = 0;
  #minuteEnds: Millis = 0;
  #base = 0;
  readonly #recent = new Float64Array(FILTER).fill(Number.POSITIVE_INFINITY);
  #next = 0;

  /** A delay in microseconds modulo 2^32. Returns by how much it lowered the base, in microseconds. */
  sample(delay: number, now: Millis): number {
    if (this.#origin === undefined) {
      this.#origin = delay;
      this.#minuteEnds = now + MINUTE;
    }
    const relative = (delay - this.#origin) | 0;
    this.#step(now);
    this.#recent[this.#next] = relative;
    this.#next = (this.#next + 1) % FILTER;
    if (relative < (this.#minutes[this.#minute] ?? 0)) this.#minutes[this.#minute] = relative;
    if (relative >= this.#base) return 0;
    const fell = this.#base - relative;
    this.#base = relative;
    return fell;
  }

  /** Microseconds that packets wait in queues on the way now; 0 before the first sample. */
  get queueing(): number {
    let least = Number.POSITIVE_INFINITY;
    for (const delay of this.#recent) if (delay < least) least = delay;
    return least === Number.POSITIVE_INFINITY ? 0 : Math.max(0, least - this.#base);
  }

  /**
   * The base of the other direction fell by `fell` microseconds: the other clock runs faster than
   * ours, so that delays in this direction seem to grow by as much. Not more than a drift explains.
   */
  drifted(fell: number): void {
    if (this.#origin === undefined || fell > MOST_DRIFT) return;
    for (let minute = 0; minute < MINUTES; minute++) {
      this.#minutes[minute] = (this.#minutes[minute] ?? 0) + fell;
    }
    this.#base += fell;
  }

  #step(now: Millis): void {
    if (now < this.#minuteEnds) return;
    // After a silence all minutes that passed are empty.
    const passed = Math.min(MINUTES, 1 + Math.floor((now - this.#minuteEnds) / MINUTE));
    for (let step = 0; step < passed; step++) {
      this.#minute = (this.#minute + 1) % MINUTES;
      this.#minutes[this.#minute] = Number.POSITIVE_INFINITY;
    }
    this.#minuteEnds = now + MINUTE;
    let least = Number.POSITIVE_INFINITY;
    for (const minute of this.#minutes) if (minute < least) least = minute;
    if (least !== Number.POSITIVE_INFINITY) this.#base = least;
  }
}
