/** Names as a torrent really has them, for reading. @module */

import { decodeName, encodeName, formatHex, isPlainName, parseHex } from '../../src/base/bytes.ts';

/** A name in JSON: text, or the bytes of one that is no text. */
export type JsonName = string | { readonly $hex: string };

/** A name by `decodeName` in JSON. */
export function nameToJson(name: string): JsonName {
  return isPlainName(name) ? name : { $hex: formatHex(encodeName(name)) };
}

/** Lone surrogates of `decodeName`: bytes that are not UTF-8. */
const FIRST_BYTE = 0xdc00;
const LAST_BYTE = 0xdcff;

/** What is not seen, or turns the text around it; separators; the escape itself. */
const ESCAPED =
  /[/\\\p{Cc}\p{Cs}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2064\u2066-\u2069\ufeff]/gu;

/**
 * One component of a path, so that every byte of it can be seen: `\xff` for bytes that are no text,
 * controls and separators, `\u{202e}` for marks, `\\` for a backslash.
 */
export function showRawName(json: JsonName): string {
  const name =
    typeof json === 'string' ? json : decodeName(parseHex(json.$hex) ?? new Uint8Array());
  return name.replace(ESCAPED, escapeCharacter);
}

/** Components joined by `/`; one inside of a name is `\x2f`. */
export function showRawPath(path: readonly JsonName[]): string {
  return path.map(showRawName).join('/');
}

function escapeCharacter(character: string): string {
  if (character === '\\') return '\\\\';
  const code = character.codePointAt(0) ?? 0;
  const isByte = code >= FIRST_BYTE && code <= LAST_BYTE;
  if (isByte || code < 0x80) return `\\x${hex(isByte ? code - FIRST_BYTE : code)}`;
  return `\\u{${hex(code)}}`;
}

function hex(code: number): string {
  return code.toString(16).padStart(2, '0');
}
