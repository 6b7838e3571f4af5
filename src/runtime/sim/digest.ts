/** How the simulated world hashes. @module */

import { sha1, sha256 } from '../../base/sha.ts';
import type { HashAlgorithm } from '../ports.ts';

/** A digest at once; a test hands in the system's, which is faster than the pure one. */
export type Digest = (algorithm: HashAlgorithm, bytes: Uint8Array) => Uint8Array;

export function pureDigest(algorithm: HashAlgorithm, bytes: Uint8Array): Uint8Array {
  return algorithm === 'sha1' ? sha1(bytes) : sha256(bytes);
}
