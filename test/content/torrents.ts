/** Small torrents with known content, for tests of verifying; hashed apart from what is tested. @module */

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { concatBytes, formatHex } from '../../src/base/bytes.ts';
import { merkleRoot, paddingHash, treeWidth } from '../../src/base/merkle.ts';
import {
  encodeInfo,
  encodeTorrent,
  type InfoPlan,
  type Metainfo,
  parseMetainfo,
  planInfo,
  type Version,
} from '../../src/metainfo/index.ts';
import type { Files } from '../../src/runtime/ports.ts';
import { randomNumbers } from '../disk/torrents.ts';

const BLOCK = 16_384;

export interface ContentFile {
  /** Below the torrent's name, with `/`; nothing for a torrent that is this file. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly executable?: boolean;
  readonly symlink?: string;
}

export interface ContentTorrent {
  readonly metainfo: Metainfo;
  /** The .torrent. */
  readonly bytes: Uint8Array;
  /** By joined path, the torrent's name first; no links. */
  readonly contents: ReadonlyMap<string, Uint8Array>;
}

export interface ContentSpec {
  readonly name?: string;
  readonly version: Version;
  readonly pieceLength?: number;
  readonly files: readonly ContentFile[];
  /** Padding in v1. */
  readonly align?: boolean;
  /** False: without the hashes of pieces of v2. */
  readonly layers?: boolean;
  /** Changes the bytes that are hashed for v1 only: a hybrid that contradicts itself. */
  readonly spoilV1?: (stream: Uint8Array) => void;
}

/** A torrent of the files, and what it says. */
export function contentTorrent(spec: ContentSpec): ContentTorrent {
  const { name = 'torrent', version, pieceLength = BLOCK, files, align = false } = spec;
  const plan = planInfo({
    name,
    version,
    pieceLength,
    align,
    files: files.map(({ path, bytes, executable, symlink }) => ({
      path: path === '' ? [] : path.split('/'),
      length: symlink === undefined ? bytes.length : 0,
      ...(executable === undefined ? {} : { executable }),
      ...(symlink === undefined ? {} : { symlink: symlink.split('/') }),
    })),
  });
  const bytesOf = (draft: number | undefined): Uint8Array =>
    (draft === undefined ? undefined : files[draft]?.bytes) ?? new Uint8Array();
  const layers = version === 'v1' ? [] : layersOf(plan, bytesOf);
  const hashes = {
    ...(version === 'v2' ? {} : { pieces: piecesOf(plan, bytesOf, spec.spoilV1) }),
    ...(version === 'v1' ? {} : { roots: new Map(layers.map(({ index, root }) => [index, root])) }),
  };
  const long = layers.filter(({ layer }) => layer.length > 32);
  const pieceLayers =
    version === 'v1' || spec.layers === false
      ? undefined
      : new Map(long.map(({ root, layer }) => [formatHex(root), layer]));
  const bytes = encodeTorrent(encodeInfo(plan, hashes), {}, pieceLayers);
  const contents = new Map(
    files
      .filter(({ symlink }) => symlink === undefined)
      .map((file) => [file.path === '' ? name : `${name}/${file.path}`, file.bytes]),
  );
  return { metainfo: parseMetainfo(bytes), bytes, contents };
}

/** Writes all content below `root`. */
export async function plantContent(
  files: Files,
  root: string,
  contents: ReadonlyMap<string, Uint8Array>,
): Promise<void> {
  for (const [path, bytes] of contents) {
    const whole = `${root}/${path}`;
    await files.makeDirectory(whole.slice(0, whole.lastIndexOf('/')));
    await files.writeFile(whole, bytes);
  }
}

/** Bytes that differ from place to place, and from seed to seed. */
export function noise(length: number, seed: number): Uint8Array {
  const next = randomNumbers(seed);
  return Uint8Array.from({ length }, () => next() & 0xff);
}

/** Random trees of files of every length near blocks and pieces. */
export function contentArbitrary(
  versions: readonly Version[] = ['v1', 'v2', 'hybrid'],
): fc.Arbitrary<ContentTorrent> {
  const length = fc.oneof(
    fc.constantFrom(0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 3 * BLOCK + 5),
    fc.integer({ min: 0, max: 5000 }),
  );
  const file = fc.record({ length, depth: fc.integer({ min: 0, max: 2 }) });
  return fc
    .record({
      files: fc.array(file, { minLength: 1, maxLength: 7 }),
      version: fc.constantFrom(...versions),
      blocks: fc.constantFrom(1, 2, 4),
      odd: fc.option(fc.integer({ min: 700, max: 40_000 }), { nil: undefined }),
      align: fc.boolean(),
      seed: fc.integer({ min: 0, max: 1 << 30 }),
    })
    .map(({ files, version, blocks, odd = blocks * BLOCK, align, seed }) =>
      contentTorrent({
        version,
        pieceLength: version === 'v1' ? odd : blocks * BLOCK,
        align,
        files: [
          { path: 'some', bytes: noise(10, seed) },
          ...files.map((each, index) => ({
            path: [...['a', 'b'].slice(0, each.depth), `file ${index}`].join('/'),
            bytes: noise(each.length, seed + index),
          })),
        ],
      }),
    );
}

type BytesOf = (draft: number | undefined) => Uint8Array;

function piecesOf(
  { files, pieceLength }: InfoPlan,
  bytesOf: BytesOf,
  spoil: (stream: Uint8Array) => void = () => undefined,
): Uint8Array {
  const parts = files.map(({ draft, padding, length }) =>
    padding ? new Uint8Array(length) : bytesOf(draft),
  );
  const stream = concatBytes(...parts);
  spoil(stream);
  return concatBytes(...cut(stream, pieceLength).map((piece) => digest('sha1', piece)));
}

function layersOf(
  { files, pieceLength }: InfoPlan,
  bytesOf: BytesOf,
): { index: number; layer: Uint8Array; root: Uint8Array }[] {
  const hash = (bytes: Uint8Array): Uint8Array => digest('sha256', bytes);
  const padding = paddingHash(Math.log2(pieceLength / BLOCK), { hash });
  return files.flatMap(({ draft, length, padding: isPadding }, index) => {
    if (isPadding || length === 0) return [];
    const pieces = cut(bytesOf(draft), pieceLength);
    const width = pieces.length === 1 ? undefined : pieceLength / BLOCK;
    const layer = concatBytes(
      ...pieces.map((piece) =>
        merkleRoot(concatBytes(...cut(piece, BLOCK).map(hash)), width, { hash }),
      ),
    );
    const root =
      pieces.length === 1 ? layer : merkleRoot(layer, treeWidth(pieces.length), { hash, padding });
    return [{ index, layer, root }];
  });
}

function cut(bytes: Uint8Array, length: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / length) }, (_, at) =>
    bytes.subarray(at * length, (at + 1) * length),
  );
}

function digest(algorithm: 'sha1' | 'sha256', bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash(algorithm).update(bytes).digest());
}
