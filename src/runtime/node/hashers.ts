/** Hashing by OpenSSL. @module */

import { createHash, hash } from 'node:crypto';
import type { HashAlgorithm, Hashers } from '../ports.ts';
import { openFileHashers } from './file-hashers.ts';
import { plainBytes } from './plain-bytes.ts';
import type { Threads } from './threads.ts';

/**
 * Large digests of memory from `allocate` are made on a thread of their own, so that sockets are
 * read meanwhile; all others on the caller's. The threadpool (`crypto.subtle`) would cost 1.7 times
 * the CPU, for it copies its input (test/bench/hashers.ts).
 */
export function nodeHashers(threads: Threads): Hashers {
  return {
    openFileHashers,
    allocate: (length) => threads.allocate(length),
    copy,
    async digest(algorithm, parts) {
      const [only] = parts;
      const thread = parts.length === 1 && only !== undefined ? threads.hashing(only) : undefined;
      if (thread === undefined || only === undefined) return digest(algorithm, parts);
      return thread.digest(algorithm, only);
    },
    digestSync: digest,
  };
}

/**
 * `Uint8Array.set` writes shared memory in small atomic steps, at 4 GB/s where memmove makes 50. Node
 * takes memmove only for a part of the source, and `set` for the whole: so the last byte goes alone.
 */
function copy(target: Uint8Array, at: number, source: Uint8Array): void {
  const last = source.length - 1;
  if (last < 0) return;
  asBuffer(source).copy(target, at, 0, last);
  target[at + last] = source[last] ?? 0;
}

/** A view of the same memory; its `copy` is the one way to memmove. */
function asBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

function digest(algorithm: HashAlgorithm, parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return plainBytes(hash(algorithm, only, 'buffer'));
  const running = createHash(algorithm);
  for (const part of parts) running.update(part);
  return plainBytes(running.digest());
}
