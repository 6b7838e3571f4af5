/**
 * The tape: two words a token, in the order of the input. The first is the token's offset, whose
 * byte tells its kind. The second is for integers and strings the offset behind them; for lists
 * and dictionaries the word behind their last token, which is their end (its second word leads
 * back to their first). Until their end comes, it is the word of the list or dictionary around them.
 *
 * @module
 */

/** Bytes of bencode's grammar (BEP 3), which is ASCII. */
export const BYTE = {
  zero: 0x30,
  nine: 0x39,
  colon: 0x3a,
  minus: 0x2d,
  dictionary: 0x64,
  end: 0x65,
  integer: 0x69,
  list: 0x6c,
} as const;

/** No word of a tape. */
export const NONE = -1;

/** Decoded bencode; the first token is the value itself. */
export interface Tape {
  readonly bytes: Uint8Array;
  readonly words: readonly number[] | Int32Array;
  /** How many of the words are in use. */
  readonly used: number;
}

/** True for the bytes that begin a string's length. */
export function isDigit(byte: number): boolean {
  return byte >= BYTE.zero && byte <= BYTE.nine;
}

/** True for the bytes that begin a list or a dictionary. */
export function isOpener(byte: number): boolean {
  return byte === BYTE.dictionary || byte === BYTE.list;
}

/** From so many on, words are kept in a typed array, which takes longer to make. */
const MANY_WORDS = 1024;

/**
 * Words to be filled. Of a fixed length, because stores that grow an array do not go well with
 * stores to typed arrays: code that does both is slow at both.
 */
export function emptyWords(length: number): number[] | Int32Array {
  if (length >= MANY_WORDS) return new Int32Array(length);
  const words: number[] = [];
  words.length = length;
  return words;
}

/** The word of the token that follows the whole value at `word`. */
export function tokenAfter({ bytes, words }: Tape, word: number): number {
  return isOpener(bytes[words[word] ?? 0] ?? 0) ? (words[word + 1] ?? 0) : word + 2;
}

/**
 * The word of the end of the list or dictionary at `word`; where the tape ends when the input broke
 * off before. (A container without an end still has its parent in its second word.)
 */
export function endOf({ words, used }: Tape, word: number): number {
  const second = words[word + 1] ?? NONE;
  return second > word ? second - 2 : used;
}

/** The offset of the first byte of a string whose length begins at `start`. */
export function contentStart(bytes: Uint8Array, start: number): number {
  let at = start + 1;
  while (bytes[at] !== BYTE.colon) at++;
  return at + 1;
}

/** The offset of the first byte from `at` on that is no digit. */
export function digitsEnd(bytes: Uint8Array, at: number): number {
  let end = at;
  for (; end < bytes.length; end++) {
    if (!isDigit(bytes[end] ?? 0)) break;
  }
  return end;
}

/** Raw byte order of two parts of one input: negative, zero or positive. */
export function compareRanges(
  bytes: Uint8Array,
  ...[fromA, endA, fromB, endB]: readonly [number, number, number, number]
): number {
  const lengthA = endA - fromA;
  const lengthB = endB - fromB;
  const shared = lengthA < lengthB ? lengthA : lengthB;
  for (let at = 0; at < shared; at++) {
    const difference = (bytes[fromA + at] ?? 0) - (bytes[fromB + at] ?? 0);
    if (difference !== 0) return difference;
  }
  return lengthA - lengthB;
}
