import { describe, expect, test } from 'vitest';
import { StorageError, UsageError } from '../../src/base/errors.ts';
import type { Scan } from '../../src/content/index.ts';
import { pathsOf, scanTree, skippedOf, type Tree } from './tree.ts';

const link = (to: string): { readonly link: string } => ({ link: to });

/** `path -> target` of the links that were kept. */
function linksOf({ files }: Scan): readonly string[] {
  return files.flatMap(({ path, symlink }) =>
    symlink === undefined ? [] : [`${path.join('/')} -> ${symlink.join('/')}`],
  );
}

describe('follow', () => {
  test('links are what they lead to', async () => {
    const tree: Tree = {
      '/d/a': link('/x/file'),
      '/d/b': link('../x'),
      '/x/file': 5,
      '/x/sub/1': 6,
    };
    const found = await scanTree(tree, '/d');
    expect(found.files.map(({ path, length }) => [path.join('/'), length])).toEqual([
      ['a', 5],
      ['b/file', 5],
      ['b/sub/1', 6],
    ]);
    expect(found.files[1]?.source).toBe('/d/b/file');
    expect(linksOf(found)).toEqual([]);
  });

  test('several links to one folder are no circle', async () => {
    const tree: Tree = { '/d/a/1': 1, '/d/b': link('a'), '/d/c/e': link('../a') };
    expect(pathsOf(await scanTree(tree, '/d'))).toEqual(['a/1', 'b/1', 'c/e/1']);
  });

  test.each([
    ['to its own folder', { '/d/e/loop': link('.') }],
    ['to the input', { '/d/e/loop': link('..') }],
    ['above the input', { '/d/e/loop': link('/') }],
    ['by way of another link', { '/d/e/loop': link('../f'), '/d/f': link('e') }],
    ['through another folder', { '/d/e/loop': link('/x'), '/x/back': link('/d/e') }],
  ])('a circle %s is refused', async (_, tree) => {
    const scanned = scanTree({ '/d/a': 1, ...tree }, '/d');
    await expect(scanned).rejects.toThrow(UsageError);
    await expect(scanned).rejects.toThrow(
      /^the symbolic link \/d\/.* leads back to \/.*, so that the torrent would never end; pass --symlinks/,
    );
  });

  test('a circle below an input that is a link', async () => {
    const tree: Tree = { '/real/in/loop': link('/real'), '/d': link('real/in') };
    await expect(scanTree(tree, '/d')).rejects.toThrow(/\/d\/loop leads back to \/real,/);
  });

  test('links that lead to themselves cannot be reached', async () => {
    const scanned = scanTree({ '/d/a': link('b'), '/d/b': link('a') }, '/d');
    await expect(scanned).rejects.toThrow(StorageError);
    await expect(scanned).rejects.toThrow(/\/d\/[ab] leads to [ab], which cannot be reached/);
  });

  test('a link that leads nowhere is an error, unless it is left out', async () => {
    const tree: Tree = { '/d/a': link('nowhere'), '/d/b': 1 };
    const scanned = scanTree(tree, '/d');
    await expect(scanned).rejects.toMatchObject({ code: 'BIP_NOT_FOUND' });
    await expect(scanned).rejects.toThrow('the symbolic link /d/a leads to nowhere, where nothing');
    const found = await scanTree(tree, '/d', {
      filter: ([name]) => (name === 'a' ? 'excluded' : undefined),
    });
    expect(pathsOf(found)).toEqual(['b']);
    expect(skippedOf(found)).toEqual(['excluded /d/a']);
  });

  test.each([
    ['with files', { '/x/20/file': 1 }],
    ['of folders alone', { '/x/20/': 0 }],
  ])('trees without circles that have no end, %s, end at the limit', async (_, end: Tree) => {
    const tree: Record<string, Tree[string]> = { ...end, '/d': link('x/0') };
    for (let at = 0; at < 20; at++) {
      tree[`/x/${at}/l`] = link(`../${at + 1}`);
      tree[`/x/${at}/r`] = link(`../${at + 1}`);
    }
    const scanned = scanTree(tree, '/d', { maxFiles: 500 });
    await expect(scanned).rejects.toThrow('more than 500 files');
  });
});

