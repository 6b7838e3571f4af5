/** How many nodes of each network were found, in memory that does not grow. @module */

import type { Endpoint } from '../../base/endpoint.ts';
import { parseIp } from '../../base/ip.ts';
import { SipHash } from '../../base/siphash.ts';

/**
 * Counts by the hash of the network. Networks whose hashes fall together are counted together: with ten
 * million nodes a cell has ten of them, and {@link MAX_OF_NETWORK} is many times as much.
 */
export class Networks {
  /** 16 bytes: what the places of networks follow from. */
  readonly key: Uint8Array;
  readonly #hash: SipHash;
  readonly #cells = new Uint8Array(CELLS);

  constructor(key: Uint8Array, saved: Uint8Array = new Uint8Array(0)) {
    this.key = key;
    this.#hash = new SipHash(key);
    for (let at = 0; at + ENTRY_BYTES <= saved.length; at += ENTRY_BYTES) {
      const cell = ((saved[at] ?? 0) << 16) | ((saved[at + 1] ?? 0) << 8) | (saved[at + 2] ?? 0);
      if (cell < CELLS) this.#cells[cell] = saved[at + 3] ?? 0;
    }
  }

  /** Whether there may be one more of its network. */
  hasRoom(endpoint: Endpoint): boolean {
    return (this.#cells[this.#cellOf(endpoint)] ?? 0) < MAX_OF_NETWORK;
  }

  /** Counts one of its network, if there is room. */
  count(endpoint: Endpoint): void {
    const cell = this.#cellOf(endpoint);
    this.#cells[cell] = Math.min((this.#cells[cell] ?? 0) + 1, MAX_OF_NETWORK);
  }

  /** Of each that has any: its place in three bytes, and the count. */
  save(): Uint8Array {
    const used = this.#cells.reduce((sum, count) => sum + (count > 0 ? 1 : 0), 0);
    const saved = new Uint8Array(used * ENTRY_BYTES);
    let at = 0;
    for (const [cell, count] of this.#cells.entries()) {
      if (count === 0) continue;
      saved.set([cell >>> 16, (cell >>> 8) & 0xff, cell & 0xff, count], at);
      at += ENTRY_BYTES;
    }
    return saved;
  }

  #cellOf({ host }: Endpoint): number {
    const ip = parseIp(host) ?? new Uint8Array(4);
    this.#hash.hash(ip, 0, networkBytes(ip));
    return this.#hash.low & (CELLS - 1);
  }
}

/** Names the /24 of IPv4 or the /48 of IPv6 that a literal address is in. */
export function networkOf({ host }: Endpoint): string {
  const ip = parseIp(host);
  return ip === undefined ? host : ip.subarray(0, networkBytes(ip)).join('.');
}

function networkBytes(ip: Uint8Array): number {
  return ip.length === 4 ? 3 : 6;
}

/**
 * Nodes of one network that are counted in a whole crawl. The internet has a node in every second /24; those
 * behind which providers put many customers have some dozens.
 */
export const MAX_OF_NETWORK = 64;
/** A mebibyte of counts. */
export const CELLS: number = 2 ** 20;
/** Of {@link Networks.save}. */
export const ENTRY_BYTES = 4;
