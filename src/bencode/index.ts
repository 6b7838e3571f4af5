/**
 * Bencode (BEP 3): decoding to views with byte offsets, canonical encoding, a check that lists
 * every fault, and JSON without loss. Nothing here recurses on the stack of JavaScript.
 *
 * @module
 */

export { decode } from './decode.ts';
export { type BencodeInput, encode } from './encode.ts';
export { type BencodeKind, BencodeNode } from './node.ts';
export {
  DEFAULT_MAX_BYTES,
  DEFAULT_MAX_DEPTH,
  DEFAULT_MAX_TOKENS,
  type DecodeOptions,
  MAX_INTEGER_DIGITS,
} from './options.ts';