describe('skip', () => {
  test('links are left out, broken ones as well', async () => {
    const tree: Tree = { '/d/a': link('nowhere'), '/d/b': link('.'), '/d/c': 1 };
    const found = await scanTree(tree, '/d', { symlinks: 'skip' });
    expect(pathsOf(found)).toEqual(['c']);
    expect(skippedOf(found)).toEqual(['symlink /d/a', 'symlink /d/b']);
  });
});

describe('keep', () => {
  const keep = { symlinks: 'keep' } as const;

  test('the bundle of libtorrent: links through links', async () => {
    const tree: Tree = {
      '/SDL2.framework/Versions/A/SDL2': 100,
      '/SDL2.framework/Versions/A/Headers/SDL.h': 10,
      '/SDL2.framework/Versions/Current': link('A'),
      '/SDL2.framework/SDL2': link('Versions/Current/SDL2'),
      '/SDL2.framework/Headers': link('Versions/Current/Headers'),
    };
    const found = await scanTree(tree, '/SDL2.framework', keep);
    expect(linksOf(found)).toEqual([
      'Headers -> Versions/Current/Headers',
      'SDL2 -> Versions/Current/SDL2',
      'Versions/Current -> Versions/A',
    ]);
    expect(pathsOf(found)).toHaveLength(5);
    expect(found.totalBytes).toBe(110);
    expect(found.files[0]).toMatchObject({ length: 0, executable: false });
  });

  test.each([
    ['../b/1', 'b/1'],
    ['.././b//1', 'b/1'],
    ['../../d/b/1', undefined],
    ['/d/b/1', 'b/1'],
    ['/d/b', 'b'],
    ['/d', undefined],
    ['..', undefined],
    ['/dd/1', undefined],
    ['../b/nothing', undefined],
    ['../b/1/..', 'b'],
    ['../empty', undefined],
    ['../.hidden', undefined],
    ['l', undefined],
    ['other', 'a/other'],
    // `in` leads to b/c: what lies above that is b, whatever the words say.
    ['../in/..', 'b'],
    ['../in/../1', 'b/1'],
    ['../in/2', 'in/2'],
  ])('a link in /d/a to %s is %s', async (to, target) => {
    const tree: Tree = {
      '/d/a/l': link(to),
      '/d/a/other': 1,
      '/d/b/1': 1,
      '/d/b/c/2': 1,
      '/d/in': link('b/c'),
      '/d/.hidden': 1,
      '/d/empty/': 0,
      '/dd/1': 1,
    };
    const scanned = scanTree(tree, '/d', keep);
    if (target !== undefined) {
      expect(linksOf(await scanned)).toContain(`a/l -> ${target}`);
      return;
    }
    await expect(scanned).rejects.toThrow(UsageError);
    await expect(scanned).rejects.toThrow(`the symbolic link /d/a/l leads to ${to}`);
    await expect(scanned).rejects.toThrow('--symlinks skip');
  });

  test('links are no folders to look into', async () => {
    const tree: Tree = { '/d/a/1': 1, '/d/l': link('a') };
    expect(pathsOf(await scanTree(tree, '/d', keep))).toEqual(['a/1', 'l']);
  });

  test('links are left out by their name', async () => {
    const found = await scanTree({ '/d/a': link('/x'), '/d/.b': link('/x'), '/d/c': 1 }, '/d', {
      ...keep,
      filter: ([name]) => (name === 'a' ? 'excluded' : undefined),
    });
    expect(skippedOf(found)).toEqual(['hidden /d/.b', 'excluded /d/a']);
  });

  test('from one input to another only where they lie side by side', async () => {
    const tree: Tree = { '/x/a/l': link('../b/1'), '/x/b/1': 1, '/y/b/1': 1 };
    const beside = await scanTree(tree, ['/x/a', '/x/b'], { ...keep, name: 'n' });
    expect(linksOf(beside)).toEqual(['a/l -> b/1']);
    const apart = scanTree(tree, ['/x/a', '/y/b'], { ...keep, name: 'n' });
    await expect(apart).rejects.toThrow('/x/a/l leads to ../b/1, which is not in the torrent');
  });
});
