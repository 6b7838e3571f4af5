/** From flags to what is taken, held against a plain reference and against git itself. @module */

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import picomatch from 'picomatch';
import { describe, expect, test } from 'vitest';
import {
  parseSortKeys,
  type SelectionFlags,
  selectionOf,
} from '../../commands/metainfo/selection.ts';
import { UsageError } from '../../src/base/errors.ts';
import { nodeRuntime } from '../../src/runtime/node/index.ts';
import { pathsOf, scan, scanTree, skippedOf, type Tree } from '../content/tree.ts';

const treeOf = (paths: readonly string[]): Tree =>
  Object.fromEntries(paths.map((path) => [`/d/${path}`, 1]));

async function select(
  paths: readonly string[],
  flags: SelectionFlags,
): Promise<{ readonly taken: readonly string[]; readonly skipped: readonly string[] }> {
  const options = await selectionOf(flags);
  const found = await scanTree(treeOf(paths), '/d', { hidden: true, ...options });
  return { taken: pathsOf(found), skipped: skippedOf(found) };
}

const PATHS = ['a.txt', 'b.TXT', 'docs/c.txt', 'docs/deep/d.txt', 'docs/e.md', 'x/docs', '.f.txt'];

describe('globs', () => {
  test.each<[string, readonly string[]]>([
    ['*.txt', ['.f.txt', 'a.txt', 'docs/c.txt', 'docs/deep/d.txt']],
    ['/*.txt', ['.f.txt', 'a.txt']],
    ['docs/*.txt', ['docs/c.txt']],
    ['docs/**', ['docs/c.txt', 'docs/deep/d.txt', 'docs/e.md']],
    ['docs/**/*.txt', ['docs/c.txt', 'docs/deep/d.txt']],
    ['**/*.md', ['docs/e.md']],
    ['docs', ['docs/c.txt', 'docs/deep/d.txt', 'docs/e.md', 'x/docs']],
    ['docs/', ['docs/c.txt', 'docs/deep/d.txt', 'docs/e.md']],
    ['/docs', ['docs/c.txt', 'docs/deep/d.txt', 'docs/e.md']],
    ['deep', ['docs/deep/d.txt']],
    ['d?*/deep/', ['docs/deep/d.txt']],
    ['*.{md,TXT}', ['b.TXT', 'docs/e.md']],
    ['[ab].*', ['a.txt', 'b.TXT']],
    ['!(*.txt|docs)', ['b.TXT', 'docs/deep/d.txt', 'docs/e.md', 'x/docs']],
    ['nothing', []],
  ])('--include %s, and --exclude leaves the rest', async (glob, expected) => {
    expect((await select(PATHS, { include: [glob] })).taken.toSorted()).toEqual(
      expected.toSorted(),
    );
    const rest = await select(PATHS, { exclude: [glob] });
    expect(rest.taken.toSorted()).toEqual(
      PATHS.filter((path) => !expected.includes(path)).toSorted(),
    );
  });

  test('a folder that is left out counts once, and one in which something is taken back does not', async () => {
    expect(await select(PATHS, { exclude: ['docs', '*.t*'] })).toEqual({
      taken: ['b.TXT'],
      skipped: [
        'excluded /d/.f.txt',
        'excluded /d/a.txt',
        'excluded /d/docs',
        'excluded /d/x/docs',
      ],
    });
    expect(await select(PATHS, { exclude: ['docs', '!*.md'] })).toMatchObject({
      taken: ['.f.txt', 'a.txt', 'b.TXT', 'docs/e.md'],
      skipped: ['excluded /d/docs/c.txt', 'excluded /d/docs/deep/d.txt', 'excluded /d/x/docs'],
    });
  });

  test('--exclude wins over --include', async () => {
    const { taken } = await select(PATHS, { include: ['*.txt'], exclude: ['docs/'] });
    expect(taken).toEqual(['.f.txt', 'a.txt']);
  });

  test('names that are no UTF-8 are matched as well', async () => {
    const { taken } = await select(['\udcff.txt', '\udcff/a', 'b'], {
      include: ['?.txt', '\udcff/*'],
    });
    expect(taken.toSorted()).toEqual(['\udcff.txt', '\udcff/a']);
  });

  test.each([[''], ['/'], ['!'], ['//'], ['!a'], ['x'.repeat(70_000)]])(
    'what is no glob is refused with the flag: %j',
    async (glob) => {
      for (const flag of ['include', 'exclude'] as const) {
        const selected = selectionOf({ [flag]: [glob] });
        await expect(selected).rejects.toThrow(UsageError);
        await expect(selected).rejects.toThrow(new RegExp(`^--${flag}: \``));
      }
    },
  );
});

