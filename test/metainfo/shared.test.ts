/** The reference engine's own torrents, where they are at hand: ../shared/fixtures of the project. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../src/base/errors.ts';
import { type Metainfo, parseMetainfo } from '../../src/metainfo/index.ts';

const FOLDER = join(import.meta.dirname, '../../../shared/fixtures/torrents');

interface Expected {
  readonly load: boolean;
  readonly infoHash: string | null;
  readonly infoHashV2: string | null;
}

/** What the descriptions of expected.json say beyond the hashes, written out. */
const PATHS: Readonly<Record<string, readonly string[]>> = {
  absolute_filename: ['temp/abcde', 'temp/foobar'],
  backslash_path: ['temp/_/_/bar'],
  base: ['temp'],
  duplicate_files: ['temp/foo/bar.txt', 'temp/foo/bar.1.txt'],
  hidden_parent_path: ['temp/foo......bar/bar'],
  invalid_filename: ['est2/f', 'est2/_'],
  invalid_name2: [
    'b61560c2918f463768cd122b6d2fdd47b77bdb35/foo/bar.txt',
    'b61560c2918f463768cd122b6d2fdd47b77bdb35/foo/var.txt',
  ],
  pad_file_no_path: ['temp/foo/bar.txt', '.pad/2124'],
  parent_path: ['temp/_/_/bar'],
  slash_path: ['temp/_/_/bar'],
  slash_path3: ['temp....abc'],
  v2_invalid_filename: ['_estMB'],
};

const SYMLINKS: Readonly<Record<string, readonly string[]>> = {
  overlapping_symlinks: [
    'SDL2.framework/Versions/Current/Headers',
    'SDL2.framework/Versions/Current/Resources',
    'SDL2.framework/Versions/Current/SDL2',
    'SDL2.framework/Versions/A',
  ],
  symlink1: ['temp/a/b/bar'],
  symlink2: ['Some.framework/Versions/A/SDL2', 'Some.framework/Versions/A'],
  symlink_zero_size: ['temp/a/b/bar'],
  v2_symlinks: [
    'SDL2.framework/Versions/Current/Headers',
    'SDL2.framework/Versions/Current/Resources',
    'SDL2.framework/Versions/Current/SDL2',
  ],
};

const WEB_SEEDS: Readonly<Record<string, readonly string[]>> = {
  duplicate_web_seeds: [
    'http://foobar.com/foo',
    'http://foobar.com/foobar',
    'http://foobar.com/bar',
  ],
  url_list2: [],
  url_list3: [],
  url_seed_multi: ['http://test.com/file/'],
  url_seed_multi_space_nolist: ['http://test.com/test%20file/foo%20bar/'],
};

function load(name: string): Metainfo {
  return parseMetainfo(new Uint8Array(readFileSync(join(FOLDER, `${name}.torrent`))));
}

function isExpected(value: unknown): value is Expected {
  return typeof value === 'object' && value !== null && 'load' in value;
}

function expectations(): readonly (readonly [string, Expected])[] {
  const parsed: unknown = JSON.parse(readFileSync(join(FOLDER, 'expected.json'), 'utf8'));
  return Object.entries(parsed ?? {}).flatMap(([name, value]: [string, unknown]) =>
    isExpected(value) ? [[name, value] as const] : [],
  );
}

const isThere = existsSync(FOLDER);
const note = isThere ? '' : ' (skipped: ../shared/fixtures is not there)';

describe.skipIf(!isThere)(`torrents of the reference engine${note}`, () => {
  const all = isThere ? expectations() : [];

  test('all of them are looked at', () => {
    const files = readdirSync(FOLDER).filter((name) => name.endsWith('.torrent'));
    expect(all.map(([name]) => `${name}.torrent`).toSorted()).toEqual(files.toSorted());
    expect(all.length).toBeGreaterThanOrEqual(70);
  });

  test.each(all.filter(([, { load: loads }]) => loads))('%s loads', (name, expected) => {
    const metainfo = load(name);
    expect(metainfo.infoHash?.hex).toBe(expected.infoHash ?? undefined);
    expect(metainfo.infoHashV2?.hex).toBe(expected.infoHashV2 ?? undefined);
  });

  test.each(all.filter(([, { load: loads }]) => !loads))('%s is refused', (name) => {
    expect(() => load(name)).toThrow(ProtocolError);
  });

  test.each(Object.entries(PATHS))('the paths of %s', (name, paths) => {
    expect(load(name).files.map(({ path }) => path.join('/'))).toEqual(paths);
  });

  test.each(Object.entries(SYMLINKS))('the symlinks of %s', (name, targets) => {
    const links = load(name).files.filter(({ symlink }) => symlink !== undefined);
    expect(links.map(({ symlink }) => symlink?.join('/'))).toEqual(targets);
    expect(links.every(({ length }) => length === 0)).toBe(true);
  });

  test.each(Object.entries(WEB_SEEDS))('the web seeds of %s', (name, urls) => {
    expect(load(name).webSeeds).toEqual(urls);
  });

  test('the rest of the descriptions', () => {
    expect(load('collection2').collections).toEqual(['bar', 'foo']);
    expect(load('similar').similar.map(({ hex }) => hex)).toEqual(['61'.repeat(20)]);
    expect(load('whitespace_url').announce).toEqual([['udp://test.com/announce']]);
    expect(load('no_creation_date').creationDate).toBeUndefined();
    expect(load('large')).toMatchObject({ length: 5_242_880_000, pieceCount: 5000 });
    expect(load('v2_multiple_files').files).toHaveLength(3);
    expect(load('v2_no_piece_layers').pieceLayers.size).toBe(0);
    expect(load('v2_only').pieceLayers.size).toBe(1);
    // As libtorrent 2.0.8: 240 bytes and the extension behind them.
    expect(load('long_name').name).toMatch(/^[a-j0-9]{240}\.23456789$/);
    const [single] = load('v2').files;
    expect(Buffer.from(single?.piecesRoot ?? []).toString('hex')).toMatch(/^60aae9c7.*f242$/);
  });
});
