import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { StorageError, UsageError } from '../../src/base/errors.ts';
import type { Files } from '../../src/runtime/ports.ts';
import { comparePaths } from './order.ts';
import { pathsOf, scan, scanTree, skippedOf, type Tree, withTree } from './tree.ts';

describe('one input', () => {
  test('a folder: all files below it, by path in raw bytes', async () => {
    const tree: Tree = {
      '/d/b': 1,
      '/d/a/z': 2,
      '/d/a/y/x': 3,
      '/d/a.txt': 4,
      '/d/B': 5,
      '/d/é': 6,
    };
    const found = await scanTree(tree, '/d');
    expect(found).toMatchObject({ name: 'd', isFolder: true, totalBytes: 21, roots: ['/d'] });
    expect(pathsOf(found)).toEqual(['B', 'a/y/x', 'a/z', 'a.txt', 'b', 'é']);
    expect(found.files[1]).toMatchObject({ source: '/d/a/y/x', length: 3, executable: false });
    expect(found.skipped).toEqual([]);
  });

  test('a file: a torrent that is this one file', async () => {
    const found = await scanTree({ '/d/a.iso': 7 }, '/d/a.iso');
    expect(found).toMatchObject({ name: 'a.iso', isFolder: false, totalBytes: 7 });
    expect(found.files).toMatchObject([{ path: [], source: '/d/a.iso', length: 7 }]);
  });

  test('may be hidden, junk or a link itself', async () => {
    const tree: Tree = { '/.d/Thumbs.db': 1, '/l': { link: '.d/Thumbs.db' } };
    for (const input of ['/.d/Thumbs.db', '/l']) {
      for (const symlinks of ['follow', 'keep', 'skip'] as const) {
        const found = await scanTree(tree, input, { symlinks });
        expect(found.files).toMatchObject([{ path: [], length: 1 }]);
      }
    }
    expect((await scanTree(tree, '/l')).name).toBe('l');
  });

  test.each([
    ['/top/d/', 'd'],
    ['/top/d///', 'd'],
    ['/top/d/.', 'd'],
    ['/top/d/e/..', 'd'],
    ['/top/l/', 'l'],
    ['/top/l/.', 'd'],
    ['.', undefined],
    ['/', undefined],
  ])('the name of %s is %s', async (input, name) => {
    const tree: Tree = { '/top/d/e/f': 1, '/top/l': { link: 'd' } };
    const scanned = scanTree(tree, input);
    if (name === undefined)
      await expect(scanned).rejects.toThrow(/no name of its own; pass --name/);
    else expect((await scanned).name).toBe(name);
  });

  test('--name wins, and has to be one', async () => {
    expect((await scanTree({ '/d/a': 1 }, '/d', { name: 'other' })).name).toBe('other');
    expect((await scanTree({ '/d/a': 1 }, '/', { name: 'all' })).files[0]?.source).toBe('/d/a');
    for (const name of ['', '.', '..', 'a/b', 'a\0b']) {
      await expect(scanTree({ '/d/a': 1 }, '/d', { name })).rejects.toThrow(UsageError);
    }
  });

  test('folders without files are not there', async () => {
    const found = await scanTree({ '/d/e/': 0, '/d/f/g/': 0, '/d/h': 0 }, '/d');
    expect(pathsOf(found)).toEqual(['h']);
    expect(await scanTree({ '/d/': 0 }, '/d')).toMatchObject({ files: [], totalBytes: 0 });
  });

  test('the bit of programs is seen', async () => {
    const found = await withTree({ '/d/run': 1, '/d/text': 1 }, async (files) => {
      await files.makeExecutable('/d/run');
      return scan(files, '/d');
    });
    expect(found.files.map(({ executable }) => executable)).toEqual([true, false]);
  });

  test.each([
    ['/nothing', /^\/nothing does not exist$/],
    ['/broken', /^\/broken is a symbolic link to nowhere, where nothing is$/],
    ['/d/a/', /^\/d\/a\/ is a file, not a folder/],
  ])('%s is refused', async (input, message) => {
    const scanned = scanTree({ '/d/a': 1, '/broken': { link: 'nowhere' } }, input);
    await expect(scanned).rejects.toThrow(StorageError);
    await expect(scanned).rejects.toThrow(message);
  });

  test('no input, and the empty text, are refused', async () => {
    await expect(scanTree({}, [])).rejects.toThrow(UsageError);
    await expect(scanTree({}, '')).rejects.toThrow(UsageError);
  });
});

