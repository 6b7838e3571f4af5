/** One torrent of v2, or of both versions, for each rule. @module */

import { type Case, loads, refused } from './case.ts';
import {
  bytes,
  hex,
  layers,
  leaf,
  MEBIBYTE_LAYER,
  pieces,
  type Raw,
  type RawDictionary,
  singleV1,
  singleV2,
  sorted,
  torrent,
  treeV2,
  Verbatim,
  ZERO_ROOTS,
  zeroRoot,
} from './raw.ts';

const MEBIBYTE_ROOT = zeroRoot(1_048_576);

function withLayers(entries: readonly (readonly [Uint8Array, Raw])[]): Uint8Array {
  return singleV2({}, { 'piece layers': layers(entries) });
}

function nestedTree(depth: number): RawDictionary {
  let tree: RawDictionary = { file: leaf(1) };
  for (let level = 0; level < depth; level++) tree = { d: tree };
  return tree;
}

const TREE: readonly Case[] = [
  loads('v2-single', singleV2(), { version: 'v2', files: ['temp'], pieceCount: 16 }),
  loads('v2-multi', treeV2({ a: leaf(1), b: { c: leaf(16_384) }, d: leaf(7) }), {
    files: ['temp/a', 'temp/b/c', 'temp/d'],
    offsets: [0, 16_384, 32_768],
    pieceCount: 3,
  }),
  loads('v2-empty-file', treeV2({ a: leaf(1), b: leaf(0), c: leaf(1) }), {
    files: ['temp/a', 'temp/b', 'temp/c'],
    offsets: [0, 1, 16_384],
  }),
  loads('v2-with-pieces-only', treeV2({ a: leaf(1) }, { pieces: pieces(1) }), {
    version: 'v2',
    warnings: ['v1-incomplete'],
  }),
  refused(
    'v2-with-pieces-of-another-count',
    treeV2({ a: leaf(1) }, { pieces: pieces(2) }),
    'PIECES',
  ),
  loads('v2-same-content-twice', treeV2({ a: leaf(512), b: leaf(512) }), { pieceCount: 2 }),
  loads('v2-one-file-in-folder', treeV2({ a: { b: leaf(1) } }), { files: ['temp/a/b'] }),
  loads('v2-attributes', treeV2({ a: leaf(1, { attr: 'xh' }), b: leaf(1) })),
  loads(
    'v2-symlink',
    treeV2({ a: leaf(1), b: { '': { attr: 'l', length: 0, 'symlink path': ['a'] } } }),
    { files: ['temp/a', 'temp/b -> temp/a'] },
  ),
  loads('v2-name-not-utf-8', treeV2({ '\x82est/MB': leaf(1) }, { name: bytes(0x82, 0x61) }), {
    name: '_a',
    files: ['_estMB'],
    warnings: ['name-changed', 'path-changed'],
  }),
  loads('v2-parent-folder', treeV2({ '..': { a: leaf(1) }, b: leaf(1) }), {
    files: ['temp/_/a', 'temp/b'],
    warnings: ['path-changed'],
  }),
  refused('v2-version-unknown', singleV2({ 'meta version': 3 }), 'VERSION'),
  refused('v2-version-missing', singleV2({ 'meta version': undefined }), 'VERSION'),
  refused('v2-tree-missing', singleV2({ 'file tree': undefined }), 'FILE_TREE'),
  refused('v2-tree-not-dictionary', singleV2({ 'file tree': ['a'] }), 'FILES'),
  refused('v2-tree-empty', treeV2({}), 'FILES'),
  refused('v2-tree-is-file', treeV2(leaf(1)), 'FILE_TREE'),
  refused('v2-tree-empty-name', treeV2({ '': { a: leaf(1) }, b: leaf(1) }), 'FILE_TREE'),
  refused('v2-tree-file-with-siblings', treeV2({ a: { ...leaf(1), b: leaf(1) } }), 'FILE_TREE'),
  refused('v2-tree-entry-not-dictionary', treeV2({ a: leaf(1), b: 'x' }), 'FILE_TREE'),
  refused('v2-tree-file-not-dictionary', treeV2({ a: { '': 'x' } }), 'FILE_TREE'),
  refused('v2-tree-padding', treeV2({ a: leaf(1), b: leaf(7, { attr: 'p' }) }), 'PADDING'),
  refused('v2-tree-depth', treeV2(nestedTree(98)), 'BENCODE'),
];