describe('regular expressions', () => {
  test('are searched for in whole paths of files', async () => {
    const { taken } = await select(PATHS, { includeRegex: ['^docs/.*\\.txt$'] });
    expect(taken).toEqual(['docs/c.txt', 'docs/deep/d.txt']);
    expect((await select(PATHS, { excludeRegex: ['\\.'] })).taken).toEqual(['x/docs']);
    // Folders without a dot are looked into.
    expect((await select(PATHS, { excludeRegex: ['^[^.]*$'] })).taken).toHaveLength(6);
  });

  test('stand beside globs', async () => {
    const flags = {
      include: ['*.md'],
      includeRegex: ['^a'],
      exclude: ['b*'],
      excludeRegex: ['deep'],
    };
    expect((await select(PATHS, flags)).taken).toEqual(['a.txt', 'docs/e.md']);
  });

  test('what is none is refused with its reason', async () => {
    await expect(selectionOf({ excludeRegex: ['('] })).rejects.toThrow(
      /^--exclude-regex: `\(` is no regular expression: /,
    );
  });
});

test('no flag, no filter', async () => {
  expect(await selectionOf({})).toEqual({});
  expect(await selectionOf({ include: [], exclude: [], gitignore: false })).toEqual({});
});

const component = fc.constantFrom('a', 'b', 'ab', 'c.x', '.d');
const paths = fc.uniqueArray(
  fc.array(component, { minLength: 1, maxLength: 4 }).map((parts) => `${parts.join('/')}.f`),
  { minLength: 1, maxLength: 10 },
);
const word = fc.constantFrom(
  'a',
  'b',
  '*',
  '?',
  'a*',
  '*.f',
  '**',
  '{a,b}',
  '[a-c]*',
  '.d',
  '*.x.f',
);
const glob = fc
  .tuple(
    fc.constantFrom('', '/', '**/'),
    fc.array(word, { minLength: 1, maxLength: 3 }),
    fc.constantFrom('', '/'),
  )
  .map(([start, words, end]) => start + words.join('/') + end);

