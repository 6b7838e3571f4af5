/** Keys of the dictionaries in messages: each has a number, its place in the list. @module */

/** Keys that are known in one dictionary, found by their bytes. */
export class Keys {
  /** Two places for each key, all of them -1. */
  readonly nowhere: readonly number[];
  readonly #byLength: readonly (readonly Key[] | undefined)[];

  constructor(names: readonly string[]) {
    this.nowhere = names.flatMap(() => [-1, -1]);
    const byLength: Key[][] = [];
    for (const [number, name] of names.entries()) {
      const bytes = Array.from(name, (character) => character.charCodeAt(0));
      (byLength[name.length] ??= []).push({ number, bytes });
    }
    this.#byLength = byLength;
  }

  /** The number of the key from `start` to `end`; -1 for an unknown one. */
  find(bytes: Uint8Array, start: number, end: number): number {
    const keys = this.#byLength[end - start];
    if (keys === undefined) return -1;
    for (const key of keys) if (standsAt(bytes, start, key.bytes)) return key.number;
    return -1;
  }
}

/** `t`, `y` and what stands beside them. */
export const TOP = { a: 0, e: 1, ip: 2, q: 3, r: 4, ro: 5, t: 6, v: 7, y: 8 } as const;
/** Arguments of queries, in `a`. */
export const ARGUMENT = {
  id: 0,
  target: 1,
  info_hash: 2,
  want: 3,
  port: 4,
  implied_port: 5,
  token: 6,
  seed: 7,
  noseed: 8,
  scrape: 9,
  seq: 10,
  cas: 11,
  k: 12,
  salt: 13,
  sig: 14,
  v: 15,
} as const;
/** Values of responses, in `r`. */
export const RETURNED = {
  id: 0,
  nodes: 1,
  nodes6: 2,
  values: 3,
  token: 4,
  BFsd: 5,
  BFpe: 6,
  samples: 7,
  num: 8,
  interval: 9,
  seq: 10,
  k: 11,
  sig: 12,
  v: 13,
} as const;

export const TOP_KEYS: Keys = new Keys(Object.keys(TOP));
export const ARGUMENT_KEYS: Keys = new Keys(Object.keys(ARGUMENT));
export const RETURNED_KEYS: Keys = new Keys(Object.keys(RETURNED));

interface Key {
  readonly number: number;
  readonly bytes: readonly number[];
}

function standsAt(bytes: Uint8Array, start: number, key: readonly number[]): boolean {
  for (let at = 0; at < key.length; at++) if (bytes[start + at] !== key[at]) return false;
  return true;
}
