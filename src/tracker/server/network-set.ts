/** A set of networks of addresses (CIDR, RFC 4632) that can go to another thread. @module */

import { compareBytes } from '../../base/bytes.ts';
import { type AddressNetwork, lastOf } from '../../base/ip-network.ts';

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
    ranges.set(lastOf({ address, prefixLength }), end + width);
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
