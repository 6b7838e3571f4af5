/**
 * SHA-1 and SHA-256 of small buffers, in pure code, so that protocol modules need no port for an
 * infohash or a token. Pieces are hashed through the {@link "../runtime/ports.ts".Hashers} port,
 * which is many times faster.
 *
 * @module
 */

import { sha1 as nobleSha1 } from '@noble/hashes/legacy.js';
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';

/** Bytes of a SHA-1. */
export const SHA1_LENGTH = 20;

/** SHA-1 (FIPS 180-4 §6.1), 20 bytes. */
export function sha1(bytes: Uint8Array): Uint8Array {
  return nobleSha1(bytes);
}

/** SHA-256 (FIPS 180-4 §6.2), 32 bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return nobleSha256(bytes);
}
