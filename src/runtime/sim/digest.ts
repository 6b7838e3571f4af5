/** How the simulated world hashes. @module */

import { md5 } from '@noble/hashes/legacy.js';
import { sha1, sha256 } from '../../base/sha.ts';
import type { DigestAlgorithm } from '../ports.ts';

/** A digest at once; a test hands in the system's, which is faster than the pure one. */
export type Digest = (algorithm: DigestAlgorithm, bytes: Uint8Array) => Uint8Array;

export function pureDigest(algorithm: DigestAlgorithm, bytes: Uint8Array): Uint8Array {
  if (algorithm === 'md5') return md5(bytes);
  return algorithm === 'sha1' ? sha1(bytes) : sha256(bytes);
}
