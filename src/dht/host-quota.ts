/** How much of a store one host has: nobody fills it alone. @module */

import { SipHash } from '../base/siphash.ts';
import { writeUint32 } from '../base/uint32.ts';
import type { Random } from '../runtime/ports.ts';

export interface HostQuotaOptions {
  readonly random: Random;
  /** Entries that one host may have. */
  readonly maxPerHost: number;
  /** Entries that there are at most. */
  readonly maxEntries: number;
}

/**
 * Counts entries by the hash of their host, a few words. Hosts whose hashes fall together are counted
 * together; there are so many cells that this adds a small part of `maxPerHost` at most. Cells are made
 * by {@link start}: as long as there are fewer entries than one host may have, nothing has to be counted.
 */
export class HostQuota {
  readonly maxPerHost: number;
  readonly #hash: SipHash;
  readonly #cells: number;
  readonly #input = new Uint8Array(8);
  #counts: Uint32Array | undefined;

  constructor({ random, maxPerHost, maxEntries }: HostQuotaOptions) {
    this.maxPerHost = maxPerHost;
    this.#hash = new SipHash(random.bytes(16));
    this.#cells = cellsFor(maxEntries / maxPerHost);
  }

  get isCounting(): boolean {
    return this.#counts !== undefined;
  }

  /** Begins to count, from nothing. */
  start(): void {
    this.#counts = new Uint32Array(this.#cells);
  }

  /** Counts one entry more (`change` 1) or less (−1) of the host in `length` (1 or 2) words from `at` on. */
  count(words: Int32Array, at: number, length: number, change: 1 | -1): void {
    const counts = this.#counts;
    if (counts === undefined) return;
    const cell = this.#cellOf(words, at, length);
    counts[cell] = (counts[cell] ?? 0) + change;
  }

  /** Whether the host has as much as it may. */
  isFull(words: Int32Array, at: number, length: number): boolean {
    const counts = this.#counts;
    if (counts === undefined) return false;
    return (counts[this.#cellOf(words, at, length)] ?? 0) >= this.maxPerHost;
  }

  #cellOf(words: Int32Array, at: number, length: number): number {
    for (let word = 0; word < length; word++)
      writeUint32(this.#input, 4 * word, words[at + word] ?? 0);
    this.#hash.hash(this.#input, 0, 4 * length);
    return this.#hash.low & (this.#cells - 1);
  }
}

/** With all entries there are, a cell has a 64th of what one host may have, on average. */
function cellsFor(hosts: number): number {
  let cells = 64;
  while (cells < 64 * hosts && cells < MAX_CELLS) cells *= 2;
  return cells;
}

/** 4 MiB. */
const MAX_CELLS = 2 ** 20;
