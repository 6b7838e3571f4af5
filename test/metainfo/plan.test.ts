import { describe, expect, test } from 'vitest';
import { UsageError } from '../../src/base/errors.ts';
import {
  type DraftFile,
  type InfoDraft,
  MAX_PIECE_LENGTH,
  MAX_PIECES,
  type PlannedFile,
  planInfo,
} from '../../src/metainfo/index.ts';

const PIECE = 16_384;

function file(path: string, length = 1, more: Partial<DraftFile> = {}): DraftFile {
  return { path: path.split('/'), length, ...more };
}

function plan(draft: Partial<InfoDraft>) {
  return planInfo({ name: 'd', version: 'v1', pieceLength: PIECE, files: [], ...draft });
}

function shown({ path, offset, padding }: PlannedFile): string {
  return `${path.join('/')} @${offset}${padding ? ' pad' : ''}`;
}

function refusal(draft: Partial<InfoDraft>): string {
  try {
    plan(draft);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return 'it is planned';
}

describe('order and places', () => {
  const files = [file('z', PIECE + 1), file('b/x', 3), file('b.c', 0), file('b/a', 2 * PIECE)];

  test('v1 keeps the order of the draft, without gaps', () => {
    const { files: planned, pieceCount, length } = plan({ files });
    expect(planned.map(shown)).toEqual(['d/z @0', 'd/b/x @16385', 'd/b.c @16388', 'd/b/a @16388']);
    expect(planned.map(({ draft }) => draft)).toEqual([0, 1, 2, 3]);
    expect({ pieceCount, length }).toEqual({ pieceCount: 4, length: 3 * PIECE + 4 });
  });
  test('v2 has the order of the tree, and begins files with pieces', () => {
    const { files: planned, pieceCount } = plan({ files, version: 'v2' });
    expect(planned.map(shown)).toEqual(['d/b/a @0', 'd/b/x @32768', 'd/b.c @32771', 'd/z @49152']);
    expect(planned.map(({ draft }) => draft)).toEqual([3, 1, 2, 0]);
    expect(pieceCount).toBe(5);
  });
  test('a hybrid has padding instead, behind the last file as well', () => {
    const { files: planned, pieceCount, length } = plan({ files, version: 'hybrid' });
    expect(planned.map(shown)).toEqual([
      'd/b/a @0',
      'd/b/x @32768',
      'd/.pad/16381 @32771 pad',
      'd/b.c @49152',
      'd/z @49152',
      'd/.pad/16383 @65537 pad',
    ]);
    expect(planned.map(({ draft }) => draft)).toEqual([3, 1, undefined, 2, 0, undefined]);
    expect({ pieceCount, length }).toEqual({ pieceCount: 5, length: 3 * PIECE + 4 });
  });
  test('v1 is aligned on demand, in its own order', () => {
    expect(plan({ files: files.slice(0, 2), align: true }).files.map(shown)).toEqual([
      'd/z @0',
      'd/.pad/16383 @16385 pad',
      'd/b/x @32768',
      'd/.pad/16381 @32771 pad',
    ]);
  });
  test.each(['v1', 'hybrid'] as const)('one file has no padding in %s', (version) => {
    for (const path of [[], ['x'], ['sub', 'x']]) {
      const { files: planned } = plan({ version, align: true, files: [{ path, length: 5 }] });
      expect(planned).toEqual([
        { path: ['d', ...path], length: 5, offset: 0, padding: false, draft: 0 },
      ]);
    }
  });
  test('attributes come along; links point from the torrent on', () => {
    const [, link, script] = plan({
      files: [file('a'), file('l', 0, { symlink: ['a'] }), file('s', 1, { executable: true })],
    }).files;
    expect(link).toMatchObject({ path: ['d', 'l'], symlink: ['d', 'a'] });
    expect(script).toMatchObject({ executable: true });
  });
});

describe('padding shares its path with nothing', () => {
  const padding = (...files: readonly DraftFile[]): readonly string[] =>
    plan({ version: 'hybrid', files })
      .files.filter((entry) => entry.padding)
      .map(({ path }) => path.join('/'));

  test('a folder of one’s own may have its name', () => {
    expect(padding(file('.pad/5', 1), file('z', 1))).toEqual(['d/.pad/16383', 'd/.pad/16383']);
  });
  test('when a file has its path, its folder gets another name', () => {
    expect(padding(file('.pad/16383', 2), file('z', 1))).toEqual([
      'd/.pad_/16382',
      'd/.pad_/16383',
    ]);
    expect(padding(file('.PAD/16383/x', PIECE), file('z', 1))).toEqual(['d/.pad_/16383']);
    expect(padding(file('.pad', PIECE), file('z', 1))).toEqual(['d/.pad_/16383']);
    expect(padding(file('.pad', PIECE), file('.pad_/16383', PIECE), file('.pad__x', 1))).toEqual([
      'd/.pad__/16383',
    ]);
  });
});

describe('what no torrent can say is refused in a sentence', () => {
  test.each<readonly [string, Partial<InfoDraft>, string]>([
    ['no files', { files: [] }, 'there are no files'],
    ['empty files', { files: [file('a', 0)] }, 'all files are empty'],
    ['an empty component', { files: [file('a//b')] }, 'a part of the path a//b is empty'],
    ['a file named nothing', { files: [file('')] }, 'is empty'],
    ['.', { files: [file('./a')] }, '`.` in ./a is no name'],
    ['..', { files: [file('a/..')] }, '`..` in a/.. is no name'],
    ['a slash', { files: [{ path: ['a/b'], length: 1 }] }, 'is no name of a file'],
    ['NUL', { files: [file('a\0b')] }, 'is no name of a file'],
    ['a name of the torrent that is none', { name: '..', files: [file('a')] }, 'is no name'],
    ['two equal paths', { files: [file('a/b'), file('a/b')] }, 'a/b is there twice'],
    ['a file and a folder', { files: [file('a/b/c'), file('a')] }, 'a is both a file and a folder'],
    ['one without a name', { files: [file('a'), { path: [], length: 1 }] }, 'has no name'],
    ['a deep path', { files: [file('x/'.repeat(100) + 'x')] }, 'more than 100 parts'],
    ['padding of BitComet', { files: [file('_____padding_file_0_')] }, 'padding'],
    ['half a surrogate pair', { files: [file('\ud800')] }, 'stands for no bytes'],
    ['escapes of UTF-8', { files: [file('\udcc3\udca4')] }, 'stands for no bytes'],
    ['bytes in v2', { version: 'v2', files: [file('\udcff')] }, 'make a v1 torrent'],
    ['bytes in the name', { version: 'hybrid', name: '\udcff', files: [file('a')] }, 'not UTF-8'],
    [
      'bytes in a target',
      { version: 'v2', files: [file('a'), file('l', 0, { symlink: ['\udcff'] })] },
      'not UTF-8',
    ],
    ['a link to nowhere', { files: [file('a'), file('l', 0, { symlink: [] })] }, 'leads nowhere'],
    ['a link upwards', { files: [file('a'), file('l', 0, { symlink: ['..'] })] }, 'no name'],
    ['a link with a length', { files: [file('l', 1, { symlink: ['a'] })] }, 'has a length'],
    [
      'a long file of v2',
      { version: 'v2', files: [file('a', 2 ** 44)], pieceLength: 2 ** 28 },
      'too long for v2',
    ],
    [
      'too many bytes',
      { files: [file('a', 2 ** 48)], pieceLength: 2 ** 28 },
      'beyond the 281474976710655',
    ],
  ])('%s', (_, draft, sentence) => {
    const message = refusal(draft);
    expect(message).toContain(sentence);
    expect(message).not.toMatch(/[\n\0]/);
  });

  test('more pieces than clients count; the sentence says what would do', () => {
    const files = [file('a', (MAX_PIECES + 1) * PIECE)];
    expect(refusal({ files })).toMatch(/2097153 .* 2097152 .*; 16777216 bytes would do$/);
    expect(plan({ files: [file('a', MAX_PIECES * PIECE)] }).pieceCount).toBe(MAX_PIECES);
  });
});

test('more files than readers open are refused before anything is hashed', () => {
  const files = Array.from({ length: 140_000 }, (_, at) => file(`${at % 1000}/${at}`));
  expect(refusal({ version: 'hybrid', files })).toMatch(
    /^a hybrid torrent of 140000 files .* v1 or v2$/,
  );
  expect(refusal({ version: 'v2', files })).toBe('it is planned');
  expect(refusal({ version: 'hybrid', files: files.slice(0, 120_000) })).toBe('it is planned');
});

describe('piece length', () => {
  const files = [file('a')];
  test.each([1, 5, 16_383, 1_000_000, MAX_PIECE_LENGTH])('v1 may have %i', (pieceLength) => {
    expect(refusal({ pieceLength, files })).toBe('it is planned');
  });
  test.each([
    [0, '; 1 would do'],
    [-5, '; 1 would do'],
    [1.5, '; 1 would do'],
    [Number.NaN, '; 1 would do'],
    [MAX_PIECE_LENGTH + 1, `; ${MAX_PIECE_LENGTH} would do`],
  ])('v1 has none of %d', (pieceLength, help) => {
    expect(refusal({ pieceLength, files })).toContain(help);
  });
  test.each([14, 15, 20, 28])('v2 may have 2^%i', (bits) => {
    for (const version of ['v2', 'hybrid'] as const) {
      expect(refusal({ version, pieceLength: 2 ** bits, files })).toBe('it is planned');
    }
  });
  test.each([
    [0, '; 16384 would do'],
    [-1, '; 16384 would do'],
    [8192, '; 16384 would do'],
    [16_385, '; 16384 or 32768 would do'],
    [100_000, '; 65536 or 131072 would do'],
    [2 ** 29, '; 268435456 would do'],
    [Number.POSITIVE_INFINITY, '; 268435456 would do'],
  ])('v2 has none of %d', (pieceLength, help) => {
    for (const version of ['v2', 'hybrid'] as const) {
      expect(refusal({ version, pieceLength, files })).toContain(help);
    }
  });
});
