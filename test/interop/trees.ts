/** A corpus of trees of files, with every case at which programs that make torrents could differ. @module */

import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { bytesOf, KiB } from './content.ts';

/** Piece lengths that the corpus is hashed with, in bytes. */
export const PIECE_LENGTHS: readonly number[] = [16 * KiB, 32 * KiB, 256 * KiB];

/** A file of so many bytes, an executable one, or a symlink. */
type Entry = number | { readonly run: number } | { readonly link: string };

export interface Tree {
  readonly name: string;
  /** By path below the tree; '' when the tree is this one file. */
  readonly entries: Readonly<Record<string, Entry>>;
  /** Symlinks are to stay symlinks. */
  readonly links?: true;
  /**
   * Only for such makers. `libtorrent`: there are attributes of BEP 47, or paths whose order is
   * another one when they are compared as a whole. `old`: links to follow, all of which libtorrent
   * marks as executable.
   */
  readonly only?: 'libtorrent' | 'old';
  /** Only with pieces of so many bytes, for a tree that takes long. */
  readonly pieceLength?: number;
}

const BLOCK = 16 * KiB;

/** Lengths at and around the edges of blocks and pieces of all {@link PIECE_LENGTHS}. */
const EDGES: readonly number[] = [
  ...new Set([
    ...[0, 1, BLOCK - 1, BLOCK, BLOCK + 1],
    ...PIECE_LENGTHS.flatMap((piece) => [piece - 1, piece, piece + 1, 2 * piece, 5 * piece + 4321]),
  ]),
].toSorted((a, b) => a - b);

/** Trees with a folder. */
export const FOLDERS: readonly Tree[] = [
  { name: 'one file', entries: { 'only.bin': 100_000 } },
  {
    name: 'empty files',
    entries: { '0': 0, '1': 40_000, '2': 0, '3': 0, '4': BLOCK, '5': 0, 'dir/6': 0, z: 0 },
  },
  { name: 'edges', entries: Object.fromEntries(EDGES.map((length) => [`${length}.bin`, length])) },
  {
    name: 'edges, aligned',
    entries: { a: 256 * KiB, b: 512 * KiB, c: 256 * KiB, d: 1 },
  },
  { name: 'deep', entries: deep(60) },
  {
    name: 'ünïcode – 名前 🎵',
    entries: {
      'e\u0301 decomposed': 20_000,
      '\u00e9 composed': 20_001,
      'with  blanks ': 3,
      'ファイル/файл.bin': 70_000,
      // Beyond the surrogates in UTF-16, in front of them in UTF-8.
      'fullwidth \uff5e': 5,
      'fullwidth \u{1f600}': 6,
      '🎵/👩\u200d👩\u200d👧.flac': 7,
      'quote\'"$(x)': 8,
    },
  },
  {
    name: 'order',
    only: 'libtorrent',
    entries: {
      'a/x': 9000,
      'a.txt': 9001,
      'a-b/x': 9002,
      'a-b.txt': 9003,
      'a b': 9004,
      ab: 9005,
      B: 9006,
      '10': 9007,
      '9': 9008,
      'a/x.d/y': 9009,
      'a/xe': 9010,
    },
  },
  {
    name: 'attributes',
    only: 'libtorrent',
    entries: { 'run.sh': { run: 20_000 }, '.hidden': 10, '.git/hook': { run: 5 }, plain: 40_000 },
  },
  {
    name: 'links',
    only: 'libtorrent',
    links: true,
    entries: {
      'file.bin': 50_000,
      'to file': { link: 'file.bin' },
      'to folder': { link: 'folder' },
      'into folder': { link: 'folder/deeper/data' },
      'to link': { link: 'to file' },
      'folder/deeper/data': 30_000,
      zero: 0,
      'to zero': { link: 'zero' },
    },
  },
  {
    name: 'followed links',
    only: 'old',
    entries: {
      file: 20_000,
      'folder/data': 50_000,
      'link to file': { link: 'folder/data' },
      'link to folder': { link: 'folder' },
    },
  },
  { name: 'many', entries: many(10_000), pieceLength: 32 * KiB },
];

/** Trees that are a file. */
export const FILES: readonly Tree[] = [
  ...EDGES.filter((length) => length > 0).map((length) => ({
    name: `${length}.bin`,
    entries: { '': length },
  })),
  { name: 'run.bin', only: 'libtorrent', entries: { '': { run: 40_000 } } },
];

/** Links that do not lie at the top, or go by way of dots. */
export const LINKS_BELOW: Tree = {
  name: 'links below',
  only: 'libtorrent',
  links: true,
  entries: {
    'file.bin': 50_000,
    dots: { link: './folder/../file.bin' },
    'folder/up': { link: '../file.bin' },
    'folder/beside': { link: 'data' },
    'folder/data': 30_000,
    'folder/deeper/to link': { link: '../up' },
  },
};

export async function writeTree(parent: string, { name, entries }: Tree): Promise<void> {
  for (const [path, entry] of Object.entries(entries)) {
    const target = join(parent, name, path);
    await mkdir(dirname(target), { recursive: true });
    if (typeof entry === 'number') {
      await writeFile(target, bytesOf(`${name}/${path}`, entry));
    } else if ('link' in entry) {
      await symlink(entry.link, target);
    } else {
      await writeFile(target, bytesOf(`${name}/${path}`, entry.run));
      await chmod(target, 0o755);
    }
  }
}

function deep(levels: number): Tree['entries'] {
  const folders = Array.from({ length: levels }, (_, level) => `level ${level}`);
  return Object.fromEntries(
    [1, levels / 2, levels].map((depth) => [
      `${folders.slice(0, depth).join('/')}/file`,
      1000 * depth,
    ]),
  );
}

function many(count: number): Tree['entries'] {
  return Object.fromEntries(
    Array.from({ length: count }, (_, at) => [
      `folder ${at % 100}/file ${at}`,
      at % 7 === 0 ? 0 : (at * 37) % 400,
    ]),
  );
}
