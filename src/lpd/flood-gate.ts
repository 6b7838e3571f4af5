/** How many datagrams are looked at, of each sender and in all, in memory that does not grow. @module */

import type { Millis } from '../runtime/ports.ts';

/** A sender after a rest; clients with many torrents may send a datagram for each (BEP 14 allows it). */
const SENDER_BURST = 40;
/** Milliseconds until a sender may send one more: one a second. */
const SENDER_COST: Millis = 1_000;
/** All senders together after a rest. */
const TOTAL_BURST = 200;
/** Twenty a second. */
const TOTAL_COST: Millis = 50;
/** Senders that are told apart. */
const MAX_SENDERS = 256;

export class FloodGate {
  /** When the bucket of a sender is full again; the one that was refilled longest ago comes first. */
  readonly #senders = new Map<string, Millis>();
  #totalFullAt: Millis = 0;
  #dropped = 0;

  /** How many were kept out. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Whether a datagram from `host` may be looked at now; takes it into account if so. */
  admits(host: string, now: Millis): boolean {
    const total = filled(this.#totalFullAt, TOTAL_COST, now);
    const sender = filled(this.#senders.get(host) ?? now, SENDER_COST, now);
    const isFine =
      total - now <= TOTAL_COST * TOTAL_BURST && sender - now <= SENDER_COST * SENDER_BURST;
    if (!isFine) {
      this.#dropped++;
      return false;
    }
    this.#totalFullAt = total;
    this.#senders.delete(host);
    this.#senders.set(host, sender);
    if (this.#senders.size > MAX_SENDERS) this.#forget();
    return true;
  }

  /** Who has been quiet for longest gets a full bucket: under a flood of many senders the total counts. */
  #forget(): void {
    const [first] = this.#senders.keys();
    if (first !== undefined) this.#senders.delete(first);
  }
}

/** When a bucket will be full after one more was taken out (the virtual scheduling of ITU-T I.371). */
function filled(fullAt: Millis, cost: Millis, now: Millis): Millis {
  return Math.max(fullAt, now) + cost;
}
