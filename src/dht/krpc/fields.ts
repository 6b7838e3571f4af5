/** One dictionary of a message, and its values by the numbers of their keys. @module */

import { ProtocolError } from '../../base/errors.ts';
import type { Keys } from './keys.ts';
import { integerAt, isDictionaryAt, isListAt, Scan, stringAt } from './scan.ts';

/** What every message has. */
export interface Envelope {
  readonly transaction: Uint8Array;
  readonly version: Uint8Array | undefined;
}

/** Bytes of ids of nodes and of infohashes. */
export const ID_BYTES = 20;
export const PUBLIC_KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;

/** Where the values of the known keys lie. Those that are not as asked for are `undefined`. */
export class Fields {
  readonly #bytes: Uint8Array;
  /** Two for each key: where its value begins, and the offset behind it; -1 when there is none. */
  readonly #places: number[];
  /** Lists and dictionaries that are open within this one, itself counted. */
  readonly #depth: number;

  /**
   * Reads the dictionary that begins at `start`, within `around` others. Of a repeated key the first
   * one counts.
   *
   * @throws {ProtocolError} when there is none, it breaks off, or goes beyond a limit.
   */
  constructor(bytes: Uint8Array, keys: Keys, start = 0, around = 0) {
    this.#bytes = bytes;
    this.#depth = around + 1;
    const places = keys.nowhere.slice();
    const scan = new Scan(bytes, start);
    scan.enterDictionary();
    while (!scan.leaves()) {
      const key = 2 * keys.find(bytes, scan.string(), scan.at);
      const from = scan.at;
      scan.skip(this.#depth);
      if (key < 0 || places[key] !== -1) continue;
      places[key] = from;
      places[key + 1] = scan.at;
    }
    this.#places = places;
  }

  /** Where the value begins; `undefined` when there is none. */
  offset(key: number): number | undefined {
    const start = this.#start(key);
    return start < 0 ? undefined : start;
  }

  /** The dictionary in `key`, of which `keys` are known. */
  dictionary(key: number, keys: Keys): Fields | undefined {
    const start = this.#start(key);
    if (!isDictionaryAt(this.#bytes, start)) return undefined;
    return new Fields(this.#bytes, keys, start, this.#depth);
  }

  /** Calls `each` with a view of every string and with every integer in a list; whether there is one. */
  list(key: number, each: (item: Uint8Array | number | bigint) => void): boolean {
    const start = this.#start(key);
    if (!isListAt(this.#bytes, start)) return false;
    const scan = new Scan(this.#bytes, start + 1);
    while (!scan.leaves()) {
      const from = scan.at;
      scan.skip(this.#depth + 1);
      const item = stringAt(this.#bytes, from, scan.at) ?? integerAt(this.#bytes, from, scan.at);
      if (item !== undefined) each(item);
    }
    return true;
  }

  /** The value as it came, of any kind. */
  raw(key: number): Uint8Array | undefined {
    const start = this.#start(key);
    return start < 0 ? undefined : this.#bytes.subarray(start, this.#end(key));
  }

  /** A string. */
  bytes(key: number): Uint8Array | undefined {
    const start = this.#start(key);
    return start < 0 ? undefined : stringAt(this.#bytes, start, this.#end(key));
  }

  /** A string of exactly `length` bytes. */
  fixed(key: number, length: number): Uint8Array | undefined {
    const bytes = this.bytes(key);
    return bytes?.length === length ? bytes : undefined;
  }

  /** A string of 1 to `max` bytes. */
  bounded(key: number, max: number): Uint8Array | undefined {
    const bytes = this.bytes(key);
    return bytes !== undefined && bytes.length > 0 && bytes.length <= max ? bytes : undefined;
  }

  /** A string of whole entries of `length` bytes; what is left at its end is cut off. */
  entries(key: number, length: number): Uint8Array | undefined {
    const bytes = this.bytes(key);
    const rest = bytes === undefined ? 0 : bytes.length % length;
    return rest === 0 ? bytes : bytes?.subarray(0, bytes.length - rest);
  }

  /** Any integer but 0 is true. */
  flag(key: number): boolean | undefined {
    const value = this.#integer(key);
    return value === undefined ? undefined : value !== 0;
  }

  /** An integer from `min` to `max`. */
  ranged(key: number, min: number, max: number): number | undefined {
    const value = this.#integer(key);
    return typeof value === 'number' && value >= min && value <= max ? value : undefined;
  }

  /** An integer of 64 bits with sign (BEP 44). */
  int64(key: number): bigint | undefined {
    const value = this.#integer(key);
    if (typeof value === 'number') return BigInt(value);
    return value !== undefined && BigInt.asIntN(64, value) === value ? value : undefined;
  }

  #integer(key: number): number | bigint | undefined {
    const start = this.#start(key);
    return start < 0 ? undefined : integerAt(this.#bytes, start, this.#end(key));
  }
  #start(key: number): number {
    return this.#places[2 * key] ?? -1;
  }
  #end(key: number): number {
    return this.#places[2 * key + 1] ?? -1;
  }
}

/** The error for a message that breaks BEP 5 in `part`, at `offset` where there is something. */
export function broken(part: string, message: string, offset: number | undefined): ProtocolError {
  const rule = `BEP 5 ${part}`;
  return new ProtocolError(message, offset === undefined ? { rule } : { rule, offset });
}
