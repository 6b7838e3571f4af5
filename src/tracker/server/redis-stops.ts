/**
 * Peers that left, for as long as Redis may not know it: it has not heard of it yet, or it may come back
 * as it was before.
 *
 * @module
 */

import type { Clock, Millis } from '../../runtime/ports.ts';

/** More of either kind are not kept: who was forgotten here stays in Redis until it is too old. */
const MAX_STOPS = 10_000;

export interface Stop {
  /** 20 bytes. */
  readonly infoHash: Uint8Array;
  readonly member: Uint8Array;
  readonly at: Millis;
}

export class Stops {
  readonly #clock: Clock;
  /** Oldest first. */
  readonly #unheard = new Map<string, Stop>();
  readonly #heard = new Map<string, Stop>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Copies what it keeps. */
  add(infoHash: Uint8Array, member: Uint8Array): Stop {
    const key = keyOf(infoHash, member);
    const stop = { infoHash: infoHash.slice(), member: member.slice(), at: this.#clock.now() };
    this.#heard.delete(key);
    put(this.#unheard, key, stop);
    return stop;
  }

  /** The peer is there again. */
  forget(infoHash: Uint8Array, member: Uint8Array): void {
    if (this.#unheard.size + this.#heard.size === 0) return;
    const key = keyOf(infoHash, member);
    this.#unheard.delete(key);
    this.#heard.delete(key);
  }

  /** Redis has heard of this very one. */
  heard(stop: Stop): void {
    const key = keyOf(stop.infoHash, stop.member);
    if (this.#unheard.get(key) !== stop) return;
    this.#unheard.delete(key);
    put(this.#heard, key, stop);
  }

  /** Those that there are, and not those that come meanwhile. */
  list(): readonly Stop[] {
    return [...this.#heard.values(), ...this.#unheard.values()];
  }
}

function put(stops: Map<string, Stop>, key: string, stop: Stop): void {
  // A key that is set again would keep its place.
  stops.delete(key);
  stops.set(key, stop);
  for (const oldest of stops.keys()) {
    if (stops.size <= MAX_STOPS) break;
    stops.delete(oldest);
  }
}

function keyOf(infoHash: Uint8Array, member: Uint8Array): string {
  return String.fromCharCode(...infoHash, ...member);
}