describe('several inputs', () => {
  const tree: Tree = { '/x/b/2': 1, '/x/b/1': 2, '/y/a': 4, '/z/.c/3': 8 };

  test('each lies in the folder under its own last component', async () => {
    const found = await scanTree(tree, ['/z/.c', '/x/b/', '/y/a'], { name: 'n' });
    expect(found).toMatchObject({ name: 'n', isFolder: true, totalBytes: 15 });
    expect(pathsOf(found)).toEqual(['.c/3', 'a', 'b/1', 'b/2']);
    expect(found.roots).toEqual(['/z/.c', '/x/b', '/y/a']);
  });

  test('need a name', async () => {
    await expect(scanTree(tree, ['/x/b', '/y/a'])).rejects.toThrow(
      '2 inputs become one folder; pass --name to say its name',
    );
  });

  test.each([
    [['/x/b', '/x/b/'], /\/x\/b and \/x\/b would both be called b/],
    [['/x/b', '/w/b'], /would both be called b/],
    [['/x', '/x/b/1'], /\/x\/b\/1 lies inside of \/x/],
    [['/x/b/1', '/x/b/../../x'], /lies inside of/],
    [['/v/1', '/x'], /\/v\/1 lies inside of \/x/],
    [['/', '/y'], /has no name of its own/],
  ])('%j are refused', async (inputs, message) => {
    const all: Tree = { ...tree, '/w/b': 1, '/v': { link: 'x/b' } };
    const scanned = scanTree(all, inputs, { name: 'n' });
    await expect(scanned).rejects.toThrow(UsageError);
    await expect(scanned).rejects.toThrow(message);
  });

  test('names of which one begins with the other are fine', async () => {
    const found = await scanTree({ '/a/1': 1, '/ab/1': 1 }, ['/a', '/ab'], { name: 'n' });
    expect(pathsOf(found)).toEqual(['a/1', 'ab/1']);
  });
});

describe('what is left out', () => {
  const tree: Tree = {
    '/d/.hidden/x': 1,
    '/d/.hidden/y': 1,
    '/d/.h': 1,
    '/d/.DS_Store': 1,
    '/d/sub/THUMBS.DB': 1,
    '/d/@eaDir/x': 1,
    '/d/a': 1,
  };

  test('hidden and junk, a whole folder as one', async () => {
    const found = await scanTree(tree, '/d');
    expect(pathsOf(found)).toEqual(['a']);
    expect(skippedOf(found)).toEqual([
      'junk /d/.DS_Store',
      'hidden /d/.h',
      'hidden /d/.hidden',
      'junk /d/@eaDir',
      'junk /d/sub/THUMBS.DB',
    ]);
  });

  test('hidden is taken when asked for, and junk', async () => {
    expect(pathsOf(await scanTree(tree, '/d', { hidden: true }))).toEqual([
      '.h',
      '.hidden/x',
      '.hidden/y',
      'a',
    ]);
    expect(pathsOf(await scanTree(tree, '/d', { junk: true }))).toEqual([
      '@eaDir/x',
      'a',
      'sub/THUMBS.DB',
    ]);
    expect(pathsOf(await scanTree(tree, '/d', { junk: true, hidden: true }))).toHaveLength(7);
  });

  test('the filter is asked about folders first, and about nothing in one that it refuses', async () => {
    const asked: string[] = [];
    const found = await scanTree({ '/d/a/1': 1, '/d/b/1': 1, '/d/c': 1 }, '/d', {
      filter: (path, kind) => {
        asked.push(`${kind} ${path.join('/')}`);
        return path[0] === 'a' ? 'excluded' : path[0] === 'c' ? 'output' : undefined;
      },
    });
    expect(pathsOf(found)).toEqual(['b/1']);
    expect(skippedOf(found)).toEqual(['excluded /d/a', 'output /d/c']);
    expect(asked.toSorted()).toEqual(['directory a', 'directory b', 'file b/1', 'file c']);
  });

  test('folders that are too deep: 100 components are the most', async () => {
    const deep = (count: number): string => Array.from({ length: count }, () => 'x').join('/');
    const fine = await scanTree({ [`/d/${deep(100)}`]: 1 }, '/d');
    expect(fine.files[0]?.path).toHaveLength(100);
    const found = await scanTree({ [`/d/${deep(101)}`]: 1 }, '/d');
    expect(found.files).toEqual([]);
    expect(skippedOf(found)).toEqual([`too-deep /d/${deep(100)}`]);
  });
});

