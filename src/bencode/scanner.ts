/**
 * From bytes to a tape of tokens in one pass, without recursion.
 *
 * @module
 */

import { duplicateKeys } from './duplicates.ts';
import { type Fault, type FaultCode, faultError, faultLevel } from './fault.ts';
import {
  DEFAULT_MAX_BYTES,
  DEFAULT_MAX_DEPTH,
  DEFAULT_MAX_TOKENS,
  type DecodeOptions,
  MAX_INPUT_BYTES,
  MAX_INTEGER_DIGITS,
} from './options.ts';
import {
  BYTE,
  compareRanges,
  contentStart,
  digitsEnd,
  emptyWords,
  isDigit,
  isOpener,
  NONE,
  type Tape,
} from './tape.ts';

/** What may come next inside the innermost open container. */
const EXPECT = { item: 0, key: 1, value: 2 } as const;
type Expect = (typeof EXPECT)[keyof typeof EXPECT];

const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;
/** Integers of so many digits are within 64 bits without a closer look. */
const DIGITS_WITHIN_64_BITS = 18;

/** Words that are there from the start. */
const MIN_WORDS = 16;

/**
 * One pass over one input. Faults are thrown; with `faults` those that leave it clear how to go on
 * are collected there instead.
 */
export class Scanner {
  readonly #bytes: Uint8Array;
  #words: number[] | Int32Array;
  /** How many words are in use. */
  #used = 0;
  readonly #maxDepth: number;
  readonly #maxTokens: number;
  readonly #maxBytes: number;
  readonly #fullDecode: boolean;
  readonly #checkKeyOrder: boolean;
  readonly #strict: boolean;
  readonly #faults: Fault[] | undefined;
  /** Dictionaries whose keys do not strictly ascend, by their words. */
  #suspects: Set<number> | undefined;
  #at = 0;
  #depth = 0;
  /** Words of as many values and keys as are permitted, and of the ends so far. */
  #maxUsed: number;
  /** Word of the innermost open container. */
  #open: number = NONE;
  #expect: Expect = EXPECT.item;
  /** Word of the key before in the innermost dictionary. */
  #lastKey: number = NONE;

  constructor(bytes: Uint8Array, options: DecodeOptions, faults?: Fault[]) {
    this.#bytes = bytes;
    // A guess: a word for every four bytes.
    this.#words = emptyWords(Math.max(bytes.length >> 2, MIN_WORDS));
    this.#maxDepth = options.maxDepth ?? DEFAULT_MAX_DEPTH;
    this.#maxTokens = options.maxTokens ?? DEFAULT_MAX_TOKENS;
    this.#maxUsed = 2 * this.#maxTokens;
    this.#maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
    this.#fullDecode = options.fullDecode ?? true;
    this.#strict = options.strict ?? false;
    this.#checkKeyOrder = options.checkKeyOrder ?? this.#strict;
    this.#faults = faults;
  }

