/** A set of networks of addresses (CIDR, RFC 4632) that can go to another thread. @module */

import { compareBytes } from '../../base/bytes.ts';
import { parseIp } from '../../base/ip.ts';

/** An address and how many of its leading bits count. */
export interface AddressNetwork {
  /** 4 or 16 bytes; those behind the prefix are zeros. */
  readonly address: Uint8Array;
  readonly prefixLength: number;
}

/**
 * `10.0.0.0/8`, `2001:db8::/32`, or one address; bits behind the prefix do not count. IPv4 addresses
 * written as IPv6 (`::ffff:10.0.0.0/104`) count as IPv4. `undefined` for anything else.
 */
export function parseNetwork(text: string): AddressNetwork | undefined {
  const [host = '', digits, ...rest] = text.split('/');
  const address = parseIp(host);
  if (address === undefined || rest.length > 0) return undefined;
  const bits = 8 * address.length;
  const prefixLength = digits === undefined ? bits : parsePrefix(digits);
  if (prefixLength === undefined || prefixLength > bits) return undefined;
  const mapped = prefixLength >= MAPPED_BITS && isMapped(address);
  return mapped
    ? {
        address: cut(address.subarray(12), prefixLength - MAPPED_BITS),
        prefixLength: prefixLength - MAPPED_BITS,
      }
    : { address: cut(address, prefixLength), prefixLength };
}

/** Does not change once it is made. */
export class NetworkSet {
  /** How many networks are left after those within others are gone. */
  readonly size: number;
  readonly #handle: NetworkSetHandle;

  private constructor(handle: NetworkSetHandle) {
    this.#handle = handle;
    this.size = handle.ranges4.length / 8 + handle.ranges6.length / 32;
  }

  static of(networks: readonly AddressNetwork[]): NetworkSet {
    return new NetworkSet({ ranges4: rangesOf(networks, 4), ranges6: rangesOf(networks, 16) });
  }

  /** The set that another thread posted. */
  static attach(handle: NetworkSetHandle): NetworkSet {
    return new NetworkSet(handle);
  }

  /** What can be posted to another thread. */
  get handle(): NetworkSetHandle {
    return this.#handle;
  }

  /** Whether the address of 4 or 16 bytes lies in one of the networks. */
  has(address: Uint8Array): boolean {
    const width = address.length;
    const ranges = width === 4 ? this.#handle.ranges4 : this.#handle.ranges6;
    let [low, high] = [0, ranges.length / (2 * width)];
    // The first range that begins behind the address is `low` in the end.
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareAt(ranges, 2 * width * middle, address) <= 0) low = middle + 1;
      else high = middle;
    }
    return low > 0 && compareAt(ranges, 2 * width * low - width, address) >= 0;
  }
}

/** First and last address of each network, in their order, without a gap. */
export interface NetworkSetHandle {
  readonly ranges4: Uint8Array;
  readonly ranges6: Uint8Array;
}

function parsePrefix(digits: string): number | undefined {
  return /^\d{1,3}$/.test(digits) ? Number(digits) : undefined;
}

function isMapped(address: Uint8Array): boolean {
  return address.every((byte, at) => at >= 12 || byte === (at >= 10 ? 0xff : 0));
}

/** `address` with zeros behind the prefix. */
function cut(address: Uint8Array, prefixLength: number): Uint8Array {
  return address.map((byte, at) => byte & maskOf(prefixLength, at));
}

/** The bits of byte `at` that the prefix covers. */
function maskOf(prefixLength: number, at: number): number {
  const covered = Math.min(8, Math.max(0, prefixLength - 8 * at));
  return (0xff00 >>> covered) & 0xff;
}

/** Networks lie within each other or apart, so that those within others are simply left out. */
function rangesOf(networks: readonly AddressNetwork[], width: number): Uint8Array {
  const sorted = networks
    .filter(({ address }) => address.length === width)
    .toSorted((a, b) => compareBytes(a.address, b.address) || a.prefixLength - b.prefixLength);
  const ranges = new Uint8Array(2 * width * sorted.length);
  let end = 0;
  for (const { address, prefixLength } of sorted) {
    if (end > 0 && compareAt(ranges, end - width, address) >= 0) continue;
    ranges.set(address, end);
    ranges.set(
      address.map((byte, at) => byte | (0xff & ~maskOf(prefixLength, at))),
      end + width,
    );
    end += 2 * width;
  }
  return ranges.slice(0, end);
}

/** Negative when what stands at `at` comes before `address`, as {@link compareBytes}. */
function compareAt(ranges: Uint8Array, at: number, address: Uint8Array): number {
  for (let index = 0; index < address.length; index++) {
    const difference = (ranges[at + index] ?? 0) - (address[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Bits before the IPv4 address in `::ffff:0:0/96` (RFC 4291 §2.5.5.2). */
const MAPPED_BITS = 96;
