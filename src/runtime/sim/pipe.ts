/** One direction of a host's access to the network: so many bytes a second, in their order. @module */

import type { Millis } from '../ports.ts';

export class Pipe {
  /** Bytes a millisecond. */
  readonly rate: number;
  /** How much may wait, in milliseconds of sending: the buffer of the modem. */
  readonly queueMs: Millis;
  #free: Millis = 0;

  constructor(bytesPerSecond: number, queueMs: Millis) {
    this.rate = bytesPerSecond / 1000;
    this.queueMs = queueMs;
  }

  /** How long something that came now would wait before its first byte goes out. */
  backlog(now: Millis): Millis {
    return Math.max(0, this.#free - now);
  }

  /** Takes `size` bytes whatever waits already; when the last of them is out. */
  admit(now: Millis, size: number): Millis {
    this.#free = Math.max(now, this.#free) + size / this.rate;
    return this.#free;
  }

  /** The same, but `undefined` when the buffer is full: they are lost. */
  tryAdmit(now: Millis, size: number): Millis | undefined {
    return this.backlog(now) > this.queueMs ? undefined : this.admit(now, size);
  }
}
