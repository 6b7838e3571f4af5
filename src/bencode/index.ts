/**
 * Bencode (BEP 3): decoding to views with byte offsets, canonical encoding, a check that lists
 * every fault, and JSON without loss. Nothing here recurses on the stack of JavaScript.
 *
 * @module
 */

export { parseBase64 } from './base64.ts';
export { check, type LocatedFault } from './check.ts';
export { decode } from './decode.ts';
export { type BencodeInput, encode } from './encode.ts';
export { type Fault, type FaultCode, faultRule } from './fault.ts';
export { formatJson, type JsonFormat, type JsonPart } from './json-format.ts';
export { type JsonOptions, parseJson } from './json-parse.ts';
export { fromJson, type JsonValue, toJson } from './json-value.ts';
export { type BencodeKind, BencodeNode } from './node.ts';
export { type DecodeOptions, MAX_INTEGER_DIGITS } from './options.ts';
export { formatKey, formatPath, lookup, type PathStep, parseKey, splitPath } from './path.ts';
