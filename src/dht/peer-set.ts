/** The peers of one torrent in one family: 16 bytes each, or 28 of IPv6. @module */

import { writeUint32 } from '../base/uint32.ts';
import type { PeerBloom } from './bloom.ts';
import type { Dice } from './dice.ts';
import type { HostQuota } from './host-quota.ts';
import type { EntryShape, PeerEntry } from './peer-entry.ts';

/**
 * Entries one after the other, in no order. Times are seconds of 32 bits, of which differences count:
 * wherever a clock begins, nothing changes when they overflow.
 */
export class PeerSet {
  /** How many there are, those that are too old included, until {@link purge}. */
  size = 0;
  readonly #shape: EntryShape;
  #words: Int32Array = NOTHING;
  /** No entry is older. */
  #oldest = 0;

  constructor(shape: EntryShape) {
    this.#shape = shape;
  }

  /** Bytes of memory for entries. */
  get bytes(): number {
    return this.#words.byteLength;
  }

  /** Seconds since the announce of an entry that is at least as old as the oldest. */
  maxAge(seconds: number): number {
    return this.size === 0 ? 0 : (seconds - this.#oldest) | 0;
  }

  /** Renews an entry that has this address and port. False when there is none. */
  renew(entry: PeerEntry): boolean {
    const { words: stride, addressWords, port, time } = this.#shape;
    const words = this.#words;
    const told = entry.words;
    const wantedPort = (told[port] ?? 0) >>> 16;
    for (let at = 0; at < this.size * stride; at += stride) {
      if ((words[at + port] ?? 0) >>> 16 !== wantedPort) continue;
      if (!this.#hasSame(at, told, addressWords)) continue;
      words[at + port] = told[port] ?? 0;
      this.#stamp(at, told[time] ?? 0);
      return true;
    }
    return false;
  }

  /**
   * Adds an entry that is not there. A host with {@link MAX_PORTS} entries loses its oldest, a set with
   * `max` its oldest of all: who announced lately is likely to be there still. Returns by how many there are
   * more: 0 or 1.
   */
  add(entry: PeerEntry, max: number, quota: HostQuota): number {
    const { words: stride, hostWords, time } = this.#shape;
    const victim = this.#victim(entry, max);
    let at = victim;
    if (victim < 0) {
      at = this.size * stride;
      if (at === this.#words.length) this.#resize(Math.min(Math.max(1, 2 * this.size), max));
      this.size++;
    } else quota.count(this.#words, victim, hostWords, -1);
    this.#words.set(entry.words, at);
    this.#stamp(at, entry.words[time] ?? 0);
    quota.count(this.#words, at, hostWords, 1);
    return victim < 0 ? 1 : 0;
  }

  /** Takes out entries that were announced more than `maxAge` seconds ago. Returns how many. */
  purge(seconds: number, maxAge: number, quota: HostQuota): number {
    const { words: stride, time } = this.#shape;
    const before = this.size;
    let greatest = Number.NEGATIVE_INFINITY;
    for (let at = (before - 1) * stride; at >= 0; at -= stride) {
      const age = (seconds - (this.#words[at + time] ?? 0)) | 0;
      if (age > maxAge) this.#remove(at, quota);
      else greatest = Math.max(greatest, age);
    }
    if (this.size > 0) this.#oldest = (seconds - greatest) | 0;
    const room = this.#words.length / stride;
    if (this.size * 4 <= room) this.#resize(2 * this.size);
    return before - this.size;
  }

  /** Takes out the oldest entry; there has to be one. */
  dropOldest(quota: HostQuota): void {
    const { words: stride, time } = this.#shape;
    let oldest = 0;
    for (let at = stride; at < this.size * stride; at += stride) {
      if (this.#isOlder(at + time, oldest + time)) oldest = at;
    }
    this.#remove(oldest, quota);
  }

  /** Takes all entries off the count of their hosts, before the set is thrown away, or puts them on it. */
  recount(quota: HostQuota, change: 1 | -1): void {
    const { words: stride, hostWords } = this.#shape;
    for (let at = 0; at < this.size * stride; at += stride) {
      quota.count(this.#words, at, hostWords, change);
    }
  }

  /**
   * Writes up to `max` peers in compact form into `into`, which gets as many arrays as it lacks. All have
   * the same chance. Returns how many.
   */
  sample(into: Uint8Array[], max: number, noSeed: boolean, dice: Dice): number {
    const { words: stride, port, compactBytes } = this.#shape;
    let taken = 0;
    // Fisher and Yates: what was chosen moves to the front.
    for (let front = 0; front < this.size && taken < max; front++) {
      const at = front * stride;
      this.#swap(at, (front + dice.below(this.size - front)) * stride);
      if (noSeed && ((this.#words[at + port] ?? 0) & 1) === 1) continue;
      const peer = into[taken] ?? new Uint8Array(compactBytes);
      into[taken] = peer;
      taken++;
      this.#write(at, peer);
    }
    return taken;
  }

  /** Adds the addresses of all entries to the filters (BEP 33). */
  addTo(seeds: PeerBloom, peers: PeerBloom): void {
    const { words: stride, port, bloom } = this.#shape;
    const words = this.#words;
    for (let at = 0; at < this.size * stride; at += stride) {
      const isSeed = ((words[at + port] ?? 0) & 1) === 1;
      (isSeed ? seeds : peers).insertPlaces(words[at + bloom] ?? 0);
    }
  }

  /** The entry whose place a new one takes, in words; −1 when there is room for one more. */
  #victim(entry: PeerEntry, max: number): number {
    const { words: stride, hostWords, time } = this.#shape;
    let ports = 0;
    let ofHost = -1;
    let ofAll = -1;
    for (let at = 0; at < this.size * stride; at += stride) {
      if (ofAll < 0 || this.#isOlder(at + time, ofAll + time)) ofAll = at;
      if (!this.#hasSame(at, entry.words, hostWords)) continue;
      ports++;
      if (ofHost < 0 || this.#isOlder(at + time, ofHost + time)) ofHost = at;
    }
    if (ports >= MAX_PORTS) return ofHost;
    return this.size >= max ? ofAll : -1;
  }

  /** Whether the entry at `at` begins with the same words. */
  #hasSame(at: number, told: Int32Array, count: number): boolean {
    for (let word = 0; word < count; word++) {
      if (this.#words[at + word] !== told[word]) return false;
    }
    return true;
  }

  #isOlder(one: number, other: number): boolean {
    return (((this.#words[one] ?? 0) - (this.#words[other] ?? 0)) | 0) < 0;
  }

  #stamp(at: number, seconds: number): void {
    this.#words[at + this.#shape.time] = seconds;
    if (this.size === 1 || ((seconds - this.#oldest) | 0) < 0) this.#oldest = seconds;
  }

  #write(at: number, peer: Uint8Array): void {
    const words = this.#words;
    const { addressWords, port, compactBytes } = this.#shape;
    for (let word = 0; word < addressWords; word++) {
      writeUint32(peer, 4 * word, words[at + word] ?? 0);
    }
    const ports = words[at + port] ?? 0;
    peer[compactBytes - 2] = ports >>> 24;
    peer[compactBytes - 1] = ports >>> 16;
  }

  #swap(one: number, other: number): void {
    if (one === other) return;
    const words = this.#words;
    for (let word = 0; word < this.#shape.words; word++) {
      const kept = words[one + word] ?? 0;
      words[one + word] = words[other + word] ?? 0;
      words[other + word] = kept;
    }
  }

  #remove(at: number, quota: HostQuota): void {
    const { words: stride, hostWords } = this.#shape;
    quota.count(this.#words, at, hostWords, -1);
    this.size--;
    this.#words.copyWithin(at, this.size * stride, (this.size + 1) * stride);
  }

  #resize(room: number): void {
    if (room === 0) {
      this.#words = NOTHING;
      return;
    }
    const words = new Int32Array(room * this.#shape.words);
    words.set(this.#words.subarray(0, this.size * this.#shape.words));
    this.#words = words;
  }
}

const NOTHING = new Int32Array(0);

/**
 * Peers of one host with different ports. BEP 33 has one only; behind one NAT there are more, and on
 * one machine all are.
 */
export const MAX_PORTS = 8;
