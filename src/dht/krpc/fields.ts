/** Values of one dictionary of a message by their keys; `undefined` for what is not as it should be. @module */

import { ProtocolError } from '../../base/errors.ts';
import type { BencodeNode } from '../../bencode/index.ts';

/** What every message has. */
export interface Envelope {
  readonly transaction: Uint8Array;
  readonly version: Uint8Array | undefined;
}

/** Bytes of ids of nodes and of infohashes. */
export const ID_BYTES = 20;
export const PUBLIC_KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;

/** A string of exactly `length` bytes. */
export function fixed(from: BencodeNode, key: string, length: number): Uint8Array | undefined {
  const bytes = from.get(key)?.asBytes();
  return bytes?.length === length ? bytes : undefined;
}

/** A string of 1 to `max` bytes. */
export function bounded(from: BencodeNode, key: string, max: number): Uint8Array | undefined {
  const bytes = from.get(key)?.asBytes();
  return bytes !== undefined && bytes.length > 0 && bytes.length <= max ? bytes : undefined;
}

/** A string of whole entries of `length` bytes; what is left at its end is cut off. */
export function entries(from: BencodeNode, key: string, length: number): Uint8Array | undefined {
  const bytes = from.get(key)?.asBytes();
  const rest = bytes === undefined ? 0 : bytes.length % length;
  return rest === 0 ? bytes : bytes?.subarray(0, bytes.length - rest);
}

/** Any integer but 0 is true. */
export function flag(from: BencodeNode, key: string): boolean | undefined {
  const value = from.get(key)?.asInteger();
  return value === undefined ? undefined : value !== 0;
}

/** An integer from `min` to `max`. */
export function ranged(
  from: BencodeNode,
  key: string,
  min: number,
  max: number,
): number | undefined {
  const value = from.get(key)?.asNumber();
  return value !== undefined && value >= min && value <= max ? value : undefined;
}

/** An integer of 64 bits with sign (BEP 44). */
export function int64(from: BencodeNode, key: string): bigint | undefined {
  const value = from.get(key)?.asInteger();
  if (typeof value === 'number') return BigInt(value);
  return value !== undefined && BigInt.asIntN(64, value) === value ? value : undefined;
}

/** The error for a message that breaks BEP 5 in `part`, `at` some value of it. */
export function broken(part: string, message: string, at: BencodeNode | undefined): ProtocolError {
  const rule = `BEP 5 ${part}`;
  return new ProtocolError(message, at === undefined ? { rule } : { rule, offset: at.offset });
}
