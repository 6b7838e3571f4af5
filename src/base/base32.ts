/** Base32 of RFC 4648 §6, without padding, as magnet links use it. @module */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** Upper-case base32 without `=`. */
export function formatBase32(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let pending = 0;
  for (const byte of bytes) {
    pending = ((pending << 8) | byte) & 0xfff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(pending >>> bits) & 31];
    }
  }
  return bits === 0 ? text : text + ALPHABET[(pending << (5 - bits)) & 31];
}

/** Bytes of base32 text of either case; `undefined` when a character or the length is not possible. */
export function parseBase32(text: string): Uint8Array<ArrayBuffer> | undefined {
  // Before the change of case, which makes letters of the alphabet out of some that are not.
  if (!/^[a-z2-7]*$/i.test(text)) return undefined;
  const bytes = new Uint8Array(Math.floor((text.length * 5) / 8));
  let at = 0;
  let bits = 0;
  let pending = 0;
  for (const character of text.toUpperCase()) {
    pending = ((pending << 5) | ALPHABET.indexOf(character)) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (pending >>> bits) & 0xff;
    }
  }
  const leftOver = pending & ((1 << bits) - 1);
  return bits < 5 && leftOver === 0 ? bytes : undefined;
}
