/** Small torrents made up for the tests of the storage. @module */

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { concatBytes } from '../../src/base/bytes.ts';
import {
  LayoutMap,
  type PieceHashes,
  type StorageFile,
  type StorageLayout,
  v1Hashes,
} from '../../src/disk/index.ts';
import type { HashAlgorithm, Hashers } from '../../src/runtime/ports.ts';

export const testHashers: Hashers = {
  openFileHashers: () => {
    throw new Error('storage hashes what it holds in memory');
  },
  allocate: (length) => new Uint8Array(length),
  copy: (target, at, source) => target.set(source, at),
  digest: async (algorithm, parts) => digest(algorithm, parts),
  digestSync: digest,
};

export interface TestTorrent {
  readonly layout: StorageLayout;
  /** Every piece, padding as zeros. */
  readonly pieces: readonly Uint8Array[];
  readonly hashes: PieceHashes;
  /** Content by joined path; neither padding nor links. */
  readonly contents: ReadonlyMap<string, Uint8Array>;
}

/** Files one after the other as in BEP 3, or each on a piece boundary as in BEP 52. */
export type Space = 'v1' | 'v2';

export interface FileSpec {
  readonly path?: string;
  readonly length: number;
  readonly padding?: boolean;
  readonly executable?: boolean;
  readonly symlink?: readonly string[];
}

/** A torrent of these files with content that differs everywhere. */
export function makeTorrent(
  specs: readonly FileSpec[],
  pieceLength: number,
  space: Space = 'v1',
): TestTorrent {
  const files: StorageFile[] = [];
  let end = 0;
  for (const [index, spec] of specs.entries()) {
    if (space === 'v2' && spec.length > 0) end = Math.ceil(end / pieceLength) * pieceLength;
    const path = spec.path?.split('/') ?? ['torrent', `file ${index}`];
    files.push({ ...spec, path, offset: end, padding: spec.padding ?? false });
    end += spec.length;
  }
  const layout = { files, pieceLength, pieceCount: Math.ceil(end / pieceLength) };
  const bytes = new Uint8Array(end);
  const contents = new Map<string, Uint8Array>();
  for (const [index, file] of files.entries()) {
    if (file.padding || file.symlink !== undefined) continue;
    const part = bytes.subarray(file.offset, file.offset + file.length);
    for (let at = 0; at < part.length; at++)
      part[at] = (at * 31 + index * 7 + (at >>> 8) + 1) & 0xff;
    contents.set(file.path.join('/'), part);
  }
  const map = new LayoutMap(layout);
  const pieces = Array.from({ length: layout.pieceCount }, (_, piece) =>
    bytes.slice(piece * pieceLength, piece * pieceLength + map.pieceSize(piece)),
  );
  const hashes = v1Hashes(concatBytes(...pieces.map((piece) => digest('sha1', [piece]))));
  return { layout, pieces, hashes, contents };
}

/** Arbitrary small torrents: empty files, padding, both spaces. */
export function torrentArbitrary(): fc.Arbitrary<TestTorrent> {
  const file = fc.record({
    length: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 70 })),
    isPadding: fc.integer({ min: 0, max: 4 }).map((value) => value === 0),
    depth: fc.integer({ min: 0, max: 3 }),
  });
  return fc
    .record({
      files: fc.array(file, { minLength: 1, maxLength: 12 }),
      pieceLength: fc.integer({ min: 1, max: 40 }),
      space: fc.constantFrom<Space>('v1', 'v2'),
    })
    .map(({ files, pieceLength, space }) =>
      makeTorrent(
        files.map(({ length, isPadding, depth }, index) => ({
          path: [
            'torrent',
            ...Array.from({ length: depth }, (_, at) => `d${at}`),
            `f${index}`,
          ].join('/'),
          length,
          padding: isPadding && space === 'v1',
        })),
        pieceLength,
        space,
      ),
    );
}

/** The same indices in an order that `seed` decides. */
export function shuffled(count: number, seed: number): number[] {
  const order = Array.from({ length: count }, (_, index) => index);
  const next = randomNumbers(seed);
  for (let at = count - 1; at > 0; at--) {
    const other = next() % (at + 1);
    [order[at], order[other]] = [order[other] ?? 0, order[at] ?? 0];
  }
  return order;
}

/** Repeatable numbers (mulberry32), 32 bits unsigned. */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return (value ^ (value >>> 14)) >>> 0;
  };
}

function digest(algorithm: HashAlgorithm, parts: readonly Uint8Array[]): Uint8Array {
  const running = createHash(algorithm);
  for (const part of parts) running.update(part);
  return new Uint8Array(running.digest());
}
