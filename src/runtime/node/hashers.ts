/** Hashing by OpenSSL. @module */

import { createHash, hash } from 'node:crypto';
import type { HashAlgorithm, Hashers } from '../ports.ts';
import { plainBytes } from './plain-bytes.ts';

/**
 * On the caller's thread: measured on one 1 MiB piece, the threadpool (`crypto.subtle`) costs 1.7
 * times the CPU, for it copies its input, and gains nothing until a whole core is idle.
 */
export const hashers: Hashers = {
  digest: async (algorithm, parts) => digest(algorithm, parts),
  digestSync: digest,
};

function digest(algorithm: HashAlgorithm, parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return plainBytes(hash(algorithm, only, 'buffer'));
  const running = createHash(algorithm);
  for (const part of parts) running.update(part);
  return plainBytes(running.digest());
}
