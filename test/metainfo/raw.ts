/**
 * Torrents put together by hand, byte by byte: independent of the code that reads them, and free to
 * break every rule.
 *
 * @module
 */

import { createHash } from 'node:crypto';

/** Dictionaries keep the order in which they are written: nothing is sorted here. */
export type Raw = number | bigint | string | Uint8Array | readonly Raw[] | RawDictionary | Verbatim;
export interface RawDictionary {
  readonly [key: string]: Raw | undefined;
}

/** Bytes that stand in the output as they are. */
export class Verbatim {
  readonly bytes: Uint8Array;
  constructor(text: string | Uint8Array) {
    this.bytes = typeof text === 'string' ? Buffer.from(text, 'latin1') : text;
  }
}

export function raw(value: Raw): Uint8Array {
  return new Uint8Array(Buffer.concat([...parts(value)]));
}

function* parts(value: Raw): Iterable<Uint8Array> {
  if (value instanceof Verbatim) yield value.bytes;
  else if (typeof value === 'number' || typeof value === 'bigint') yield Buffer.from(`i${value}e`);
  else if (typeof value === 'string') yield* parts(Buffer.from(value));
  else if (value instanceof Uint8Array) {
    yield Buffer.from(`${value.length}:`);
    yield value;
  } else if (isList(value)) {
    yield Buffer.from('l');
    for (const item of value) yield* parts(item);
    yield Buffer.from('e');
  } else yield* dictionary(value);
}

function* dictionary(value: RawDictionary): Iterable<Uint8Array> {
  yield Buffer.from('d');
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined) continue;
    // A key written in latin1 can be any bytes.
    yield* parts(Buffer.from(key, 'latin1'));
    yield* parts(item);
  }
  yield Buffer.from('e');
}

function isList(value: readonly Raw[] | RawDictionary): value is readonly Raw[] {
  return Array.isArray(value);
}

/** A string of these bytes. */
export function bytes(...values: readonly number[]): Uint8Array {
  return Uint8Array.from(values);
}

/** `count` SHA-1 hashes that are hashes of nothing. */
export function pieces(count: number): Uint8Array {
  return new Uint8Array(20 * count).fill(0x61);
}

/** v1, single file of 425 bytes; `info` is laid over it, `undefined` removes a key. */
export function singleV1(info: RawDictionary = {}, root: RawDictionary = {}): Uint8Array {
  return torrent(
    { length: 425, name: 'temp', 'piece length': 16_384, pieces: pieces(1), ...info },
    root,
  );
}

/** v1 with these files. */
export function multiV1(
  files: readonly RawDictionary[],
  info: RawDictionary = {},
  root: RawDictionary = {},
): Uint8Array {
  let total = 0;
  for (const { length, attr } of files) {
    if (typeof length === 'number' && attr !== 'l') total += length;
  }
  const count = Math.min(Math.ceil(Math.max(0, total) / 16_384), 4096);
  return torrent(
    { files, name: 'temp', 'piece length': 16_384, pieces: pieces(count), ...info },
    root,
  );
}

/** Keys of `info` as they come; those of `root` in their order. */
export function torrent(info: RawDictionary, root: RawDictionary = {}): Uint8Array {
  return raw(sorted({ info, ...root }));
}

/** Merkle roots (BEP 52) of files full of zeros, from the reference's table. */
export const ZERO_ROOTS: Readonly<Record<number, string>> = {
  1: '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  7: '837885c8f8091aeaeb9ec3c3f85a6ff470a415e610b8ba3e49f9b33c9cf9d619',
  512: '076a27c79e5ace2a3d47f9dd2e83e4ff6ea8872b3c2218f66c92b89b55f36560',
  16383: '3202cc6a8c4ac4b66337a899428e1bc94f2ab7695c2ac7271c91324010f1c452',
  16384: '4fe7b59af6de3b665b67788cc2f99892ab827efae3a467342b3bb4e3bc8e5bfe',
  16385: '477e14ff3453ec4ec3855f8753cb07288aade5618a473ccc2ab1208886e460ec',
  32768: 'c36d0dd6a886e1fce758b6b5c531b703a1f21e8f6453785c390931cf8fa8a76d',
  49152: '1cb5a249f6e721060aae623d21d3eca23056bda8c19e4e89f9a086151553713d',
  51200: '7ef5620b6d19f93242af6d9fb69c15c3ea9a0a224b79665964c7a85422c1650d',
  65536: '60aae9c7b428f87e0713e88229e18f0adf12cd7b22a0dd8a92bb2485eb7af242',
  65537: '5237ab44f83ac2e214b8c1e1627f18e5d50caed1c8ead9b66770c15b7ee609c7',
  1048576: '515ea9181744b817744ded9d2e8e9dc6a8450c0b0c52e24b5077f302ffbd9008',
};

export function hex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'));
}

export function zeroRoot(length: number): Uint8Array {
  const root = ZERO_ROOTS[length];
  if (root === undefined) throw new Error(`no known root for ${length} zeros`);
  return hex(root);
}

/** Properties of a file of `length` zeros in a file tree. */
export function leaf(length: number, more: RawDictionary = {}): RawDictionary {
  return { '': { ...more, length, 'pieces root': length === 0 ? undefined : zeroRoot(length) } };
}

/** The layer of 1 MiB of zeros in pieces of 64 KiB. */
export const MEBIBYTE_LAYER: Uint8Array = new Uint8Array(
  Buffer.concat(Array.from({ length: 16 }, () => zeroRoot(65_536))),
);

/** A dictionary of piece layers with binary keys. */
export function layers(entries: readonly (readonly [Uint8Array, Raw])[]): RawDictionary {
  return Object.fromEntries(
    entries.map(([root, layer]) => [Buffer.from(root).toString('latin1'), layer]),
  );
}

/** v2, one file of 1 MiB of zeros with its layer, pieces of 64 KiB. */
export function singleV2(info: RawDictionary = {}, root: RawDictionary = {}): Uint8Array {
  return torrent(
    sorted({
      'file tree': { temp: leaf(1_048_576) },
      'meta version': 2,
      name: 'temp',
      'piece length': 65_536,
      ...info,
    }),
    { 'piece layers': layers([[zeroRoot(1_048_576), MEBIBYTE_LAYER]]), ...root },
  );
}

/** v2 with this tree of small files, pieces of 16 KiB. */
export function treeV2(tree: Raw, info: RawDictionary = {}, root: RawDictionary = {}): Uint8Array {
  return torrent(
    sorted({ 'file tree': tree, 'meta version': 2, name: 'temp', 'piece length': 16_384, ...info }),
    root,
  );
}

/** Keys in raw byte order, as v2 demands; one level. */
export function sorted(unsorted: RawDictionary): RawDictionary {
  return Object.fromEntries(
    Object.entries(unsorted).toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)),
  );
}

/** Infohashes over the `info` that stands in `torrentBytes` right after `d4:info`. */
export function digest(algorithm: 'sha1' | 'sha256', data: Uint8Array): string {
  return createHash(algorithm).update(data).digest('hex');
}
