/** CRC-32C (Castagnoli; RFC 3720 §B.4): the hash of BEP 40 and BEP 42. @module */

/** The checksum of all `bytes`, unsigned; it keeps no secret, and anybody can find bytes for it. */
export function crc32c(bytes: Uint8Array): number {
  let value = -1;
  for (let at = 0; at < bytes.length; at++) {
    value = (TABLE[(value ^ (bytes[at] ?? 0)) & 0xff] ?? 0) ^ (value >>> 8);
  }
  return ~value >>> 0;
}

const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});
