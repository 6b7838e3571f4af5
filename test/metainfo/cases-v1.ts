/** One torrent of v1 for each rule. @module */

import { type Case, loads, refused } from './case.ts';
import { bytes, multiV1, pieces, type Raw, raw, singleV1, torrent, Verbatim } from './raw.ts';

const MIB = 2 ** 20;

function file(length: number, ...path: readonly Raw[]): { length: number; path: readonly Raw[] } {
  return { length, path };
}

function paths(...list: readonly (readonly Raw[])[]): Uint8Array {
  return multiV1(list.map((path) => file(425, ...path)));
}

const nested = (depth: number): readonly string[] => Array.from({ length: depth }, () => 'd');

const FORM: readonly Case[] = [
  loads('v1-single', singleV1(), { version: 'v1', name: 'temp', files: ['temp'], pieceCount: 1 }),
  loads('v1-multi', multiV1([file(10, 'a'), file(20_000, 'b', 'c')]), {
    files: ['temp/a', 'temp/b/c'],
    lengths: [10, 20_000],
    offsets: [0, 10],
    pieceCount: 2,
  }),
  loads(
    'v1-unsorted-keys',
    torrent({ pieces: pieces(1), name: 'temp', 'piece length': 16_384, length: 1 }),
    { warnings: ['unsorted-keys'] },
  ),
  loads('v1-unsorted-keys-of-a-file', multiV1([{ path: ['a'], length: 1 }]), {
    warnings: ['unsorted-keys'],
  }),
  loads(
    'v1-unsorted-keys-of-the-root',
    raw({ info: { length: 1, name: 'temp', 'piece length': 16_384, pieces: pieces(1) }, a: 'b' }),
    { warnings: ['unsorted-keys'] },
  ),
  loads('malformed-fields', singleV1({ private: 'yes', source: 5 }), {
    warnings: ['malformed-field'],
  }),
  loads('v1-leading-zeros', singleV1({ length: new Verbatim('i0425e') }), { lengths: [425] }),
  loads('trailing-bytes', new Uint8Array([...singleV1(), 13, 10]), {
    warnings: ['trailing-bytes'],
  }),
  loads(
    'unknown-keys',
    singleV1({ 'x-cross_seed': 'abc', md5sum: 'f'.repeat(32) }, { extra: [1] }),
    { warnings: ['unsorted-keys'] },
  ),
  refused('root-not-dictionary', raw('a string'), 'INFO'),
  refused('root-empty', new Uint8Array(), 'BENCODE'),
  refused('info-missing', raw({ announce: 'http://t.example/' }), 'INFO'),
  refused('info-not-dictionary', raw({ info: 'files' }), 'INFO'),
  refused(
    'duplicate-keys',
    singleV1({}, { info: undefined, x: new Verbatim('i1e1:xi2e') }),
    'BENCODE',
  ),
  refused('truncated', singleV1().subarray(0, 80), 'BENCODE'),
];

const NUMBERS: readonly Case[] = [
  loads('piece-length-odd', singleV1({ 'piece length': 1000 }), { pieceCount: 1 }),
  loads('piece-length-longest', singleV1({ 'piece length': 32_767 * 16_384 })),
  refused('piece-length-missing', singleV1({ 'piece length': undefined }), 'PIECE_LENGTH'),
  refused('piece-length-string', singleV1({ 'piece length': '16384' }), 'PIECE_LENGTH'),
  refused('piece-length-zero', singleV1({ 'piece length': 0 }), 'PIECE_LENGTH'),
  refused('piece-length-negative', singleV1({ 'piece length': -16_384 }), 'PIECE_LENGTH'),
  refused('piece-length-limit', singleV1({ 'piece length': 32_767 * 16_384 + 1 }), 'PIECE_LENGTH'),
  refused('pieces-missing', singleV1({ pieces: undefined }), 'PIECES'),
  refused('pieces-integer', singleV1({ pieces: -23 }), 'PIECES'),
  refused('pieces-not-multiple-of-20', singleV1({ pieces: new Uint8Array(24) }), 'PIECES'),
  refused('pieces-too-few', singleV1({ length: 20_000 }), 'PIECES'),
  refused('pieces-too-many', singleV1({ pieces: pieces(2) }), 'PIECES'),
  refused('pieces-limit', singleV1({ 'piece length': 1, length: 2 ** 21 + 1 }), 'LIMIT'),
  refused('length-missing', singleV1({ length: undefined }), 'LENGTH'),
  refused('length-string', singleV1({ length: '425' }), 'LENGTH'),
  refused('length-negative', singleV1({ length: -1 }), 'LENGTH'),
  refused('length-beyond-64-bits', singleV1({ length: 2n ** 70n }), 'LENGTH'),
  refused('length-limit', singleV1({ length: 2 ** 48 }), 'LENGTH'),
  refused('length-zero', singleV1({ length: 0, pieces: '' }), 'LENGTH'),
  refused('length-all-zero', multiV1([file(0, 'a'), file(0, 'b')]), 'LENGTH'),
  refused('file-length-missing', multiV1([file(1, 'a'), { path: ['b'] }]), 'LENGTH'),
  refused('file-length-negative', multiV1([file(-45, 'a'), file(99, 'b')]), 'LENGTH'),
  refused(
    'total-length-limit',
    multiV1([file(2 ** 47, 'a'), file(2 ** 47, 'b')], { pieces: pieces(1) }),
    'LENGTH',
  ),
];