  /** @throws {ProtocolError} at the first fault that may not be collected. */
  scan(): Tape {
    if (this.#bytes.length > MAX_INPUT_BYTES) {
      this.#fault('input-limit', 0, `the input is longer than ${MAX_INPUT_BYTES} bytes`);
    }
    try {
      do this.#step();
      while (this.#open !== NONE);
    } catch (error) {
      if (this.#faults === undefined) throw error;
      // What was read so far is judged as well.
      this.#reportDuplicates();
      throw error;
    }
    this.#reportDuplicates();
    if (this.#fullDecode && this.#at < this.#bytes.length) this.#trailingBytes();
    return this.tape;
  }

  /** What was read so far. */
  get tape(): Tape {
    return { bytes: this.#bytes, words: this.#words, used: this.#used };
  }

  #step(): void {
    const at = this.#at;
    if (at >= this.#bytes.length) this.#unexpectedEnd();
    const byte = this.#bytes[at] ?? 0;
    if (isDigit(byte)) this.#string();
    else if (byte === BYTE.end && this.#open !== NONE) this.#end();
    else if (this.#expect === EXPECT.key) this.#keyType(byte);
    else if (byte === BYTE.integer) this.#integer();
    else if (isOpener(byte)) this.#container(byte);
    else this.#noValue(byte);
  }

  /** Puts the start of a value or key on the tape. */
  #push(offset: number, word: number): void {
    if (this.#used >= this.#maxUsed) {
      this.#fault('token-limit', offset, `there are more than ${this.#maxTokens} values and keys`);
    }
    this.#put(offset, word);
  }

  #put(offset: number, word: number): void {
    const used = this.#used;
    if (used + 2 > this.#words.length) this.#grow();
    const words = this.#words;
    words[used] = offset;
    words[used + 1] = word;
    this.#used = used + 2;
  }

  #grow(): void {
    const grown = emptyWords(this.#words.length * 2);
    for (let at = 0; at < this.#used; at++) grown[at] = this.#words[at] ?? 0;
    this.#words = grown;
  }

  #string(): void {
    const bytes = this.#bytes;
    const start = this.#at;
    let at = start;
    let length = 0;
    for (; at < bytes.length; at++) {
      const byte = bytes[at] ?? 0;
      if (!isDigit(byte)) break;
      length = length * 10 + byte - BYTE.zero;
    }
    if (length > bytes.length - at - 1 || length > this.#maxBytes || bytes[at] !== BYTE.colon) {
      this.#checkLength(start, at, length);
    }
    if (bytes[start] === BYTE.zero && at - start > 1) this.#leadingZero(start, 'a string length');
    const word = this.#used;
    this.#at = at + 1 + length;
    this.#push(start, this.#at);
    if (this.#expect !== EXPECT.item) this.#keyOrValue(word, at + 1);
  }

  /** A string in a dictionary, whose content begins at `content`. */
  #keyOrValue(word: number, content: number): void {
    if (this.#expect === EXPECT.value) {
      this.#expect = EXPECT.key;
      return;
    }
    if (this.#lastKey !== NONE) this.#compareKeys(word, content);
    this.#lastKey = word;
    this.#expect = EXPECT.value;
  }

  #integer(): void {
    const bytes = this.#bytes;
    const start = this.#at;
    const first = bytes[start + 1] === BYTE.minus ? start + 2 : start + 1;
    const end = digitsEnd(bytes, first);
    const digits = end - first;
    if (
      digits === 0 ||
      digits > DIGITS_WITHIN_64_BITS ||
      bytes[end] !== BYTE.end ||
      bytes[first] === BYTE.zero
    ) {
      this.#checkInteger(start, first, end);
    }
    this.#push(start, end + 1);
    this.#at = end + 1;
    if (this.#expect === EXPECT.value) this.#expect = EXPECT.key;
  }

  #container(byte: number): void {
    if (this.#depth >= this.#maxDepth) {
      const message = `lists and dictionaries are nested deeper than ${this.#maxDepth} levels`;
      this.#fault('depth-limit', this.#at, message);
    }
    this.#depth++;
    const word = this.#used;
    // While it is open, a container's second word is its parent.
    this.#push(this.#at, this.#open);
    this.#open = word;
    this.#at++;
    this.#lastKey = NONE;
    this.#expect = byte === BYTE.dictionary ? EXPECT.key : EXPECT.item;
  }

  #end(): void {
    if (this.#expect === EXPECT.value) {
      this.#fault('missing-value', this.#at, 'the key before has no value');
    }
    this.#close();
    this.#at++;
  }

  #close(): void {
    const open = this.#open;
    const parent = this.#words[open + 1] ?? NONE;
    this.#put(this.#at, open);
    this.#maxUsed += 2;
    const words = this.#words;
    words[open + 1] = this.#used;
    this.#open = parent;
    this.#depth--;
    if (parent === NONE || this.#bytes[words[parent] ?? 0] !== BYTE.dictionary) {
      this.#expect = EXPECT.item;
      return;
    }
    this.#expect = EXPECT.key;
    this.#lastKey = open - 2;
  }

  #compareKeys(key: number, start: number): void {
    const words = this.#words;
    const bytes = this.#bytes;
    const before = this.#lastKey;
    const from = contentStart(bytes, words[before] ?? 0);
    const order = compareRanges(bytes, from, words[before + 1] ?? 0, start, words[key + 1] ?? 0);
    if (order < 0) return;
    this.#suspects ??= new Set();
    this.#suspects.add(this.#open);
    if (order === 0) return;
    this.#fault('unsorted-key', words[key] ?? 0, 'the key should stand before the key in front');
  }

  #reportDuplicates(): void {
    for (const dictionary of this.#suspects ?? []) {
      for (const { first, again } of duplicateKeys(this.tape, dictionary)) {
        const message = `the dictionary has this key already, at byte ${first}`;
        this.#fault('duplicate-key', again, message);
      }
    }
  }

  /** Collects the fault, or throws it. */
  #fault(code: FaultCode, offset: number, message: string): void {
    const fault = { code, offset, message };
    const level = faultLevel(code);
    const refused = level !== 'form' || this.#refusesForm(code);
    this.#faults?.push(fault);
    if (level === 'fatal' || (refused && this.#faults === undefined)) throw faultError(fault);
  }

  #refusesForm(code: FaultCode): boolean {
    if (code === 'unsorted-key') return this.#checkKeyOrder;
    return this.#strict || code === 'trailing-bytes';
  }

  #leadingZero(offset: number, what: string): void {
    this.#fault('leading-zero', offset, `${what} has needless zeros in front`);
  }