const STRICT: readonly Case[] = [
  refused('v2-unsorted-keys', treeV2({ b: leaf(1), a: leaf(1) }), 'INFO'),
  refused(
    'v2-leading-zeros',
    treeV2({ a: leaf(1) }, { 'piece length': new Verbatim('i016384e') }),
    'INFO',
  ),
  refused(
    'v2-piece-length-not-power-of-2',
    treeV2({ a: leaf(1) }, { 'piece length': 32_767 }),
    'PIECE_LENGTH',
  ),
  refused(
    'v2-piece-length-below-16-kib',
    treeV2({ a: leaf(1) }, { 'piece length': 8192 }),
    'PIECE_LENGTH',
  ),
  refused(
    'v2-piece-length-limit',
    treeV2({ a: leaf(1) }, { 'piece length': 2 ** 29 }),
    'PIECE_LENGTH',
  ),
  refused('v2-length-missing', treeV2({ a: { '': { 'pieces root': zeroRoot(1) } } }), 'LENGTH'),
  refused(
    'v2-length-limit',
    treeV2({ a: { '': { length: 17_592_186_028_032, 'pieces root': zeroRoot(1) } } }),
    'LENGTH',
  ),
  refused('v2-length-zero', treeV2({ a: leaf(0) }), 'LENGTH'),
  refused('v2-pieces-root-missing', treeV2({ a: { '': { length: 1 } } }), 'PIECES_ROOT'),
  refused(
    'v2-pieces-root-short',
    treeV2({ a: { '': { length: 1, 'pieces root': 'abc' } } }),
    'PIECES_ROOT',
  ),
  refused(
    'v2-pieces-root-zero',
    treeV2({ a: { '': { length: 1, 'pieces root': new Uint8Array(32) } } }),
    'PIECES_ROOT',
  ),
];

const LAYERS: readonly Case[] = [
  loads('v2-layers-missing', singleV2({}, { 'piece layers': undefined }), {
    warnings: ['piece-layers-missing'],
  }),
  loads('v2-layers-empty', withLayers([]), { warnings: ['piece-layers-missing'] }),
  loads(
    'v2-layers-needless',
    treeV2({ a: leaf(512) }, {}, { 'piece layers': layers([[zeroRoot(512), zeroRoot(512)]]) }),
    { warnings: ['piece-layers-needless'] },
  ),
  loads(
    'v2-layers-uneven',
    treeV2(
      { a: leaf(49_152) },
      {},
      {
        'piece layers': layers([
          [zeroRoot(49_152), Buffer.from((ZERO_ROOTS[16384] ?? '').repeat(3), 'hex')],
        ]),
      },
    ),
    { pieceCount: 3 },
  ),
  loads(
    'v2-pieces-root-of-two-lengths',
    treeV2({
      a: { '': { length: 1, 'pieces root': zeroRoot(1) } },
      b: { '': { length: 20_000, 'pieces root': zeroRoot(1) } },
    }),
    { warnings: ['piece-layers-missing'] },
  ),
  refused(
    'v2-layer-of-two-lengths',
    treeV2(
      {
        a: { '': { length: 1, 'pieces root': zeroRoot(32_768) } },
        b: { '': { length: 32_768, 'pieces root': zeroRoot(32_768) } },
      },
      {},
      {
        'piece layers': layers([
          [zeroRoot(32_768), Buffer.from((ZERO_ROOTS[16384] ?? '').repeat(2), 'hex')],
        ]),
      },
    ),
    'PIECE_LAYERS',
  ),
  refused(
    'v2-layers-needless-length',
    treeV2({ a: leaf(512) }, {}, { 'piece layers': layers([[zeroRoot(512), 'short']]) }),
    'PIECE_LAYERS',
  ),
  refused('v2-layers-not-dictionary', singleV2({}, { 'piece layers': [] }), 'PIECE_LAYERS'),
  refused(
    'v2-layers-key-length',
    withLayers([[bytes(...MEBIBYTE_ROOT, 1), MEBIBYTE_LAYER]]),
    'PIECE_LAYERS',
  ),
  refused('v2-layers-value-not-string', withLayers([[MEBIBYTE_ROOT, 5]]), 'PIECE_LAYERS'),
  refused(
    'v2-layers-value-length',
    withLayers([[MEBIBYTE_ROOT, bytes(...MEBIBYTE_LAYER, 0)]]),
    'PIECE_LAYERS',
  ),
  refused(
    'v2-layers-value-short',
    withLayers([[MEBIBYTE_ROOT, MEBIBYTE_LAYER.subarray(32)]]),
    'PIECE_LAYERS',
  ),
  refused(
    'v2-layers-value-wrong',
    withLayers([[MEBIBYTE_ROOT, bytes(...MEBIBYTE_LAYER.subarray(0, -1), 0)]]),
    'PIECE_LAYERS',
  ),
  refused(
    'v2-layers-of-no-file',
    withLayers([
      [MEBIBYTE_ROOT, MEBIBYTE_LAYER],
      [hex('ab'.repeat(32)), zeroRoot(1)],
    ]),
    'PIECE_LAYERS',
  ),
];

