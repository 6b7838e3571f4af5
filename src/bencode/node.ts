/** Decoded values: lazy views on a tape. @module */

import { decodeUtf8, encodeUtf8 } from '../base/bytes.ts';
import { isAscii } from './ascii.ts';
import { BYTE, contentStart, endOf, isOpener, type Tape, tokenAfter } from './tape.ts';

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
  /** The first byte, which tells the kind. */
  readonly #first: number;

  /** For `decode`; `word` is the token's place on the tape. */
  constructor(tape: Tape, word: number) {
    this.#tape = tape;
    this.#word = word;
    this.#first = tape.bytes[tape.words[word] ?? 0] ?? 0;
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
    const second = this.#second;
    return this.#isContainer ? (this.#tape.words[second - 2] ?? 0) + 1 : second;
  }

  /** A view of exactly the bytes of this value, as they came: what infohashes are taken of. */
  get raw(): Uint8Array {
    return this.#tape.bytes.subarray(this.offset, this.end);
  }

  /** Exact: a number when it is safe, else a bigint; `undefined` for other kinds. */
  asInteger(): number | bigint | undefined {
    if (this.#first !== BYTE.integer) return undefined;
    const { bytes } = this.#tape;
    const end = this.#second - 1;
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
    return bytes.subarray(contentStart(bytes, this.offset), this.#second);
  }

  /** A string that is valid UTF-8; `undefined` for other strings and other kinds. */
  asText(): string | undefined {
    if (!this.#isBytes) return undefined;
    const { bytes } = this.#tape;
    const end = this.#second;
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
    if (this.#isBytes) return this.#second - contentStart(this.#tape.bytes, this.offset);
    if (!this.#isContainer) return 0;
    const last = endOf(this.#tape, this.#word);
    let count = 0;
    for (let word = this.#word + 2; word < last; word = tokenAfter(this.#tape, word)) count++;
    return this.#first === BYTE.dictionary ? count / 2 : count;
  }

  /** The items of a list; nothing for other kinds. */
  items(): IterableIterator<BencodeNode> {
    return this.#first === BYTE.list ? new Nodes(this.#tape, this.#word, 0) : NOTHING.values();
  }

  /** The items of a list or the values of a dictionary; nothing for other kinds. */
  values(): IterableIterator<BencodeNode> {
    if (!this.#isContainer) return NOTHING.values();
    return new Nodes(this.#tape, this.#word, this.#first === BYTE.dictionary ? 2 : 0);
  }

  /** The entries of a dictionary in the order of the input; nothing for other kinds. */
  entries(): IterableIterator<readonly [Uint8Array, BencodeNode]> {
    return this.#first === BYTE.dictionary ? new Entries(this.#tape, this.#word) : NOTHING.values();
  }

  /** The value of a key given as text or bytes, found by looking at each; `undefined` when missing. */
  get(key: string | Uint8Array): BencodeNode | undefined {
    if (this.#first !== BYTE.dictionary) return undefined;
    const tape = this.#tape;
    const { bytes, words } = tape;
    const wanted = typeof key === 'string' && !isAscii(key) ? encodeUtf8(key) : key;
    const last = endOf(tape, this.#word);
    for (let word = this.#word + 2; word < last; word = tokenAfter(tape, word + 2)) {
      const from = contentStart(bytes, words[word] ?? 0);
      if ((words[word + 1] ?? 0) - from !== wanted.length) continue;
      const same =
        typeof wanted === 'string' ? hasAscii(bytes, from, wanted) : hasBytes(bytes, from, wanted);
      if (same) return new BencodeNode(tape, word + 2);
    }
    return undefined;
  }

  /** The second word: where an integer or a string ends. */
  get #second(): number {
    return this.#tape.words[this.#word + 1] ?? 0;
  }
  get #isBytes(): boolean {
    return this.#first <= BYTE.nine;
  }
  get #isContainer(): boolean {
    return isOpener(this.#first);
  }
}

const NOTHING: readonly never[] = [];

/*
 * Iterators by hand: generators take several times as long, and these are where all the time of a
 * reader goes.
 */

/** The items of a list, or the values of a dictionary. */
class Nodes implements IterableIterator<BencodeNode, undefined> {
  readonly #tape: Tape;
  /** Words of a key: 2 in a dictionary, 0 in a list. */
  readonly #key: number;
  readonly #last: number;
  #next: number;

  constructor(tape: Tape, container: number, key: number) {
    this.#tape = tape;
    this.#key = key;
    this.#last = endOf(tape, container);
    this.#next = container + 2 + key;
  }
  [Symbol.iterator](): this {
    return this;
  }
  next(): IteratorResult<BencodeNode, undefined> {
    const word = this.#next;
    if (word >= this.#last) return { done: true, value: undefined };
    this.#next = tokenAfter(this.#tape, word) + this.#key;
    return { done: false, value: new BencodeNode(this.#tape, word) };
  }
}

/** The keys of a dictionary with their values. */
class Entries implements IterableIterator<readonly [Uint8Array, BencodeNode], undefined> {
  readonly #tape: Tape;
  readonly #last: number;
  #next: number;

  constructor(tape: Tape, dictionary: number) {
    this.#tape = tape;
    this.#last = endOf(tape, dictionary);
    this.#next = dictionary + 2;
  }
  [Symbol.iterator](): this {
    return this;
  }
  next(): IteratorResult<readonly [Uint8Array, BencodeNode], undefined> {
    const word = this.#next;
    if (word >= this.#last) return { done: true, value: undefined };
    const { bytes, words } = this.#tape;
    this.#next = tokenAfter(this.#tape, word + 2);
    const from = contentStart(bytes, words[word] ?? 0);
    const key = bytes.subarray(from, words[word + 1] ?? 0);
    return { done: false, value: [key, new BencodeNode(this.#tape, word + 2)] };
  }
}

function hasAscii(bytes: Uint8Array, from: number, text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    if (bytes[from + at] !== text.charCodeAt(at)) return false;
  }
  return true;
}

function hasBytes(bytes: Uint8Array, from: number, wanted: Uint8Array): boolean {
  for (let at = 0; at < wanted.length; at++) if (bytes[from + at] !== wanted[at]) return false;
  return true;
}

function bigInteger(digits: Uint8Array): number | bigint {
  const value = BigInt(String.fromCharCode(...digits));
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