const NAMES: readonly Case[] = [
  loads('name-utf-8-wins', singleV1({ name: bytes(0xe4), 'name.utf-8': 'ä' }), {
    name: 'ä',
    warnings: ['unsorted-keys'],
  }),
  loads('name-with-separators', singleV1({ name: 'temp/../../abc' }), {
    name: 'temp....abc',
    files: ['temp....abc'],
    warnings: ['name-changed'],
  }),
  loads('name-trailing-space', singleV1({ name: 'temp ' }), { name: 'temp ' }),
  loads('name-too-long', singleV1({ name: 'x'.repeat(300) }), {
    name: 'x'.repeat(240),
    warnings: ['name-changed'],
  }),
  loads('name-is-parent', multiV1([file(425, 'a')], { name: '..' }), {
    warnings: ['name-changed'],
  }),
  refused('name-missing', singleV1({ name: undefined }), 'NAME'),
  refused('name-integer', singleV1({ name: 1348 }), 'NAME'),
  refused('name-empty', singleV1({ name: '' }), 'NAME'),
  refused('name-of-file-is-parent', singleV1({ name: '..' }), 'NAME'),
  refused('name-of-file-is-separator', singleV1({ name: '/' }), 'NAME'),
];

const PATHS: readonly Case[] = [
  loads('path-parent', paths(['..', '..', 'bar']), {
    files: ['temp/_/_/bar'],
    warnings: ['path-changed'],
  }),
  loads('path-absolute', paths(['abcde'], ['/foobar']), {
    files: ['temp/abcde', 'temp/foobar'],
    warnings: ['path-changed'],
  }),
  loads('path-separators', paths(['foo/../../../bar', 'bar'], ['\\', '/', 'x']), {
    files: ['temp/foo......bar/bar', 'temp/_/_/x'],
    warnings: ['path-changed'],
  }),
  loads('path-empty-component', paths(['', 'bar'], ['']), {
    files: ['temp/_/bar', 'temp/_.1'],
    warnings: ['path-changed', 'duplicate-path'],
  }),
  loads('path-control-characters', paths(['a\u0000b\u001b[2J\u007f\u0085']), {
    files: ['temp/a_b_[2J__'],
    warnings: ['path-changed'],
  }),
  loads('path-hidden-direction', paths(['exe\u202egpj.exe', '\ufeffa']), {
    files: ['temp/exegpj.exe/a'],
    warnings: ['path-changed'],
  }),
  loads('path-not-utf-8', paths([bytes(0x61, 0xc3), bytes(0xc0, 0xae, 0x62)]), {
    files: ['temp/a_/_b'],
    warnings: ['path-changed'],
  }),
  loads('path-too-long', paths([`${'x'.repeat(250)}.test`]), {
    files: [`temp/${'x'.repeat(240)}.test`],
    warnings: ['path-changed'],
  }),
  loads(
    'path-utf-8-wins',
    multiV1([{ length: 1, path: [bytes(0xe4)], 'path.utf-8': ['ä', 'ö'] }]),
    { files: ['temp/ä/ö'] },
  ),
  loads('path-depth-50', paths(nested(50)), { files: [`temp/${nested(50).join('/')}`] }),
  refused('path-depth-200', paths(nested(200)), 'DEPTH'),
  refused('path-missing', multiV1([{ length: 1 }]), 'NAME'),
  refused('path-empty', multiV1([{ length: 1, path: [] }]), 'NAME'),
  refused('path-holds-integer', paths(['a', 1242]), 'PATH'),
  refused('files-empty', multiV1([]), 'FILES'),
  refused('files-holds-string', multiV1([file(1, 'a')], { files: ['a'] }), 'FILE'),
];

const DUPLICATES: readonly Case[] = [
  loads('duplicate-paths', paths(['foo', 'bar.txt'], ['foo', 'bar.txt']), {
    files: ['temp/foo/bar.txt', 'temp/foo/bar.1.txt'],
    warnings: ['duplicate-path'],
  }),
  loads(
    'duplicate-paths-case',
    paths(['temporary.txt'], ['Temporary.txt'], ['TeMPorArY.txT'], ['test', 'TEMPORARY.TXT']),
    {
      files: [
        'temp/temporary.txt',
        'temp/Temporary.1.txt',
        'temp/TeMPorArY.2.txT',
        'temp/test/TEMPORARY.TXT',
      ],
      warnings: ['duplicate-path'],
    },
  ),
  loads('duplicate-file-and-folder', paths(['A', 'tmp'], ['a'], ['A']), {
    files: ['temp/A/tmp', 'temp/a.1', 'temp/A.2'],
    warnings: ['duplicate-path'],
  }),
  refused(
    'duplicate-paths-limit',
    paths(...Array.from({ length: 118 }, () => ['foo', 'bar.txt'])),
    'DUPLICATES',
  ),
];

