/**
 * How large packets may be on their way to one address. It is tried with padding, never with more
 * payload: a packet that is lost is sent again as it is without the padding, whereas payload could
 * not be cut anew (BEP 29: "uTP cannot *repackage* data when resending it").
 *
 * @module
 */

import type { Millis } from '../runtime/ports.ts';
import { HEADER_LENGTH } from './codec.ts';

/** Bytes of IP and UDP in front of a packet of uTP. */
const HEADERS = { 4: 28, 6: 48 } as const;
/** What every path passes: RFC 791 for IPv4, RFC 8200 for IPv6. */
const SMALLEST = { 4: 576, 6: 1280 } as const;
/**
 * Sizes that are common in the world, largest first: Ethernet, PPPoE, tunnels, VPNs. What is larger
 * than Ethernet would be sent in fragments by this machine, and never tell us.
 */
const USUAL = [1500, 1492, 1480, 1460, 1420, 1400, 1280, 1006] as const;
/** Loopback: a block of 16 KiB and its head in one packet, and steps for those who take less. */
const LOOPBACK = [16_640, 8192, 4096, 1500] as const;
/** A size is given up after so many losses: one may be by chance. */
const TRIALS = 2;
/** A size is asked for again after so long: paths change. */
const AGAIN: Millis = 600_000;

export class PathMtu {
  /** Packet sizes to try, largest first. */
  readonly #candidates: readonly number[];
  /** Indices of those that are neither known to fail, which come before, nor to pass. */
  #from = 0;
  #to: number;
  /** Of the one that is tried now. */
  #failures = 0;
  #size: number;
  #doneAt: Millis | undefined;

  constructor(host: string) {
    const family = host.includes(':') ? 6 : 4;
    const links = isLoopback(host) ? LOOPBACK : USUAL;
    this.#size = SMALLEST[family] - HEADERS[family];
    this.#candidates = links
      .map((link) => link - HEADERS[family])
      .filter((size) => size > this.#size);
    this.#to = this.#candidates.length;
  }

  /** Bytes of the largest packet that is known to pass. */
  get size(): number {
    return this.#size;
  }
  /** The same without the header. */
  get payload(): number {
    return this.#size - HEADER_LENGTH;
  }

  /** Bytes of the packet to try next; `undefined` when there is nothing to try. */
  candidate(now: Millis): number | undefined {
    if (this.#doneAt !== undefined && now >= this.#doneAt + AGAIN) {
      this.#doneAt = undefined;
      this.#from = 0;
    }
    return this.#from < this.#to ? this.#candidates[this.#index] : undefined;
  }

  /** A packet of `size` bytes arrived. */
  passed(size: number, now: Millis): void {
    if (size <= this.#size) return;
    this.#size = size;
    this.#to = this.#candidates.indexOf(size);
    this.#decided(now);
  }

  /** A packet of `size` bytes was lost, and those around it were not. */
  failed(size: number, now: Millis): void {
    if (size !== this.candidate(now) || ++this.#failures < TRIALS) return;
    this.#from = this.#index + 1;
    this.#decided(now);
  }

  /** The largest first, since it mostly passes; then what halves the rest. */
  get #index(): number {
    return this.#from === 0 ? 0 : (this.#from + this.#to) >>> 1;
  }

  #decided(now: Millis): void {
    this.#failures = 0;
    if (this.#from >= this.#to) this.#doneAt = now;
  }
}

function isLoopback(host: string): boolean {
  return host.startsWith('127.') || host === '::1';
}
