/**
 * The Merkle trees of BEP 52: binary, over leaves of 16 KiB, padded with zero hashes.
 *
 * The hash function is a parameter, so that pure code and native hashing use the same tree.
 *
 * @module
 */

import { invariant } from './errors.ts';
import { sha256 } from './sha.ts';

/** SHA-256 at once: 32 bytes. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array;

/** Bytes of one hash. */
export const HASH_LENGTH = 32;

export interface TreeOptions {
  /** The hash function; default: the pure one of `base`. */
  readonly hash?: Sha256;
  /** The hash that fills up a tree: zeros for leaves (BEP 52, default), else {@link paddingHash}. */
  readonly padding?: Uint8Array;
}

/**
 * Root of the tree over `leaves` (hashes, 32 bytes each, one after the other) padded to `width`
 * leaves, a power of two; by default the smallest that holds them.
 */
export function merkleRoot(
  leaves: Uint8Array,
  width: number = treeWidth(leaves.length / HASH_LENGTH),
  options: TreeOptions = {},
): Uint8Array {
  const { hash, padding } = withDefaults(options);
  let count = leaves.length / HASH_LENGTH;
  invariant(
    Number.isInteger(count) && count <= width && Number.isInteger(Math.log2(width)),
    `${leaves.length} bytes of hashes in a tree of ${width} leaves`,
  );
  // One working copy, halved in place, with room for the hash that evens out a layer.
  const layer = new Uint8Array(leaves.length + 2 * HASH_LENGTH);
  layer.set(leaves);
  let filler = padding;
  if (count === 0) layer.set(filler, count++);
  for (let nodes = width; nodes > 1; nodes /= 2) {
    if (count % 2 === 1) layer.set(filler, count++ * HASH_LENGTH);
    count /= 2;
    hashLayer(layer, count, hash);
    filler = hashPair(filler, filler, hash);
  }
  return layer.slice(0, HASH_LENGTH);
}

/** The first `count` parents in place of the first 2 × `count` nodes. */
function hashLayer(layer: Uint8Array, count: number, hash: Sha256): void {
  for (let at = 0; at < count; at++) {
    const pair = layer.subarray(2 * at * HASH_LENGTH, 2 * (at + 1) * HASH_LENGTH);
    layer.set(hash(pair), at * HASH_LENGTH);
  }
}

/** Root of a subtree of 2^`level` padding leaves; level 0 is the padding itself. */
export function paddingHash(level: number, options: TreeOptions = {}): Uint8Array {
  const { hash, padding } = withDefaults(options);
  let node = padding;
  for (let at = 0; at < level; at++) node = hashPair(node, node, hash);
  return node.slice();
}

function withDefaults(options: TreeOptions): Required<TreeOptions> {
  return { hash: options.hash ?? sha256, padding: options.padding ?? new Uint8Array(HASH_LENGTH) };
}

/** The parent of two nodes. */
export function hashPair(left: Uint8Array, right: Uint8Array, hash: Sha256 = sha256): Uint8Array {
  const pair = new Uint8Array(2 * HASH_LENGTH);
  pair.set(left);
  pair.set(right, HASH_LENGTH);
  return hash(pair);
}

/** The smallest power of two that is not below `leaves`, at least 1. */
export function treeWidth(leaves: number): number {
  let width = 1;
  while (width < leaves) width *= 2;
  return width;
}