  #checkLength(start: number, at: number, length: number): void {
    const bytes = this.#bytes;
    if (at >= bytes.length) this.#unexpectedEnd();
    if (bytes[at] !== BYTE.colon) {
      const message = `a string length goes on with ${nameOf(bytes[at])} instead of a colon`;
      this.#fault('string-length', at, message);
    }
    const left = bytes.length - at - 1;
    if (length > left) {
      const message = `a string of ${length} bytes is announced where ${left} are left`;
      this.#fault('unexpected-end', at, message);
    }
    if (length > this.#maxBytes) {
      const message = `a string of ${length} bytes is longer than the ${this.#maxBytes} permitted`;
      this.#fault('string-limit', start, message);
    }
  }

  #checkInteger(start: number, first: number, end: number): void {
    const bytes = this.#bytes;
    if (end >= bytes.length) this.#unexpectedEnd();
    if (bytes[end] !== BYTE.end) {
      this.#fault('integer-digits', end, `an integer has ${nameOf(bytes[end])} among its digits`);
    }
    const digits = end - first;
    if (digits === 0) this.#fault('empty-integer', end, 'an integer has no digits');
    let zeros = 0;
    while (bytes[first + zeros] === BYTE.zero) zeros++;
    if (digits > 0 && zeros === digits && first - start === 2) {
      this.#fault('negative-zero', start, 'zero has a minus sign');
    } else if (zeros > 0 && digits > 1) this.#leadingZero(first, 'an integer');
    this.#checkRange(start, end, digits - zeros);
  }

  #checkRange(start: number, end: number, digits: number): void {
    if (digits > MAX_INTEGER_DIGITS) {
      const message = `an integer of ${digits} digits is longer than the ${MAX_INTEGER_DIGITS} permitted`;
      this.#fault('integer-limit', start, message);
      return;
    }
    if (digits <= DIGITS_WITHIN_64_BITS) return;
    const value = BigInt(String.fromCharCode(...this.#bytes.subarray(start + 1, end)));
    if (value >= MIN_INT64 && value <= MAX_INT64) return;
    this.#fault('integer-range', start, 'an integer does not fit into 64 bits with sign');
  }

  #unexpectedEnd(): never {
    const { length } = this.#bytes;
    const message = length === 0 ? 'the input is empty' : 'the input ends within a value';
    return this.#throw('unexpected-end', length, message);
  }

  #keyType(byte: number): void {
    const what = byte === BYTE.minus ? 'a negative length' : nameOf(byte);
    this.#fault('key-type', this.#at, `a dictionary has ${what} where a key, a string, should be`);
  }

  #noValue(byte: number): void {
    if (byte === BYTE.minus) {
      this.#fault('string-length', this.#at, 'a string length is negative');
    }
    this.#fault('no-value', this.#at, `no value begins with ${nameOf(byte)}`);
  }

  #trailingBytes(): void {
    const more = this.#bytes.length - this.#at;
    this.#fault(
      'trailing-bytes',
      this.#at,
      more === 1 ? 'a byte follows after the value' : `${more} bytes follow after the value`,
    );
  }

  #throw(code: FaultCode, offset: number, message: string): never {
    const fault = { code, offset, message };
    this.#faults?.push(fault);
    throw faultError(fault);
  }
}

/** `"x"` for what can be printed, else `byte 0x0a`. */
function nameOf(byte: number | undefined): string {
  if (byte === undefined) return 'the end';
  if (byte > 0x20 && byte < 0x7f) return `"${String.fromCharCode(byte)}"`;
  return `byte 0x${byte.toString(16).padStart(2, '0')}`;
}
