/**
 * How many requests to keep open at a peer: what it delivers in {@link QUEUE_TIME}, found by slow
 * start, never more than the peer says it takes (`reqq`, BEP 10).
 *
 * @module
 */

import type { Millis } from '../runtime/ports.ts';

const BLOCK = 16_384;
/** Requests worth this time are kept open; libtorrent's `request_queue_time`. */
const QUEUE_TIME: Millis = 3_000;
/** First window; libtorrent starts at 4 as well. */
const INITIAL = 4;
const MINIMUM = 2;
/** Slow start ends when a second brings less than this much more, in bytes per second. */
const GAIN_THRESHOLD = 5_120;
const GAIN_INTERVAL: Millis = 1_000;
/** Cap for peers with a large `reqq`: 64 MiB open fill a path of 640 MB/s and 100 ms. */
const MAXIMUM = 4_096;

export class RequestWindow {
  #slowStart: number | undefined = INITIAL;
  #lastRate = 0;
  #lastLook: Millis | undefined;
  #snubbed = false;

  /** One block came. */
  onBlock(): void {
    this.#snubbed = false;
    if (this.#slowStart !== undefined) this.#slowStart = Math.min(this.#slowStart + 1, MAXIMUM);
  }

  /** Nothing came for long: one request at a time until something does. */
  onSnub(): void {
    this.#snubbed = true;
    this.#slowStart = undefined;
  }
  get isSnubbed(): boolean {
    return this.#snubbed;
  }

  /**
   * How many requests may be open now.
   * @param rate bytes per second that the peer delivers
   * @param reqq what the peer takes at most
   */
  target(rate: number, reqq: number, now: Millis): number {
    if (this.#snubbed) return 1;
    this.#watchGain(rate, now);
    const byRate = Math.ceil((rate * QUEUE_TIME) / 1000 / BLOCK);
    const wanted = this.#slowStart === undefined ? byRate : Math.max(byRate, this.#slowStart);
    return Math.max(MINIMUM, Math.min(wanted, reqq, MAXIMUM));
  }

  #watchGain(rate: number, now: Millis): void {
    if (this.#slowStart === undefined) return;
    this.#lastLook ??= now;
    if (now - this.#lastLook < GAIN_INTERVAL) return;
    if (this.#lastRate > 0 && rate - this.#lastRate < GAIN_THRESHOLD) this.#slowStart = undefined;
    this.#lastRate = rate;
    this.#lastLook = now;
  }
}
