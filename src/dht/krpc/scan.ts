/**
 * The grammar of bencode (BEP 3) in one pass over a packet, which makes no object for any value of
 * it: `src/bencode` takes twice as long for a usual packet, and eight times for a hostile one.
 *
 * @module
 */

import { ProtocolError } from '../../base/errors.ts';

/** Levels of lists and dictionaries, as libtorrent. */
export const MAX_DEPTH = 10;
/** Values and keys of one message, as libtorrent. */
export const MAX_TOKENS = 500;

/** Bytes of the grammar, which is ASCII. */
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const MINUS = 0x2d;
const DICTIONARY = 0x64;
const END = 0x65;
const INTEGER = 0x69;
const LIST = 0x6c;

/**
 * Goes through a packet value by value. Forms that BEP 3 forbids but whose meaning is clear are taken
 * as libtorrent takes them: unsorted and repeated keys, needless zeros.
 */
export class Scan {
  readonly bytes: Uint8Array;
  /** Where the next value begins. */
  at: number;
  #tokens = 0;

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  /** Enters a dictionary. @throws {ProtocolError} when none begins here. */
  enterDictionary(): void {
    this.#token();
    if (this.bytes[this.at] !== DICTIONARY) this.#fail('no dictionary begins');
    this.at++;
  }

  /** Whether the dictionary or list that was entered ends here; then it is left. */
  leaves(): boolean {
    if (this.bytes[this.at] !== END) return false;
    this.at++;
    return true;
  }

  /** Passes over a string, and gives the offset of its first byte. @throws {ProtocolError} when there is none. */
  string(): number {
    const { bytes } = this;
    this.#token();
    const start = this.at;
    let at = start;
    let length = 0;
    for (; at < bytes.length; at++) {
      const digit = (bytes[at] ?? 0) - ZERO;
      if (digit < 0 || digit > 9) break;
      length = length * 10 + digit;
    }
    if (at === start || bytes[at] !== COLON) this.#fail('no string begins');
    if (length > bytes.length - at - 1) this.#fail('a string is longer than what is left');
    this.at = at + 1 + length;
    return at + 1;
  }

  /**
   * Passes over one value, within `depth` lists and dictionaries. Without recursion: of those that
   * are open there is a bit each, set for dictionaries.
   *
   * @throws {ProtocolError} when there is none, or it goes beyond a limit.
   */
  skip(depth: number): void {
    const { bytes } = this;
    let open = 0;
    let kinds = 0;
    let wantsKey = false;
    do {
      const byte = bytes[this.at];
      if (byte === END && open > 0 && (wantsKey || (kinds & 1) === 0)) {
        this.at++;
        open--;
        kinds >>= 1;
      } else if (wantsKey) {
        this.string();
        wantsKey = false;
        continue;
      } else if (byte === DICTIONARY || byte === LIST) {
        this.#open(depth + open);
        open++;
        kinds = (kinds << 1) | (byte === DICTIONARY ? 1 : 0);
      } else this.#scalar(byte);
      wantsKey = (kinds & 1) === 1;
    } while (open > 0);
  }

  #open(around: number): void {
    if (around >= MAX_DEPTH) this.#fail(`there are more than ${MAX_DEPTH} levels`);
    this.#token();
    this.at++;
  }

  #scalar(byte: number | undefined): void {
    if (byte === INTEGER) this.#integer();
    else this.string();
  }

  #integer(): void {
    const { bytes } = this;
    this.#token();
    const first = bytes[this.at + 1] === MINUS ? this.at + 2 : this.at + 1;
    let at = first;
    while (isDigit(bytes[at])) at++;
    if (at === first || bytes[at] !== END) this.#fail('no integer begins');
    this.at = at + 1;
  }

  #token(): void {
    if (++this.#tokens > MAX_TOKENS)
      this.#fail(`there are more than ${MAX_TOKENS} values and keys`);
  }

  #fail(what: string): never {
    const { at } = this;
    const message =
      at >= this.bytes.length ? 'a message that breaks off' : `a message where ${what}`;
    throw new ProtocolError(message, { rule: 'BEP 3 bencode', offset: at });
  }
}

/** A view of the string at `start`, which ends at `end`; `undefined` when the value there is none. */
export function stringAt(bytes: Uint8Array, start: number, end: number): Uint8Array | undefined {
  if (!isDigit(bytes[start])) return undefined;
  let at = start + 1;
  while (bytes[at] !== COLON) at++;
  return bytes.subarray(at + 1, end);
}

/** The integer at `start`, a bigint when it is not exact as a number; `undefined` when there is none. */
export function integerAt(
  bytes: Uint8Array,
  start: number,
  end: number,
): number | bigint | undefined {
  if (bytes[start] !== INTEGER) return undefined;
  const negative = bytes[start + 1] === MINUS;
  let value = 0;
  for (let at = negative ? start + 2 : start + 1; at < end - 1; at++) {
    value = value * 10 + ((bytes[at] ?? 0) - ZERO);
  }
  if (value <= Number.MAX_SAFE_INTEGER) return negative ? 0 - value : value;
  return BigInt(String.fromCharCode(...bytes.subarray(start + 1, end - 1)));
}

/** Whether a list begins at `start`. */
export function isListAt(bytes: Uint8Array, start: number): boolean {
  return bytes[start] === LIST;
}

/** Whether a dictionary begins at `start`. */
export function isDictionaryAt(bytes: Uint8Array, start: number): boolean {
  return bytes[start] === DICTIONARY;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE;
}
