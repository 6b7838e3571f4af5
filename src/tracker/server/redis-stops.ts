/** Peers that left, for as long as Redis may not have heard of it. @module */

import type { Clock, Millis } from '../../runtime/ports.ts';

/** More are not kept: who was forgotten here stays in Redis until it is too old. */
const MAX_STOPS = 10_000;

export interface Stop {
  /** 20 bytes. */
  readonly infoHash: Uint8Array;
  readonly member: Uint8Array;
  readonly at: Millis;
}

export class UnheardStops {
  readonly #clock: Clock;
  readonly #stops = new Map<string, Stop>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#stops.size;
  }

  /** Copies what it keeps. */
  add(infoHash: Uint8Array, member: Uint8Array): Stop {
    const key = keyOf(infoHash, member);
    const stop = { infoHash: infoHash.slice(), member: member.slice(), at: this.#clock.now() };
    // A key that is set again keeps its place, and the oldest go first.
    this.#stops.delete(key);
    this.#stops.set(key, stop);
    for (const oldest of this.#stops.keys()) {
      if (this.#stops.size <= MAX_STOPS) break;
      this.#stops.delete(oldest);
    }
    return stop;
  }

  /** The peer is there again. */
  forget(infoHash: Uint8Array, member: Uint8Array): void {
    if (this.#stops.size > 0) this.#stops.delete(keyOf(infoHash, member));
  }

  /** Redis has heard of this very one. */
  heard(stop: Stop): void {
    const key = keyOf(stop.infoHash, stop.member);
    if (this.#stops.get(key) === stop) this.#stops.delete(key);
  }

  /** Those that there are, oldest first; not those that come meanwhile. */
  list(): readonly Stop[] {
    return [...this.#stops.values()];
  }
}

function keyOf(infoHash: Uint8Array, member: Uint8Array): string {
  return String.fromCharCode(...infoHash, ...member);
}
