/** Shares what a host may send among its connections, a segment each in turn. @module */

import type { Millis } from '../ports.ts';
import type { Pipe } from './pipe.ts';
import type { Timeline } from './timeline.ts';

/** One direction of a connection with something to send. */
export interface Sender {
  /** Sends one segment of at most `limit` bytes; true when there is more that may go now. */
  sendSegment(limit: number): boolean;
}

/** Largest segment, bytes: several packets at once, to save events. */
const LARGEST_SEGMENT = 16_384;
const SMALLEST_SEGMENT = 1460;

/** On slow lines segments are so long at most, so that others get their turn. */
const SEGMENT_MS: Millis = 10;

/** TCP fills this part of the buffer in front of the line and leaves the rest to datagrams. */
const BUFFER_SHARE = 0.8;

/** Shorter waits may be too short to move the clock at all. */
const INSTANT: Millis = 0.001;

export class Uplink {
  readonly #pipe: Pipe;
  readonly #timeline: Timeline;
  readonly #limit: number;
  /** In their order of turns; a Set keeps that order. */
  readonly #ready = new Set<Sender>();
  #running = false;

  constructor(pipe: Pipe, timeline: Timeline) {
    this.#pipe = pipe;
    this.#timeline = timeline;
    const fair = Math.max(SMALLEST_SEGMENT, pipe.rate * SEGMENT_MS);
    this.#limit = Math.floor(Math.min(LARGEST_SEGMENT, fair));
  }

  /** `sender` has something that may go. */
  enqueue(sender: Sender): void {
    this.#ready.add(sender);
    if (this.#running) return;
    this.#running = true;
    this.#timeline.after(0, () => this.#serve());
  }

  #serve(): void {
    for (const sender of this.#ready) {
      const now = this.#timeline.now;
      const wait = this.#pipe.backlog(now) - BUFFER_SHARE * this.#pipe.queueMs;
      if (wait > INSTANT) {
        this.#timeline.after(wait, () => this.#serve());
        return;
      }
      // Out and, if there is more, in again at the end: the loop comes to it after all others.
      this.#ready.delete(sender);
      if (sender.sendSegment(this.#limit)) this.#ready.add(sender);
    }
    this.#running = false;
  }
}
