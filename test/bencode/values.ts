/** Values for properties, and a plain view of decoded ones. @module */

import fc from 'fast-check';
import type { BencodeInput, BencodeNode } from '../../src/bencode/index.ts';

/** Bytes of Latin-1 text: `\xff` is one byte. */
export function bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Latin-1 text of bytes; the inverse of {@link bytes}. */
export function latin1(data: Uint8Array): string {
  return Buffer.from(data).toString('latin1');
}

/** Dictionaries as arrays of pairs, strings as Latin-1. */
export type Plain = number | bigint | string | readonly Plain[] | { readonly entries: Plain };

/** What a node holds, all of it. */
export function plain(node: BencodeNode): Plain {
  if (node.kind === 'list') return [...node.items()].map(plain);
  if (node.kind === 'dictionary') {
    return { entries: [...node.entries()].map(([key, value]) => [latin1(key), plain(value)]) };
  }
  return node.asInteger() ?? latin1(node.asBytes() ?? new Uint8Array());
}

const keys: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.uint8Array({ maxLength: 4 }),
  fc.string({ unit: 'binary', maxLength: 6 }).map((text) => new TextEncoder().encode(text)),
  fc.constantFrom('$', '$hex:', '$int', '10', '2', '__proto__', 'a.b', '').map(bytes),
);

/** Any value that bencode can say, dictionaries as maps from bytes. */
export const anyValue: fc.Arbitrary<BencodeInput> = fc.letrec<{ value: BencodeInput }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.maxSafeInteger(),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.uint8Array({ maxLength: 20 }),
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.array(tie('value'), { maxLength: 5 }),
    fc
      .uniqueArray(fc.tuple(keys, tie('value')), {
        maxLength: 5,
        selector: ([key]) => latin1(key),
      })
      .map((entries) => new Map(entries)),
  ),
})).value;

/** `data` with up to three bytes changed, removed or put in between. */
export function damaged(data: Uint8Array): fc.Arbitrary<Uint8Array> {
  const byte = fc.oneof(fc.constantFrom(...bytes('dlie0123456789:-+')), fc.nat(255));
  const edit = fc.tuple(fc.nat(Math.max(0, data.length - 1)), byte, fc.constantFrom(0, 1, 2));
  return fc.array(edit, { maxLength: 3 }).map((edits) => {
    const result = [...data];
    for (const [at, value, how] of edits) {
      if (how === 0) result.splice(at, 1);
      else result.splice(at, how - 1, value);
    }
    return Uint8Array.from(result);
  });
}