/** One path against one list, as the help has it. */
function isNamed(path: string, globs: readonly string[]): boolean {
  let named = false;
  for (const text of globs) {
    const positive = text.replace(/^!/, '');
    const bare = positive.replace(/\/$/, '');
    const parts = path.split('/');
    const matches = parts.some((name, at) => {
      if (bare !== positive && at === parts.length - 1) return false;
      const subject = bare.includes('/') ? parts.slice(0, at + 1).join('/') : name;
      const options = { dot: true, nonegate: true, strictSlashes: true, windows: false };
      return picomatch.isMatch(subject, bare.replace(/^\//, ''), options);
    });
    if (matches) named = !text.startsWith('!');
  }
  return named;
}

test('globs do what the reference does, whole folders left out or not', async () => {
  const list = fc
    .tuple(glob, fc.array(fc.tuple(fc.boolean(), glob), { maxLength: 3 }))
    .map(([first, rest]) => [
      first,
      ...rest.map(([negated, text]) => (negated ? `!${text}` : text)),
    ]);
  await fc.assert(
    fc.asyncProperty(
      paths,
      fc.option(list, { nil: [] }),
      fc.option(list, { nil: [] }),
      async (all, include, exclude) => {
        const { taken } = await select(all, { include, exclude });
        const expected = all.filter(
          (path) => (include.length === 0 || isNamed(path, include)) && !isNamed(path, exclude),
        );
        expect(taken.toSorted()).toEqual(expected.toSorted());
      },
    ),
    { numRuns: 300 },
  );
});

describe('--gitignore', () => {
  const flags = { gitignore: true };

  test('nested files, negation, .ignore over .gitignore', async () => {
    const options = await selectionOf(flags);
    const texts: Readonly<Record<string, string>> = {
      '.gitignore': '*.log\r\nbuild/\n!keep.log\n/top\n',
      '.ignore': 'only-ignore\n!a.log\n',
      'sub/.gitignore': '\ufeff!x.log\n*.txt\n',
    };
    const files = [
      ...['a.log', 'b.log', 'keep.log', 'top', 'only-ignore', 'build/1', 'a.txt'],
      ...['sub/x.log', 'sub/y.log', 'sub/top', 'sub/b.txt', 'sub/build/2', '.git/config'],
    ];
    const found = await onDisk(
      { ...Object.fromEntries(files.map((path) => [path, ''])), ...texts },
      (directory, { files: port }) => scan(port, directory, { hidden: true, ...options }),
    );
    expect(pathsOf(found).filter((path) => !path.includes('ignore'))).toEqual([
      'a.log',
      'a.txt',
      'keep.log',
      'sub/top',
      'sub/x.log',
    ]);
    expect(found.skipped.filter(({ why }) => why === 'ignored')).toHaveLength(8);
  });

  test('a folder that nearer rules take in again is judged by what is in it', async () => {
    const contents = {
      '.gitignore': 'build/\n*.o\n',
      'a/.gitignore': '!build/\n',
      'a/build/1': '',
      'a/build/1.o': '',
      'a/build/[!x] #/2': '',
      'a/build/build/3': '',
      'build/4': '',
    };
    const options = await selectionOf(flags);
    const found = await onDisk(contents, (directory, { files }) => scan(files, directory, options));
    expect(pathsOf(found)).toEqual(['a/build/1', 'a/build/[!x] #/2', 'a/build/build/3']);
  });

  test.skipIf(spawnSync('git', ['--version']).status !== 0)(
    'is what git does',
    async () => {
      const names = fc.constantFrom('a', 'b', 'ab', 'c.x', '[', 'A');
      const tree = fc.uniqueArray(
        fc.array(names, { minLength: 1, maxLength: 3 }).map((parts) => `${parts.join('/')}.f`),
        { minLength: 1, maxLength: 8 },
      );
      const line = fc
        .tuple(
          fc.constantFrom('', '', '!'),
          fc.constantFrom('', '', '/', '**/'),
          fc.array(fc.constantFrom('a', 'b', '*', 'a?', '*.f', '**', '[ab]', '\\[.f', 'A', 'c.x'), {
            minLength: 1,
            maxLength: 2,
          }),
          fc.constantFrom('', '/'),
        )
        .map(([negation, start, parts, end]) => negation + start + parts.join('/') + end);
      const rules = fc.dictionary(
        fc.constantFrom('', 'a/', 'a/b/', 'b/', 'ab/'),
        fc.array(line, { minLength: 1, maxLength: 4 }),
        { maxKeys: 3 },
      );
      const options = await selectionOf(flags);
      await fc.assert(
        fc.asyncProperty(tree, rules, async (files, lines) => {
          const texts = Object.entries(lines).map(([folder, text]) => [
            `${folder}.gitignore`,
            `${text.join('\n')}\n`,
          ]);
          const contents: Readonly<Record<string, string>> = {
            ...Object.fromEntries(files.map((path) => [path, 'x'])),
            ...Object.fromEntries(texts),
          };
          const [git, bip] = await onDisk(contents, async (directory, { files: port }) => [
            gitFiles(directory),
            pathsOf(await scan(port, directory, { hidden: true, ...options })),
          ]);
          expect(bip.toSorted()).toEqual(git.toSorted());
        }),
        { numRuns: 60 },
      );
    },
    60_000,
  );
});

/** What git would add. */
function gitFiles(directory: string): readonly string[] {
  const git = (...args: readonly string[]): string => {
    const { status, stdout, stderr } = spawnSync('git', args, {
      cwd: directory,
      encoding: 'utf8',
      env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' },
    });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    return stdout;
  };
  git('-c', 'init.defaultBranch=main', 'init', '-q');
  const listed = git('-c', 'core.excludesFile=', 'ls-files', '-z', '-o', '--exclude-standard');
  return listed.split('\0').filter((path) => path !== '');
}

async function onDisk<T>(
  contents: Readonly<Record<string, string>>,
  story: (directory: string, runtime: ReturnType<typeof nodeRuntime>) => Promise<T>,
): Promise<T> {
  await using runtime = nodeRuntime();
  const directory = mkdtempSync(join(tmpdir(), 'bip-selection-'));
  try {
    for (const [path, text] of Object.entries(contents)) {
      mkdirSync(dirname(join(directory, path)), { recursive: true });
      writeFileSync(join(directory, path), text);
    }
    return await story(directory, runtime);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

describe('--sort', () => {
  test.each([
    ['path', [{ by: 'path', order: 'ascending' }]],
    ['size:descending', [{ by: 'size', order: 'descending' }]],
    [
      'Natural:ASC, name:desc',
      [
        { by: 'natural', order: 'ascending' },
        { by: 'name', order: 'descending' },
      ],
    ],
  ])('%s', (text, keys) => {
    expect(parseSortKeys(text)).toEqual(keys);
  });

  test.each(['', 'date', 'size:', 'size:up', 'size:asc:desc', 'path,', 'size:constructor'])(
    '%j is refused',
    (text) => {
      expect(() => parseSortKeys(text)).toThrow(UsageError);
      expect(() => parseSortKeys(text)).toThrow(/^--sort: `.*` is no order of files; write path,/);
    },
  );
});
