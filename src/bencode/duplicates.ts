/** Keys that a dictionary has twice (BEP 3: they must appear once). @module */

import { compareRanges, contentStart, endOf, NONE, type Tape, tokenAfter } from './tape.ts';

/** Offsets of a key and of its earlier appearance. */
export interface Duplicate {
  readonly first: number;
  readonly again: number;
}

/**
 * The duplicates of the dictionary at `word`, complete or not, by sorting: n log n for n keys.
 * Only dictionaries whose keys do not strictly ascend can have any.
 */
export function duplicateKeys(tape: Tape, word: number): readonly Duplicate[] {
  const { words } = tape;
  const keys = keysOf(tape, word).toSorted((a, b) => order(tape, a, b) || a - b);
  const duplicates: Duplicate[] = [];
  for (const [index, key] of keys.entries()) {
    const before = keys[index - 1];
    if (before === undefined || order(tape, before, key) !== 0) continue;
    duplicates.push({ first: words[before] ?? 0, again: words[key] ?? 0 });
  }
  return duplicates;
}

function keysOf(tape: Tape, dictionary: number): readonly number[] {
  const last = endOf(tape, dictionary);
  const keys: number[] = [];
  let key = dictionary + 2;
  while (key < last) {
    keys.push(key);
    const value = key + 2;
    // The input may have ended, or the dictionary, before the value did.
    const next = value < last ? tokenAfter(tape, value) : NONE;
    if (next <= value) break;
    key = next;
  }
  return keys;
}

function order({ bytes, words }: Tape, a: number, b: number): number {
  const fromA = contentStart(bytes, words[a] ?? 0);
  const fromB = contentStart(bytes, words[b] ?? 0);
  return compareRanges(bytes, fromA, words[a + 1] ?? 0, fromB, words[b + 1] ?? 0);
}
