/** The Hashers port of the simulated world. @module */

import { concatBytes } from '../../base/bytes.ts';
import type { Files, Hashers } from '../ports.ts';
import { type Digest, pureDigest } from './digest.ts';
import { simFileHashers } from './file-hashers.ts';

export function hashersOf(files: Files, digest: Digest = pureDigest): Hashers {
  const digestSync: Hashers['digestSync'] = (algorithm, parts) => {
    const [only] = parts;
    const whole = parts.length === 1 && only !== undefined ? only : concatBytes(...parts);
    return digest(algorithm, whole);
  };
  return {
    openFileHashers: () => simFileHashers(files, digest),
    allocate: (length) => new Uint8Array(length),
    copy: (target, at, source) => target.set(source, at),
    digestSync,
    digest: async (algorithm, parts) => digestSync(algorithm, parts),
  };
}
