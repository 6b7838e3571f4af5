/** Base64 of RFC 4648 §4 and §5, read only. @module */

/** Bytes of base64 of either alphabet, padded or not; `undefined` for anything else. */
export function parseBase64(text: string): Uint8Array | undefined {
  const digits = text.replace(/={1,2}$/, '');
  const padded = digits.length !== text.length;
  if (padded ? text.length % 4 !== 0 : digits.length % 4 === 1) return undefined;
  const bytes = new Uint8Array(Math.floor((digits.length * 3) / 4));
  let at = 0;
  let bits = 0;
  let pending = 0;
  for (let index = 0; index < digits.length; index++) {
    const value = valueOf(digits.charCodeAt(index));
    if (value === undefined) return undefined;
    pending = ((pending << 6) | value) & 0xfff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (pending >>> bits) & 0xff;
    }
  }
  // Bits left over must be zero, so that each value has one form.
  return (pending & ((1 << bits) - 1)) === 0 ? bytes : undefined;
}

/** Ranges of characters: first, last, value of the first. */
const RANGES: readonly (readonly [number, number, number])[] = [
  [0x41, 0x5a, 0],
  [0x61, 0x7a, 26],
  [0x30, 0x39, 52],
  [0x2b, 0x2b, 62],
  [0x2d, 0x2d, 62],
  [0x2f, 0x2f, 63],
  [0x5f, 0x5f, 63],
];

function valueOf(character: number): number | undefined {
  for (const [first, last, value] of RANGES) {
    if (character >= first && character <= last) return character - first + value;
  }
  return undefined;
}
