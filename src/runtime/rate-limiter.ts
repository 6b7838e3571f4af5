/** How many requests an address and its network may send, in memory that does not grow. @module */

import { SipHash } from '../base/siphash.ts';
import type { Millis, Random } from './ports.ts';

export interface RateLimits {
  /** Requests a second, more than 0, in the long run, of one address (of IPv6: one /64, which is one host's). */
  readonly perSecond: number;
  /** So many at once after a rest. */
  readonly burst: number;
  /** The same for all of an IPv4 /24 or an IPv6 /48. */
  readonly networkPerSecond: number;
  readonly networkBurst: number;
  /** Addresses, and as many networks, that are told apart; a power of two up to 65,536. */
  readonly cells?: number;
}

/**
 * Token buckets. Who rests for as long as its bucket takes to fill is forgotten first; when more are
 * active than there are cells, some of them are forgotten too early and get a full bucket: under a
 * flood from everywhere the limit grows milder, and shuts nobody out.
 */
export class RateLimiter {
  readonly #addresses: Buckets;
  readonly #networks: Buckets;

  constructor(limits: RateLimits, random: Random) {
    const cells = limits.cells ?? DEFAULT_CELLS;
    const rates = (perSecond: number, burst: number): BucketRates => ({
      costMs: 1000 / perSecond,
      burst,
      cells,
    });
    this.#addresses = new Buckets(rates(limits.perSecond, limits.burst), random.bytes(16));
    this.#networks = new Buckets(
      rates(limits.networkPerSecond, limits.networkBurst),
      random.bytes(16),
    );
  }

  /** Whether a request of the address, 4 or 16 bytes, may be answered now; takes it into account if so. */
  allow(address: Uint8Array, now: Millis): boolean {
    if (isLoopback(address)) return true;
    const four = address.length === 4;
    const own = this.#addresses.find(address, four ? 4 : 8, now);
    if (!this.#addresses.has(own, now)) return false;
    const network = this.#networks.find(address, four ? 3 : 6, now);
    if (!this.#networks.has(network, now)) return false;
    this.#addresses.take(own, now);
    this.#networks.take(network, now);
    return true;
  }
}

interface BucketRates {
  /** How long one request takes to be forgiven. */
  readonly costMs: number;
  readonly burst: number;
  readonly cells: number;
}

/**
 * A bucket is one number: when it will be full (the virtual scheduling of ITU-T I.371's GCRA). Each
 * key has two cells to choose from, and the one that it takes says whose it is.
 */
class Buckets {
  readonly #costMs: number;
  /** A bucket that is full later than this from now is empty. */
  readonly #toleranceMs: number;
  readonly #mask: number;
  readonly #hash: SipHash;
  readonly #owners: Uint32Array;
  readonly #fullAt: Float64Array;

  constructor({ costMs, burst, cells }: BucketRates, key: Uint8Array) {
    this.#costMs = costMs;
    this.#toleranceMs = costMs * (Math.max(1, burst) - 1);
    this.#mask = cells - 1;
    this.#hash = new SipHash(key);
    this.#owners = new Uint32Array(cells);
    this.#fullAt = new Float64Array(cells);
  }

  /** The cell of the key, which is the first `length` bytes; taken from another key when it had none. */
  find(bytes: Uint8Array, length: number, now: Millis): number {
    const hash = this.#hash;
    hash.hash(bytes, 0, length);
    const first = hash.low & this.#mask;
    const second = (hash.low >>> 16) & this.#mask;
    const owner = hash.high;
    if (this.#owners[first] === owner) return first;
    if (this.#owners[second] === owner) return second;
    // The fuller one: what is forgotten with it matters less.
    const cell = (this.#fullAt[first] ?? 0) <= (this.#fullAt[second] ?? 0) ? first : second;
    this.#owners[cell] = owner;
    this.#fullAt[cell] = now;
    return cell;
  }

  has(cell: number, now: Millis): boolean {
    return this.#waitMs(cell, now) <= this.#toleranceMs;
  }

  take(cell: number, now: Millis): void {
    this.#fullAt[cell] = now + this.#waitMs(cell, now) + this.#costMs;
  }

  /** How long until the bucket is full. More than it can be means that the clock was set back: forgiven. */
  #waitMs(cell: number, now: Millis): Millis {
    const wait = Math.max(0, (this.#fullAt[cell] ?? 0) - now);
    return wait > this.#toleranceMs + this.#costMs ? 0 : wait;
  }
}

function isLoopback(address: Uint8Array): boolean {
  if (address.length === 4) return address[0] === 127;
  for (let at = 0; at < 15; at++) if (address[at] !== 0) return false;
  return address[15] === 1;
}

const DEFAULT_CELLS = 65_536;
