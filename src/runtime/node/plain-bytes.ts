/** Buffers of Node as the arrays that bip speaks of. @module */

/**
 * The same memory as a plain array. A Buffer must not get out of this folder: its `slice` is a view,
 * while that of every other array is a copy, and whoever keeps received bytes relies on the latter.
 */
export function plainBytes(buffer: Uint8Array): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}
