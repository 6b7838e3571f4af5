/** The Hashers port of the simulated world. @module */

import { concatBytes } from '../../base/bytes.ts';
import { sha1, sha256 } from '../../base/sha.ts';
import type { HashAlgorithm, Hashers } from '../ports.ts';

/** A digest at once; a test hands in the system's, which is faster than the pure one. */
export type Digest = (algorithm: HashAlgorithm, bytes: Uint8Array) => Uint8Array;

export function hashersOf(digest: Digest = pureDigest): Hashers {
  const digestSync: Hashers['digestSync'] = (algorithm, parts) => {
    const [only] = parts;
    const whole = parts.length === 1 && only !== undefined ? only : concatBytes(...parts);
    return digest(algorithm, whole);
  };
  return {
    allocate: (length) => new Uint8Array(length),
    copy: (target, at, source) => target.set(source, at),
    digestSync,
    digest: async (algorithm, parts) => digestSync(algorithm, parts),
  };
}

function pureDigest(algorithm: HashAlgorithm, bytes: Uint8Array): Uint8Array {
  return algorithm === 'sha1' ? sha1(bytes) : sha256(bytes);
}
