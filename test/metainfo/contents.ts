/** Files of made-up content, and their hashes without the code that makes torrents. @module */

import { createHash } from 'node:crypto';
import { formatHex } from '../../src/base/bytes.ts';
import type { InfoHashes, InfoPlan } from '../../src/metainfo/index.ts';

const BLOCK = 16_384;
const ZERO_HASH = Buffer.alloc(32);

/** Byte `at` is `(at + length) mod 251`. */
function contentOf(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (at + length) % 251);
}

/** The root over `leaves`, padded with zero hashes (BEP 52): the definition, not the fast way. */
export function rootOf(leaves: readonly Uint8Array[]): Uint8Array {
  let layer = [...leaves];
  while (!Number.isInteger(Math.log2(layer.length))) layer.push(ZERO_HASH);
  while (layer.length > 1) {
    layer = Array.from({ length: layer.length / 2 }, (_, at) =>
      hashOf('sha256', ...layer.slice(2 * at, 2 * at + 2)),
    );
  }
  return layer[0] ?? ZERO_HASH;
}

/** SHA-256 of each block of a file. */
export function leavesOf(content: Uint8Array): Uint8Array[] {
  return Array.from({ length: Math.ceil(content.length / BLOCK) }, (_, at) =>
    hashOf('sha256', content.subarray(at * BLOCK, (at + 1) * BLOCK)),
  );
}

/** All hashes of a plan, each file with the content of its length, and the piece layers by root. */
export function hashPlan(
  plan: InfoPlan,
): InfoHashes & { readonly layers: ReadonlyMap<string, Uint8Array> } {
  const { pieceLength, files } = plan;
  const roots = new Map<number, Uint8Array>();
  const layers = new Map<string, Uint8Array>();
  const stream: Uint8Array[] = [];
  for (const [at, { length, padding }] of files.entries()) {
    const content = padding ? new Uint8Array(length) : contentOf(length);
    stream.push(content);
    if (padding || length === 0) continue;
    const leaves = leavesOf(content);
    const root = rootOf(leaves);
    roots.set(at, root);
    if (length <= pieceLength) continue;
    const width = pieceLength / BLOCK;
    const layer = Array.from({ length: Math.ceil(length / pieceLength) }, (_, piece) => {
      const own = leaves.slice(piece * width, (piece + 1) * width);
      return rootOf([...own, ...Array.from({ length: width - own.length }, () => ZERO_HASH)]);
    });
    layers.set(formatHex(root), Buffer.concat(layer));
  }
  if (plan.draft.version === 'v1') return { pieces: piecesOf(stream, pieceLength), layers };
  if (plan.draft.version === 'v2') return { roots, layers };
  return { pieces: piecesOf(stream, pieceLength), roots, layers };
}

function piecesOf(stream: readonly Uint8Array[], pieceLength: number): Uint8Array {
  const whole = Buffer.concat(stream);
  return Buffer.concat(
    Array.from({ length: Math.ceil(whole.length / pieceLength) }, (_, at) =>
      hashOf('sha1', whole.subarray(at * pieceLength, (at + 1) * pieceLength)),
    ),
  );
}

function hashOf(algorithm: 'sha1' | 'sha256', ...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash(algorithm);
  for (const part of parts) hash.update(part);
  return hash.digest();
}