const ATTRIBUTES: readonly Case[] = [
  loads(
    'padding',
    multiV1([file(100, 'a'), { attr: 'p', ...file(16_284, '.pad', '16284') }, file(5, 'b')]),
    {
      files: ['temp/a', 'temp/.pad/16284 (pad)', 'temp/b'],
      offsets: [0, 100, 16_384],
      pieceCount: 2,
    },
  ),
  loads('padding-without-path', multiV1([file(45, 'a'), { attr: 'p', length: 2124 }]), {
    files: ['temp/a', '.pad/2124 (pad)'],
  }),
  loads(
    'padding-bitcomet',
    multiV1([file(45, 'a'), file(99, '_____padding_file_0_if you see this file_____')]),
    { files: ['temp/a', 'temp/_____padding_file_0_if you see this file_____ (pad)'] },
  ),
  loads(
    'padding-shared-path',
    multiV1([
      file(1, 'a'),
      { attr: 'p', ...file(9, '.pad', '9') },
      file(1, 'b'),
      { attr: 'p', ...file(9, '.pad', '9') },
      file(1, 'c'),
      { attr: 'p', ...file(8, '.pad', '9') },
    ]),
    {
      files: [
        'temp/a',
        'temp/.pad/9 (pad)',
        'temp/b',
        'temp/.pad/9 (pad)',
        'temp/c',
        'temp/.pad/9.1 (pad)',
      ],
      warnings: ['duplicate-path'],
    },
  ),
  loads(
    'symlink',
    multiV1([
      file(425, 'a', 'b'),
      { attr: 'l', length: 99, path: ['c'], 'symlink path': ['a', 'b'] },
    ]),
    {
      files: ['temp/a/b', 'temp/c -> temp/a/b'],
      lengths: [425, 0],
    },
  ),
  loads(
    'symlink-to-folder',
    multiV1([file(425, 'a', 'b'), { attr: 'l', path: ['c'], 'symlink path': ['a'] }]),
    {
      files: ['temp/a/b', 'temp/c -> temp/a'],
    },
  ),
  loads(
    'symlink-relative-to-link',
    multiV1([file(425, 'a', 'b'), { attr: 'l', path: ['a', 'c'], 'symlink path': ['b'] }]),
    {
      files: ['temp/a/b', 'temp/a/c -> temp/a/b'],
    },
  ),
  loads(
    'symlink-through-link',
    multiV1([
      { attr: 'l', path: ['x'], 'symlink path': ['now', 'b'] },
      file(425, 'a', 'b'),
      { attr: 'l', path: ['now'], 'symlink path': ['a'] },
    ]),
    { files: ['temp/x -> temp/now/b', 'temp/a/b', 'temp/now -> temp/a'] },
  ),
  loads(
    'symlink-to-nowhere',
    multiV1([
      file(425, 'a'),
      { attr: 'l', path: ['b'], 'symlink path': ['..', '..', 'etc', 'passwd'] },
      { attr: 'l', path: ['c'], 'symlink path': ['/etc/passwd'] },
      { attr: 'l', path: ['d'], 'symlink path': ['..'] },
    ]),
    {
      files: ['temp/a', 'temp/b -> temp/b', 'temp/c -> temp/c', 'temp/d -> temp/d'],
      warnings: ['symlink-target'],
    },
  ),
  loads(
    'symlink-circle',
    multiV1([
      file(425, 'a'),
      { attr: 'l', path: ['b'], 'symlink path': ['c', 'x'] },
      { attr: 'l', path: ['c'], 'symlink path': ['b', 'x'] },
    ]),
    { files: ['temp/a', 'temp/b -> temp/b', 'temp/c -> temp/c'], warnings: ['symlink-target'] },
  ),
  loads(
    'symlink-without-target',
    multiV1([file(425, 'a'), { attr: 'l', length: 9, path: ['b'] }]),
    {
      files: ['temp/a', 'temp/b'],
      lengths: [425, 0],
    },
  ),
  loads(
    'symlink-to-renamed-file',
    multiV1([file(425, 'a'), file(425, 'A'), { attr: 'l', path: ['b'], 'symlink path': ['A'] }]),
    { files: ['temp/a', 'temp/A.1', 'temp/b -> temp/A.1'], warnings: ['duplicate-path'] },
  ),
  refused(
    'symlink-path-holds-integer',
    multiV1([file(425, 'a'), { attr: 'l', path: ['b'], 'symlink path': ['a', 5] }]),
    'PATH',
  ),
];

/** All cases of v1. */
export const V1_CASES: readonly Case[] = [
  ...FORM,
  ...NUMBERS,
  ...NAMES,
  ...PATHS,
  ...DUPLICATES,
  ...ATTRIBUTES,
  loads('v1-large', singleV1({ 'piece length': MIB, length: 64 * MIB, pieces: pieces(64) }), {
    pieceCount: 64,
  }),
];
