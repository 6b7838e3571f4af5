/** Ranges of addresses, millions of them in little memory: 8 bytes each of IPv4, 32 of IPv6. @module */

import { compareBytes } from './bytes.ts';
import { parseIp } from './ip.ts';

/** Sorted, none touching another. Does not change once it is made. */
export class IpRanges {
  readonly #firsts4: Uint32Array;
  readonly #lasts4: Uint32Array;
  /** First and last of each range, 16 bytes each. */
  readonly #pairs6: Uint8Array;

  /** By {@link IpRangesBuilder.build} only. */
  constructor(parts: RangeParts) {
    this.#firsts4 = parts.firsts4;
    this.#lasts4 = parts.lasts4;
    this.#pairs6 = parts.pairs6;
  }

  /** How many ranges are left after those that met were joined. */
  get size(): number {
    return this.#firsts4.length + this.#pairs6.length / PAIR6;
  }

  /** Whether a literal address lies in one of them; a name lies nowhere. */
  hasHost(host: string): boolean {
    const bytes = parseIp(host);
    return bytes !== undefined && this.has(bytes);
  }

  /** Whether the address of 4 or 16 bytes lies in one of them; IPv4 in IPv6 counts as IPv4. */
  has(address: Uint8Array): boolean {
    const plain = unmapped(address);
    return plain.length === 4 ? this.#has4(numberOf(plain)) : this.#has6(plain);
  }

  #has4(address: number): boolean {
    let [low, high] = [0, this.#firsts4.length];
    // The first range that begins behind the address is `low` in the end.
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#firsts4[middle] ?? 0) <= address) low = middle + 1;
      else high = middle;
    }
    return low > 0 && address <= (this.#lasts4[low - 1] ?? 0);
  }

  #has6(address: Uint8Array): boolean {
    const pairs = this.#pairs6;
    let [low, high] = [0, pairs.length / PAIR6];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const first = pairs.subarray(PAIR6 * middle, PAIR6 * middle + 16);
      if (compareBytes(first, address) <= 0) low = middle + 1;
      else high = middle;
    }
    const last = pairs.subarray(PAIR6 * low - 16, PAIR6 * low);
    return low > 0 && compareBytes(address, last) <= 0;
  }
}

interface RangeParts {
  readonly firsts4: Uint32Array;
  readonly lasts4: Uint32Array;
  readonly pairs6: Uint8Array;
}

/** Takes ranges in any order. */
export class IpRangesBuilder {
  /** First and last in one number each. */
  #pairs4 = new BigUint64Array(1024);
  #count4 = 0;
  readonly #pairs6: Uint8Array[] = [];

  /**
   * Takes in all addresses from `first` to `last`, 4 or 16 bytes each, in network order. False, and nothing
   * is taken, when they are of different families or in the wrong order.
   */
  add(first: Uint8Array, last: Uint8Array): boolean {
    const [from, to] = [unmapped(first), unmapped(last)];
    if (from.length !== to.length || compareBytes(from, to) > 0) return false;
    if (from.length === 4) this.#add4(numberOf(from), numberOf(to));
    else {
      const pair = new Uint8Array(PAIR6);
      pair.set(from);
      pair.set(to, 16);
      this.#pairs6.push(pair);
    }
    return true;
  }

  build(): IpRanges {
    return new IpRanges({ ...this.#build4(), pairs6: this.#build6() });
  }

  #add4(first: number, last: number): void {
    if (this.#count4 === this.#pairs4.length) {
      const grown = new BigUint64Array(2 * this.#count4);
      grown.set(this.#pairs4);
      this.#pairs4 = grown;
    }
    this.#pairs4[this.#count4++] = (BigInt(first) << 32n) | BigInt(last);
  }

  #build4(): Omit<RangeParts, 'pairs6'> {
    const sorted = this.#pairs4.subarray(0, this.#count4).toSorted();
    const firsts4 = new Uint32Array(sorted.length);
    const lasts4 = new Uint32Array(sorted.length);
    let count = 0;
    for (const pair of sorted) {
      const [first, last] = [Number(pair >> 32n), Number(pair & 0xffff_ffffn)];
      const before = lasts4[count - 1];
      // Neighbours are joined as well.
      if (before !== undefined && first <= before + 1) lasts4[count - 1] = Math.max(before, last);
      else {
        firsts4[count] = first;
        lasts4[count] = last;
        count++;
      }
    }
    return { firsts4: firsts4.slice(0, count), lasts4: lasts4.slice(0, count) };
  }

  #build6(): Uint8Array {
    const sorted = this.#pairs6.toSorted(compareBytes);
    const joined = new Uint8Array(PAIR6 * sorted.length);
    let end = 0;
    for (const pair of sorted) {
      const before = joined.subarray(Math.max(0, end - 16), end);
      const [first, last] = [pair.subarray(0, 16), pair.subarray(16)];
      if (end > 0 && compareBytes(first, before) <= 0) {
        if (compareBytes(last, before) > 0) before.set(last);
      } else {
        joined.set(pair, end);
        end += PAIR6;
      }
    }
    return joined.slice(0, end);
  }
}

function numberOf(address: Uint8Array): number {
  const [a = 0, b = 0, c = 0, d = 0] = address;
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
}

/** `::ffff:0:0/96` (RFC 4291 §2.5.5.2). */
function unmapped(address: Uint8Array): Uint8Array {
  if (address.length === 4 || address[10] !== 0xff || address[11] !== 0xff) return address;
  for (let at = 0; at < 10; at++) if (address[at] !== 0) return address;
  return address.subarray(12);
}

const PAIR6 = 32;
