/** Decoded values: lazy views on a tape. @module */

import { decodeUtf8, encodeUtf8, equalBytes } from '../base/bytes.ts';
import { BYTE, contentStart, type Tape, tokenAfter } from './tape.ts';

/** What a value is. */
export type BencodeKind = 'integer' | 'bytes' | 'list' | 'dictionary';

/** Integers of so many digits are exact as numbers. */
const SAFE_DIGITS = 15;
/** Shorter ASCII is faster put together by hand than by a TextDecoder. */
const SHORT_TEXT = 24;

/**
 * One value of decoded bencode. Views share the bytes that were decoded; whoever changes those
 * changes the views.
 */
export class BencodeNode {
  readonly #tape: Tape;
  readonly #word: number;

  /** For `decode`; `word` is the token's place on the tape. */
  constructor(tape: Tape, word: number) {
    this.#tape = tape;
    this.#word = word;
  }

  get kind(): BencodeKind {
    switch (this.#first) {
      case BYTE.integer:
        return 'integer';
      case BYTE.list:
        return 'list';
      case BYTE.dictionary:
        return 'dictionary';
      default:
        return 'bytes';
    }
  }

  /** Where the value begins in the input, in bytes. */
  get offset(): number {
    return this.#tape.words[this.#word] ?? 0;
  }

  /** Where it ends: the offset of the first byte behind it. */
  get end(): number {
    const { words } = this.#tape;
    const second = words[this.#word + 1] ?? 0;
    return this.#isContainer ? (words[second - 2] ?? 0) + 1 : second;
  }

  /** A view of exactly the bytes of this value, as they came: what infohashes are taken of. */
  get raw(): Uint8Array {
    return this.#tape.bytes.subarray(this.offset, this.end);
  }

  /** Exact: a number when it is safe, else a bigint; `undefined` for other kinds. */
  asInteger(): number | bigint | undefined {
    if (this.#first !== BYTE.integer) return undefined;
    const { bytes } = this.#tape;
    const end = this.end - 1;
    let at = this.offset + 1;
    const negative = bytes[at] === BYTE.minus;
    if (negative) at++;
    if (end - at > SAFE_DIGITS) return bigInteger(bytes.subarray(this.offset + 1, end));
    let value = 0;
    for (; at < end; at++) value = value * 10 + ((bytes[at] ?? 0) - BYTE.zero);
    return negative ? -value : value;
  }

  /** `undefined` for other kinds and for integers beyond ±(2^53 − 1). */
  asNumber(): number | undefined {
    const value = this.asInteger();
    return typeof value === 'number' ? value : undefined;
  }

  /** A view of a string's bytes; `undefined` for other kinds. */
  asBytes(): Uint8Array | undefined {
    if (!this.#isBytes) return undefined;
    const { bytes } = this.#tape;
    return bytes.subarray(contentStart(bytes, this.offset), this.end);
  }

  /** A string that is valid UTF-8; `undefined` for other strings and other kinds. */
  asText(): string | undefined {
    if (!this.#isBytes) return undefined;
    const { bytes } = this.#tape;
    const end = this.end;
    const from = contentStart(bytes, this.offset);
    if (end - from > SHORT_TEXT) return decodeUtf8(bytes.subarray(from, end));
    let text = '';
    for (let at = from; at < end; at++) {
      const byte = bytes[at] ?? 0;
      if (byte >= 0x80) return decodeUtf8(bytes.subarray(from, end));
      text += String.fromCharCode(byte);
    }
    return text;
  }

  /** Items of a list, entries of a dictionary (both are counted), bytes of a string; 0 for integers. */
  get length(): number {
    if (this.#isBytes) return this.end - contentStart(this.#tape.bytes, this.offset);
    if (!this.#isContainer) return 0;
    let count = 0;
    const last = this.#last;
    for (let word = this.#word + 2; word < last; word = tokenAfter(this.#tape, word)) count++;
    return this.#first === BYTE.dictionary ? count / 2 : count;
  }

  /** The items of a list; nothing for other kinds. */
  *items(): Generator<BencodeNode, void, undefined> {
    if (this.#first !== BYTE.list) return;
    const last = this.#last;
    for (let word = this.#word + 2; word < last; word = tokenAfter(this.#tape, word)) {
      yield new BencodeNode(this.#tape, word);
    }
  }

  /** The entries of a dictionary in the order of the input; nothing for other kinds. */
  *entries(): Generator<readonly [Uint8Array, BencodeNode], void, undefined> {
    if (this.#first !== BYTE.dictionary) return;
    const tape = this.#tape;
    const { bytes, words } = tape;
    const last = this.#last;
    for (let word = this.#word + 2; word < last; word = tokenAfter(tape, word + 2)) {
      const start = words[word] ?? 0;
      yield [
        bytes.subarray(contentStart(bytes, start), words[word + 1] ?? 0),
        new BencodeNode(tape, word + 2),
      ];
    }
  }

  /** The value of a key given as text or bytes, found by looking at each; `undefined` when missing. */
  get(key: string | Uint8Array): BencodeNode | undefined {
    if (this.#first !== BYTE.dictionary) return undefined;
    const wanted = typeof key === 'string' ? encodeUtf8(key) : key;
    for (const [found, value] of this.entries()) if (equalBytes(found, wanted)) return value;
    return undefined;
  }

  get #first(): number {
    return this.#tape.bytes[this.offset] ?? 0;
  }
  get #isBytes(): boolean {
    return this.#first <= BYTE.nine;
  }
  get #isContainer(): boolean {
    const first = this.#first;
    return first === BYTE.list || first === BYTE.dictionary;
  }
  /** The word of a container's end. */
  get #last(): number {
    return (this.#tape.words[this.#word + 1] ?? 0) - 2;
  }
}

function bigInteger(digits: Uint8Array): number | bigint {
  const value = BigInt(String.fromCharCode(...digits));
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