describe('failures', () => {
  test('a folder that cannot be listed is named', async () => {
    const scanned = failing({ '/d/a/b/c': 1 }, 'list', '/d/a/b');
    await expect(scanned).rejects.toThrow('cannot list /d/a/b: permission denied');
  });

  test('a file that cannot be looked at is named', async () => {
    const scanned = failing({ '/d/a/b': 1, '/d/a/c': 1 }, 'statLink', '/d/a/b');
    await expect(scanned).rejects.toThrow('cannot statLink /d/a/b: permission denied');
  });

  test('a file that vanishes meanwhile is named', async () => {
    const scanned = withTree({ '/d/a': 1 }, (files) =>
      scan(replacing(files, { list: async () => ['a', 'gone'] }), '/d'),
    );
    await expect(scanned).rejects.toMatchObject({ code: 'BIP_NOT_FOUND' });
    await expect(scanned).rejects.toThrow('/d/gone vanished');
  });

  test('more files than allowed', async () => {
    const tree: Tree = { '/d/a': 1, '/d/b': 1, '/d/c': 1 };
    expect((await scanTree(tree, '/d', { maxFiles: 3 })).files).toHaveLength(3);
    await expect(scanTree(tree, '/d', { maxFiles: 2 })).rejects.toThrow('more than 2 files');
  });

  test('a signal stops it in the middle, and nothing goes on behind it', async () => {
    const controller = new AbortController();
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`/d/${at}`, 1]));
    let looks = 0;
    await withTree(many, async (files) => {
      const counting = replacing(files, {
        statLink: (path) => {
          if (++looks === 100) controller.abort(new Error('stopped'));
          return files.statLink(path);
        },
      });
      const scanned = scan(counting, '/d', { signal: controller.signal });
      await expect(scanned).rejects.toThrow('stopped');
    });
    expect(looks).toBe(100);
  });
});

test('nothing is asked of the system more than so many times at once', async () => {
  let [active, most] = [0, 0];
  const many = Object.fromEntries(
    Array.from({ length: 300 }, (_, at) => [`/d/${at % 7}/${at}`, 1]),
  );
  await withTree(many, async (files) => {
    const counting = replacing(files, {
      async statLink(path) {
        most = Math.max(most, ++active);
        try {
          return await files.statLink(path);
        } finally {
          active--;
        }
      },
    });
    expect((await scan(counting, '/d')).files).toHaveLength(300);
  });
  expect(most).toBeLessThanOrEqual(32);
  expect(most).toBeGreaterThan(8);
});

test('the result depends neither on the order of names nor on that of answers', async () => {
  const names = fc.array(
    fc.constantFrom('a', 'B', 'c.txt', '.h', '\udcff', '😀', 'ﬀ', 'Thumbs.db'),
    {
      minLength: 1,
      maxLength: 4,
    },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(names, { minLength: 1, maxLength: 12 }),
      fc.array(fc.nat(), { minLength: 8, maxLength: 8 }),
      async (paths, noise) => {
        const tree = Object.fromEntries(
          paths.map((path) => [`/d/${path.join('/')}+`, path.length]),
        );
        const [plain, shuffled] = await withTree(tree, async (files) => [
          await scan(files, '/d'),
          await scan(shuffling(files, noise), '/d'),
        ]);
        expect(shuffled).toEqual(plain);
        const found = plain.files.map(({ path }) => path);
        expect(found).toEqual(found.toSorted(comparePaths));
      },
    ),
    { numRuns: 60 },
  );
});

/** The questions of a scan, some of them answered by others. */
function replacing(files: Files, some: Partial<Files>): Files {
  return {
    ...files,
    stat: (path) => files.stat(path),
    statLink: (path) => files.statLink(path),
    list: (path) => files.list(path),
    realPath: (path) => files.realPath(path),
    ...some,
  };
}

async function failing(
  tree: Tree,
  operation: 'list' | 'statLink',
  place: string,
): Promise<unknown> {
  return withTree(tree, (files) => {
    const refuse = (path: string): void => {
      if (path !== place) return;
      throw new StorageError(`cannot ${operation} ${path}: permission denied`, {
        code: 'BIP_ACCESS',
      });
    };
    return scan(
      replacing(files, {
        async list(path) {
          if (operation === 'list') refuse(path);
          return files.list(path);
        },
        async statLink(path) {
          if (operation === 'statLink') refuse(path);
          return files.statLink(path);
        },
      }),
      '/d',
    );
  });
}

/** Lists names in another order, and answers some questions later than others. */
function shuffling(files: Files, noise: readonly number[]): Files {
  let at = 0;
  const next = (): number => noise[at++ % noise.length] ?? 0;
  return replacing(files, {
    async list(path) {
      const names = await files.list(path);
      return names
        .map((name) => ({ name, rank: next() }))
        .toSorted((a, b) => a.rank - b.rank)
        .map(({ name }) => name)
        .toReversed();
    },
    async statLink(path) {
      for (let wait = next() % 3; wait > 0; wait--) await files.statLink(path);
      return files.statLink(path);
    },
  });
}