interface HybridParts {
  readonly tree: RawDictionary;
  readonly files?: readonly RawDictionary[];
  readonly count: number;
}

function hybrid({ tree, files, count }: HybridParts, more: RawDictionary = {}): Uint8Array {
  return torrent(
    sorted({
      'file tree': tree,
      files,
      'meta version': 2,
      name: 'temp',
      'piece length': 16_384,
      pieces: pieces(count),
      ...more,
    }),
  );
}

const TWO = { a: leaf(512), b: leaf(7) } as const;
const A = { length: 512, path: ['a'] } as const;
const B = { length: 7, path: ['b'] } as const;
const pad = (length: number): RawDictionary => ({ attr: 'p', length, path: ['.pad', `${length}`] });

const HYBRIDS: readonly Case[] = [
  loads('hybrid-single', hybrid({ tree: { temp: leaf(512) }, count: 1 }, { length: 512 }), {
    version: 'hybrid',
    files: ['temp'],
  }),
  loads(
    'hybrid-without-tail-padding',
    hybrid({ tree: TWO, files: [A, pad(15_872), B], count: 2 }),
    {
      files: ['temp/a', 'temp/.pad/15872 (pad)', 'temp/b'],
      offsets: [0, 512, 16_384],
    },
  ),
  loads(
    'hybrid-with-tail-padding',
    hybrid({ tree: TWO, files: [A, pad(15_872), B, pad(16_377)], count: 2 }),
    { files: ['temp/a', 'temp/.pad/15872 (pad)', 'temp/b', 'temp/.pad/16377 (pad)'] },
  ),
  loads(
    'hybrid-empty-file',
    hybrid({
      tree: { a: leaf(512), aa: leaf(0), b: leaf(7) },
      files: [A, { length: 0, path: ['aa'] }, pad(15_872), B],
      count: 2,
    }),
    { pieceCount: 2 },
  ),
  loads('hybrid-one-file-in-list', hybrid({ tree: { a: leaf(512) }, files: [A], count: 1 }), {
    files: ['temp/a'],
  }),
  loads(
    'hybrid-without-pieces',
    hybrid({ tree: TWO, files: [A, pad(15_872), B], count: 0 }, { pieces: undefined }),
    {
      version: 'v2',
      warnings: ['v1-incomplete'],
    },
  ),
  refused(
    'hybrid-unlike-name',
    hybrid({ tree: { other: leaf(512) }, count: 1 }, { length: 512 }),
    'HYBRID',
  ),
  refused(
    'hybrid-unlike-length',
    hybrid({ tree: { temp: leaf(512) }, count: 1 }, { length: 511 }),
    'HYBRID',
  ),
  refused('hybrid-unlike-count', hybrid({ tree: TWO, files: [A], count: 1 }), 'HYBRID'),
  refused(
    'hybrid-unlike-order',
    hybrid({ tree: TWO, files: [B, pad(16_377), A], count: 2 }),
    'HYBRID',
  ),
  refused(
    'hybrid-without-pieces-unlike',
    hybrid({ tree: TWO, files: [A, B], count: 0 }, { pieces: undefined }),
    'HYBRID',
  ),
  refused('hybrid-not-aligned', hybrid({ tree: TWO, files: [A, B], count: 1 }), 'HYBRID'),
  refused(
    'hybrid-padding-length',
    hybrid({ tree: TWO, files: [A, pad(15_871), B], count: 2 }),
    'HYBRID',
  ),
  refused(
    'hybrid-tail-padding-length',
    hybrid({ tree: TWO, files: [A, pad(15_872), B, pad(16_376)], count: 2 }),
    'HYBRID',
  ),
  refused(
    'hybrid-pieces-count',
    hybrid({ tree: TWO, files: [A, pad(15_872), B], count: 3 }),
    'PIECES',
  ),
];

/** All cases of v2 and hybrids. */
export const V2_CASES: readonly Case[] = [
  ...TREE,
  ...STRICT,
  ...LAYERS,
  ...HYBRIDS,
  refused('tree-in-v1', singleV1({ 'file tree': { temp: leaf(425 + 87) } }), 'VERSION'),
];
