/** Byte strings: comparison, joining, hex, UTF-8. @module */

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, '0'),
);
const UTF8_STRICT = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const UTF8_LOSSY = new TextDecoder('utf-8', { ignoreBOM: true });
const UTF8_ENCODER = new TextEncoder();

/** True when both hold the same bytes. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}

/** Raw byte order, the order of bencode keys (BEP 3): negative, zero or positive. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let at = 0; at < shared; at++) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** One fresh array with all parts, in order. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Lower-case hex, two digits a byte. */
export function formatHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += HEX[byte];
  return text;
}

/** Bytes of hex text of either case; `undefined` when it is not hex or has an odd length. */
export function parseHex(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(text)) return undefined;
  const bytes = new Uint8Array(text.length / 2);
  for (let at = 0; at < bytes.length; at++) {
    bytes[at] = Number.parseInt(text.slice(2 * at, 2 * at + 2), 16);
  }
  return bytes;
}

/** UTF-8 bytes of `text`; lone surrogates become U+FFFD. */
export function encodeUtf8(text: string): Uint8Array<ArrayBuffer> {
  return UTF8_ENCODER.encode(text);
}

/** Text of valid UTF-8, a byte order mark kept; `undefined` when the bytes are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return UTF8_STRICT.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Text of bytes that should be UTF-8; what is not becomes U+FFFD. For messages, never for names of files. */
export function decodeUtf8Lossy(bytes: Uint8Array): string {
  return UTF8_LOSSY.decode(bytes);
}

/** Where the escapes of {@link decodeName} lie: U+DC80 to U+DCFF, one for each byte from 0x80 on. */
const ESCAPES = 0xdc00;
const ESCAPED = /[\udc80-\udcff]/u;

/**
 * The name of a file without loss: UTF-8 as it is, and each byte that is no part of UTF-8 as the
 * lone surrogate U+DC00 + byte (as Python's `surrogateescape`). {@link encodeName} gives the bytes back.
 */
export function decodeName(bytes: Uint8Array): string {
  const text = decodeUtf8(bytes);
  if (text !== undefined) return text;
  let name = '';
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at);
    if (length === 0) name += String.fromCharCode(ESCAPES + (bytes[at++] ?? 0));
    else name += UTF8_LOSSY.decode(bytes.subarray(at, (at += length)));
  }
  return name;
}

/** The bytes of a name as {@link decodeName} gives it; lone surrogates beyond its escapes become U+FFFD. */
export function encodeName(name: string): Uint8Array<ArrayBuffer> {
  if (isPlainName(name)) return encodeUtf8(name);
  const parts: Uint8Array[] = [];
  let from = 0;
  for (let at = 0; at < name.length; at++) {
    if (!isEscape(name, at)) continue;
    parts.push(encodeUtf8(name.slice(from, at)), Uint8Array.of(name.charCodeAt(at) - ESCAPES));
    from = at + 1;
  }
  return concatBytes(...parts, encodeUtf8(name.slice(from)));
}

/** False for a name with bytes that are not UTF-8. */
export function isPlainName(name: string): boolean {
  return !ESCAPED.test(name);
}

/** Names by their raw bytes, which is the order of UTF-16 but for what lies beyond the surrogates. */
export function compareNames(a: string, b: string): number {
  if (a === b) return 0;
  const shared = Math.min(a.length, b.length);
  for (let at = 0; at < shared; at++) {
    const [left, right] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (left === right) continue;
    if (left < 0xd800 && right < 0xd800) return left - right;
    return compareBytes(encodeName(a), encodeName(b));
  }
  return a.length - b.length;
}

/** A lone surrogate in the range of the escapes: the second half of a pair is none. */
function isEscape(name: string, at: number): boolean {
  const unit = name.charCodeAt(at);
  if (unit < 0xdc80 || unit > 0xdcff) return false;
  const before = at === 0 ? 0 : name.charCodeAt(at - 1);
  return before < 0xd800 || before > 0xdbff;
}

/** Bytes of the well-formed UTF-8 sequence at `at`; 0 when there is none. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at] ?? 0;
  if (lead < 0x80) return 1;
  const length = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  const sequence = bytes.subarray(at, at + length);
  return length > 0 && sequence.length === length && decodeUtf8(sequence) !== undefined
    ? length
    : 0;
}
