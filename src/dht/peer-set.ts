/** The peers of one torrent in one family, in memory of a few bytes each. @module */

import type { Millis, Random } from '../runtime/ports.ts';

/** Peers, each with an address and port of `size` bytes (6 or 18), when it was heard of, and whether it seeds. */
export class PeerSet {
  readonly #size: 6 | 18;
  readonly #random: Random;
  #count = 0;
  #peers: Uint8Array;
  /** Seconds. */
  #heardAt: Int32Array;
  #seeds: Uint8Array;

  constructor(size: 6 | 18, random: Random) {
    this.#size = size;
    this.#random = random;
    this.#peers = new Uint8Array(size * FIRST_ROOM);
    this.#heardAt = new Int32Array(FIRST_ROOM);
    this.#seeds = new Uint8Array(FIRST_ROOM);
  }

  get size(): number {
    return this.#count;
  }

  /** Bytes of memory, about. */
  get bytes(): number {
    return this.#heardAt.length * (this.#size + 4 + 1);
  }

  /**
   * Adds a peer or hears of it again. One of an address that has {@link MAX_PORTS} takes the place of
   * the one of them that was not heard of for longest; when there are `max` peers, a new one takes the
   * place of the oldest of a few. Returns by how many there are more: 0 or 1.
   */
  announce(peer: Uint8Array, seed: boolean, now: Millis, max: number): number {
    const seconds = toSeconds(now);
    const place = this.#placeFor(peer, max);
    this.#peers.set(peer, place * this.#size);
    this.#heardAt[place] = seconds;
    this.#seeds[place] = seed ? 1 : 0;
    if (place < this.#count) return 0;
    this.#count++;
    return 1;
  }

  /** Takes out who was not heard of for so long. Returns how many. */
  sweep(now: Millis, maxAgeMs: Millis): number {
    const before = this.#count;
    for (let at = this.#count - 1; at >= 0; at--)
      if (this.#isOld(at, now, maxAgeMs)) this.#remove(at);
    if (this.#count <= this.#heardAt.length >>> 2)
      this.#resize(Math.max(FIRST_ROOM, this.#count * 2));
    return before - this.#count;
  }

  /**
   * Copies up to `max` peers into `into`, each chosen with the same chance; seeds only when others do
   * not fill it, or not at all, as `noSeed` says. Who is too old is left out. Returns how many.
   */
  sample(
    into: Uint8Array,
    max: number,
    how: { readonly noSeed: boolean; readonly now: Millis; readonly maxAgeMs: Millis },
  ): number {
    const size = this.#size;
    let taken = 0;
    // Fisher and Yates: what was chosen moves to the front.
    for (let front = 0; front < this.#count && taken < max; front++) {
      this.#swap(front, front + (this.#random.uint32() % (this.#count - front)));
      if (this.#isOld(front, how.now, how.maxAgeMs)) continue;
      if (how.noSeed && this.#seeds[front] === 1) continue;
      const from = front * size;
      for (let at = 0; at < size; at++) into[taken * size + at] = this.#peers[from + at] ?? 0;
      taken++;
    }
    return taken;
  }

  /** Calls `each` with the address of every peer that is not too old, a view, and whether it seeds. */
  forEach(now: Millis, maxAgeMs: Millis, each: (ip: Uint8Array, seed: boolean) => void): void {
    for (let at = 0; at < this.#count; at++) {
      if (this.#isOld(at, now, maxAgeMs)) continue;
      const from = at * this.#size;
      each(this.#peers.subarray(from, from + this.#size - 2), this.#seeds[at] === 1);
    }
  }

  /** Where a peer is to stand: where it stands, in the place of another, or behind all. */
  #placeFor(peer: Uint8Array, max: number): number {
    let ports = 0;
    let oldest = -1;
    for (let at = 0; at < this.#count; at++) {
      if (!this.#hasAddress(at, peer)) continue;
      if (this.#hasPort(at, peer)) return at;
      ports++;
      if (oldest < 0 || this.#heard(at) < this.#heard(oldest)) oldest = at;
    }
    if (ports >= MAX_PORTS) return oldest;
    if (this.#count >= max) return this.#oldestOfSome();
    if (this.#count === this.#heardAt.length) this.#resize(this.#count * 2);
    return this.#count;
  }

  #oldestOfSome(): number {
    let oldest = this.#random.uint32() % this.#count;
    for (let tries = 1; tries < TRIES; tries++) {
      const at = this.#random.uint32() % this.#count;
      if (this.#heard(at) < this.#heard(oldest)) oldest = at;
    }
    return oldest;
  }

  #hasAddress(at: number, peer: Uint8Array): boolean {
    const from = at * this.#size;
    for (let byte = 0; byte < this.#size - 2; byte++) {
      if (this.#peers[from + byte] !== peer[byte]) return false;
    }
    return true;
  }

  #hasPort(at: number, peer: Uint8Array): boolean {
    const port = at * this.#size + this.#size - 2;
    return (
      this.#peers[port] === peer[this.#size - 2] && this.#peers[port + 1] === peer[this.#size - 1]
    );
  }

  #heard(at: number): number {
    return this.#heardAt[at] ?? 0;
  }

  #isOld(at: number, now: Millis, maxAgeMs: Millis): boolean {
    return toSeconds(now) - this.#heard(at) > maxAgeMs / 1000;
  }

  #swap(one: number, other: number): void {
    if (one === other) return;
    const size = this.#size;
    for (let at = 0; at < size; at++) {
      const byte = this.#peers[one * size + at] ?? 0;
      this.#peers[one * size + at] = this.#peers[other * size + at] ?? 0;
      this.#peers[other * size + at] = byte;
    }
    const [heard, seed] = [this.#heard(one), this.#seeds[one] ?? 0];
    this.#heardAt[one] = this.#heard(other);
    this.#heardAt[other] = heard;
    this.#seeds[one] = this.#seeds[other] ?? 0;
    this.#seeds[other] = seed;
  }

  #remove(at: number): void {
    this.#count--;
    this.#swap(at, this.#count);
  }

  #resize(room: number): void {
    const peers = new Uint8Array(room * this.#size);
    peers.set(this.#peers.subarray(0, this.#count * this.#size));
    const heardAt = new Int32Array(room);
    heardAt.set(this.#heardAt.subarray(0, this.#count));
    const seeds = new Uint8Array(room);
    seeds.set(this.#seeds.subarray(0, this.#count));
    this.#peers = peers;
    this.#heardAt = heardAt;
    this.#seeds = seeds;
  }
}

function toSeconds(now: Millis): number {
  return Math.floor(now / 1000);
}

/**
 * Peers of one address with different ports. BEP 33 has one only; behind one NAT there are more, and on
 * one machine all are.
 */
export const MAX_PORTS = 8;

const FIRST_ROOM = 4;
/** Of so many chosen at random the oldest goes. */
const TRIES = 8;
