/** What objects of JSON mean: dictionaries, and the tags `$int`, `$hex`, `$base64`. @module */

import { decodeUtf8, formatHex, parseHex } from '../base/bytes.ts';
import { ProtocolError } from '../base/errors.ts';
import { parseBase64 } from './base64.ts';
import type { BencodeInput } from './encode.ts';
import { MAX_INTEGER_DIGITS } from './options.ts';
import { parseKey } from './path.ts';

/** Why JSON cannot become bencode; code `BIP_JSON`. */
export function jsonError(message: string, offset?: number): ProtocolError {
  return new ProtocolError(message, {
    rule: 'JSON for bencode',
    code: 'BIP_JSON',
    ...(offset === undefined ? {} : { offset }),
  });
}

/**
 * The value of an object whose members are converted already.
 *
 * @throws {ProtocolError} code `BIP_JSON` for tags and keys that mean nothing, and keys given twice.
 */
export function objectFromJson(
  members: readonly (readonly [string, BencodeInput])[],
): BencodeInput {
  const first = members[0];
  const tagged = first === undefined ? undefined : fromTag(first[0], first[1]);
  if (tagged !== undefined) {
    if (members.length === 1) return tagged;
    throw jsonError(`an object with \`${first?.[0]}\` must have no other key`);
  }
  return dictionaryFromJson(members);
}

function dictionaryFromJson(
  members: readonly (readonly [string, BencodeInput])[],
): ReadonlyMap<string | Uint8Array, BencodeInput> {
  const dictionary = new Map<string | Uint8Array, BencodeInput>();
  const binary = new Set<string>();
  for (const [name, value] of members) {
    const key = keyFromJson(name);
    const hex = typeof key === 'string' ? '' : formatHex(key);
    if (typeof key === 'string' ? dictionary.has(key) : binary.has(hex)) {
      throw jsonError(`the key ${JSON.stringify(name)} is there twice in one object`);
    }
    if (typeof key !== 'string') binary.add(hex);
    dictionary.set(key, value);
  }
  return dictionary;
}

/** Text wherever the key is text, so that each key has one form. */
function keyFromJson(name: string): string | Uint8Array {
  const key = parseKey(name);
  if (key === undefined) {
    throw jsonError(
      `the key ${JSON.stringify(name)} begins with \`$\`: write \`$$\` for a real one, or \`$hex:…\``,
    );
  }
  return typeof key === 'string' ? textFromJson(key) : (decodeUtf8(key) ?? key);
}

/** @throws {ProtocolError} code `BIP_JSON` when `text` has half a character, which UTF-8 cannot say. */
export function textFromJson(text: string): string {
  if (text.isWellFormed()) return text;
  throw jsonError('a string has a lone surrogate, which no UTF-8 can hold; use {"$hex":"…"}');
}

/** The value of `{"$int":"5"}` and its like; `undefined` when `name` is no tag. */
function fromTag(name: string, value: BencodeInput): BencodeInput | undefined {
  switch (name) {
    case '$int':
      return bigFromJson(asTagText(name, value));
    case '$hex':
      return decoded(name, parseHex(asTagText(name, value)));
    case '$base64':
      return decoded(name, parseBase64(asTagText(name, value)));
    default:
      return undefined;
  }
}

function asTagText(name: string, value: BencodeInput): string {
  if (typeof value === 'string') return value;
  throw jsonError(`\`${name}\` needs a string`);
}

function decoded(name: string, bytes: Uint8Array | undefined): Uint8Array {
  if (bytes !== undefined) return bytes;
  throw jsonError(`the string of \`${name}\` is no ${name.slice(1)}`);
}

/** @throws {ProtocolError} code `BIP_JSON` when `digits` are no whole number in decimal. */
export function bigFromJson(digits: string): bigint {
  if (digits.length > MAX_INTEGER_DIGITS + 1) {
    throw jsonError(`an integer has more than ${MAX_INTEGER_DIGITS} digits`);
  }
  if (/^(?:0|-?[1-9]\d*)$/.test(digits)) return BigInt(digits);
  throw jsonError(`\`${digits}\` is no whole number in its shortest decimal form`);
}
