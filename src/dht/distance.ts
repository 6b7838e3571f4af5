/** The distance of Kademlia: ids of 20 bytes, one XOR the other, read as a number (BEP 5). @module */

import type { Random } from '../runtime/ports.ts';

/** Bytes of the id of a node and of an infohash. */
export const ID_BYTES = 20;
/** Bits of the same. */
export const ID_BITS: number = 8 * ID_BYTES;

/** Negative when `a` is closer to `target` than `b`, positive when it is farther, 0 when they are one. */
export function compareDistance(target: Uint8Array, a: Uint8Array, b: Uint8Array): number {
  for (let at = 0; at < ID_BYTES; at++) {
    const left = a[at] ?? 0;
    const right = b[at] ?? 0;
    if (left === right) continue;
    const goal = target[at] ?? 0;
    return (left ^ goal) - (right ^ goal);
  }
  return 0;
}

/** How many leading bits two ids share: 0 to 160; the more, the closer. */
export function commonPrefixBits(a: Uint8Array, b: Uint8Array): number {
  for (let at = 0; at < ID_BYTES; at++) {
    const difference = (a[at] ?? 0) ^ (b[at] ?? 0);
    if (difference !== 0) return 8 * at + Math.clz32(difference) - 24;
  }
  return ID_BITS;
}

/** An id that shares at least the first `bits` bits (0 to 160) with `id`; the others are random. */
export function randomIdWithPrefix(id: Uint8Array, bits: number, random: Random): Uint8Array {
  const made = Uint8Array.from(random.bytes(ID_BYTES));
  const whole = bits >>> 3;
  made.set(id.subarray(0, whole));
  if (whole < ID_BYTES) {
    const mask = 0xff >>> (bits & 7);
    made[whole] = ((id[whole] ?? 0) & ~mask) | ((made[whole] ?? 0) & mask);
  }
  return made;
}

/**
 * An id that shares exactly the first `bits` bits (0 to 159) with `id`: the next bit is the other one,
 * those behind it are random. It belongs into the bucket of that depth.
 */
export function randomIdAtDepth(id: Uint8Array, bits: number, random: Random): Uint8Array {
  const made = randomIdWithPrefix(id, bits + 1, random);
  const at = bits >>> 3;
  made[at] = (made[at] ?? 0) ^ (0x80 >>> (bits & 7));
  return made;
}
