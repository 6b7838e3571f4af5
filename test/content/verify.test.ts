import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FileEntry, Version } from '../../src/metainfo/index.ts';
import { type ContentTorrent, contentArbitrary, contentTorrent, noise } from './torrents.ts';
import { flip, NEIGHBOURS, states, truncate, verified } from './verified.ts';

const VERSIONS: readonly Version[] = ['v1', 'v2', 'hybrid'];
const BLOCK = 16_384;

const NOTHING = { offset: 0, length: 0 };

/** Some byte of the content, by a number of any size. */
function byteOf(
  { metainfo }: ContentTorrent,
  where: number,
): { readonly file: FileEntry; readonly position: number } {
  let left = where % metainfo.length;
  for (const file of metainfo.files) {
    if (file.padding) continue;
    if (left < file.length) return { file, position: left };
    left -= file.length;
  }
  throw new Error('there is no such byte');
}

describe('any torrent', () => {
  test('whole content is good, to the last byte', async () => {
    await fc.assert(
      fc.asyncProperty(contentArbitrary(), async (torrent) => {
        const progress: number[] = [];
        const result = await verified(torrent, undefined, {
          onProgress: (done, total) => progress.push(done / Math.max(1, total)),
        });
        expect(result).toMatchObject({
          complete: true,
          piecesGood: torrent.metainfo.pieceCount,
          piecesBad: 0,
          piecesMissing: 0,
          piecesUnchecked: 0,
          bad: [],
          unchecked: [],
          warnings: [],
        });
        for (const { goodBytes, length, undecidedBytes } of result.files) {
          expect([goodBytes, undecidedBytes]).toEqual([length, undefined]);
        }
        expect(result.files.map(({ path }) => path).toSorted()).toEqual(
          [...torrent.contents.keys()].toSorted(),
        );
        expect([progress[0], progress.at(-1)]).toEqual([0, 1]);
        expect(progress).toEqual(progress.toSorted((a, b) => a - b));
      }),
      { numRuns: 40 },
    );
  });

  test('one flipped byte is that piece, that file, that range', async () => {
    await fc.assert(
      fc.asyncProperty(contentArbitrary(), fc.nat(), async (torrent, where) => {
        const { metainfo } = torrent;
        const { file, position } = byteOf(torrent, where);
        const path = file.path.join('/');
        const result = await verified(torrent, (files) => flip(files, `/data/${path}`, position));
        const piece = Math.floor((file.offset + position) / metainfo.pieceLength);
        expect(result.bad.map((each) => each.piece)).toEqual([piece]);
        const ranges = result.bad.flatMap(({ files }) => files);
        const { offset, length } = ranges.find((each) => each.path === path) ?? NOTHING;
        expect(offset).toBeLessThanOrEqual(position);
        expect(offset + length).toBeGreaterThan(position);
        expect(length).toBeLessThanOrEqual(metainfo.pieceLength);
        const touched = new Set(ranges.map((each) => each.path));
        for (const each of result.files) {
          expect(each.state).toBe(touched.has(each.path) ? 'bad' : 'good');
        }
        if (metainfo.version !== 'v1') expect(touched.size).toBe(1);
        const judged = result.files.find((each) => each.path === path);
        expect(judged?.goodBytes).toBe(file.length - length);
        expect(result).toMatchObject({ complete: false, piecesMissing: 0, warnings: [] });
      }),
      { numRuns: 60 },
    );
  });

  test('missing files never make another one bad', async () => {
    await fc.assert(
      fc.asyncProperty(contentArbitrary(), fc.nat(), async (torrent, which) => {
        const paths = [...torrent.contents.keys()];
        const gone = new Set(paths.filter((_, at) => ((which >> at) & 1) === 1));
        const result = await verified(torrent, async (files) => {
          for (const path of gone) await files.remove(`/data/${path}`);
        });
        expect(result.bad).toEqual([]);
        for (const { path, state, goodBytes, length, undecidedBytes = 0 } of result.files) {
          expect(state).toBe(gone.has(path) ? 'missing' : 'good');
          expect(goodBytes + undecidedBytes).toBe(gone.has(path) ? 0 : length);
          if (torrent.metainfo.version !== 'v1') expect(undecidedBytes).toBe(0);
        }
        expect(result.complete).toBe(gone.size === 0);
      }),
      { numRuns: 60 },
    );
  });

  test('a file that is too short or too long shows which part is good', async () => {
    await fc.assert(
      fc.asyncProperty(contentArbitrary(), fc.nat(), fc.nat(), async (torrent, which, cut) => {
        const stored = torrent.metainfo.files.filter((file) => !file.padding && file.length > 0);
        const file = stored[which % stored.length];
        const length = file?.length ?? 0;
        const size = cut % (2 * length) === length ? 0 : cut % (2 * length);
        const path = file?.path.join('/') ?? '';
        const result = await verified(torrent, (files) => truncate(files, `/data/${path}`, size));
        expect(result.bad).toEqual([]);
        expect(result.complete).toBe(false);
        for (const each of result.files) {
          expect(each.state).toBe(each.path === path ? 'wrong-size' : 'good');
        }
        const judged = result.files.find((each) => each.path === path);
        expect(judged?.size).toBe(size);
        // Whole pieces before the cut.
        const { pieceLength } = torrent.metainfo;
        const begin = file?.offset ?? 0;
        const whole = Math.floor((begin + size) / pieceLength) * pieceLength - begin;
        const good = size >= length ? length : Math.max(0, whole);
        expect(judged?.goodBytes).toBe(good);
      }),
      { numRuns: 60 },
    );
  });
});

describe('v1 pieces that lie in several files', () => {
  const torrent = contentTorrent({ version: 'v1', files: NEIGHBOURS });

  test('what shares a piece with a missing file is undecided, and no more than that', async () => {
    const result = await verified(torrent, (files) => files.remove('/data/torrent/b'));
    expect(result.files).toEqual([
      {
        index: 0,
        path: 'torrent/a',
        state: 'good',
        goodBytes: 2 * BLOCK,
        length: 2 * BLOCK + 100,
        undecidedBytes: 100,
      },
      { index: 1, path: 'torrent/b', state: 'missing', goodBytes: 0, length: BLOCK },
      {
        index: 2,
        path: 'torrent/c',
        state: 'good',
        goodBytes: BLOCK + 100,
        length: 2 * BLOCK,
        undecidedBytes: BLOCK - 100,
      },
    ]);
    expect(result).toMatchObject({ complete: false, piecesGood: 4, piecesMissing: 2 });
  });

  test('a neighbour of the wrong size is to blame for a piece that does not match', async () => {
    const result = await verified(torrent, (files) =>
      files.writeFile('/data/torrent/b', noise(BLOCK + 7, 9)),
    );
    expect(states(result)).toEqual({
      'torrent/a': 'good',
      'torrent/b': 'wrong-size',
      'torrent/c': 'good',
    });
    expect(result.bad).toEqual([
      {
        piece: 2,
        files: [
          { path: 'torrent/a', offset: 2 * BLOCK, length: 100 },
          { path: 'torrent/b', offset: 0, length: BLOCK - 100 },
        ],
      },
      {
        piece: 3,
        files: [
          { path: 'torrent/b', offset: BLOCK - 100, length: 100 },
          { path: 'torrent/c', offset: 0, length: BLOCK - 100 },
        ],
      },
    ]);
    expect(result.files.map(({ undecidedBytes }) => undecidedBytes)).toEqual([
      100,
      undefined,
      BLOCK - 100,
    ]);
  });

  test('padding is zeros, and is not looked for on the disk', async () => {
    const padded = contentTorrent({ version: 'v1', files: NEIGHBOURS, align: true });
    expect(padded.metainfo.files.some(({ padding }) => padding)).toBe(true);
    const result = await verified(padded, (files) => files.remove('/data/torrent/b'));
    expect(result).toMatchObject({ piecesGood: 5, piecesBad: 0, piecesMissing: 1 });
    expect(result.files.map(({ path }) => path)).toEqual(['torrent/a', 'torrent/b', 'torrent/c']);
  });
});

describe('v2 and hybrids', () => {
  test.each(['v2', 'hybrid'] as const)(
    '%s: a bad file leaves its neighbours alone',
    async (version) => {
      const torrent = contentTorrent({ version, files: NEIGHBOURS });
      const result = await verified(torrent, (files) =>
        flip(files, '/data/torrent/a', 2 * BLOCK + 99),
      );
      expect(result.bad).toEqual([
        { piece: 2, files: [{ path: 'torrent/a', offset: 2 * BLOCK, length: 100 }] },
      ]);
      expect(result).toMatchObject({ piecesGood: 5, piecesBad: 1, piecesMissing: 0 });
    },
  );

  test('without piece layers a file is good or bad as a whole', async () => {
    const torrent = contentTorrent({ version: 'v2', files: NEIGHBOURS, layers: false });
    const good = await verified(torrent);
    expect(good).toMatchObject({ complete: true, piecesGood: 6 });
    expect(good.warnings.map(({ code }) => code)).toEqual(['judged-as-whole']);
    const bad = await verified(torrent, (files) => flip(files, '/data/torrent/c', 5));
    expect(states(bad)).toEqual({ 'torrent/a': 'good', 'torrent/b': 'good', 'torrent/c': 'bad' });
    expect(bad.files.map(({ whole }) => whole)).toEqual([true, undefined, true]);
    expect(bad.bad.map(({ piece }) => piece)).toEqual([4, 5]);
    const short = await verified(torrent, (files) => truncate(files, '/data/torrent/a', 20_000));
    expect(short).toMatchObject({ piecesGood: 3, piecesBad: 0, piecesMissing: 3 });
    expect(short.files[0]).toMatchObject({ state: 'wrong-size', goodBytes: 0 });
  });

  test('without piece layers, a file that cannot be read to its end is undecided', async () => {
    const torrent = contentTorrent({ version: 'v2', files: NEIGHBOURS, layers: false });
    const result = await verified(torrent, async (_, host) => {
      host.disk.fail({ operation: 'read', path: '/data/torrent/a', error: 'EIO' });
    });
    expect(result).toMatchObject({ piecesGood: 3, piecesBad: 0, piecesMissing: 3 });
    expect(result.files[0]).toMatchObject({ state: 'missing', error: { code: 'BIP_IO' } });
  });

  test('a hybrid without piece layers knows its pieces by v1', async () => {
    const torrent = contentTorrent({ version: 'hybrid', files: NEIGHBOURS, layers: false });
    expect(await verified(torrent)).toMatchObject({ complete: true, piecesGood: 6 });
    const bad = await verified(torrent, (files) => flip(files, '/data/torrent/c', BLOCK));
    expect(bad.bad.map(({ piece }) => piece)).toEqual([5]);
    expect(bad.warnings.map(({ code }) => code)).toEqual(['judged-as-whole']);
  });

  test.each([true, false])(
    'a hybrid that contradicts itself: v2 decides, with a warning (layers: %s)',
    async (layers) => {
      const torrent = contentTorrent({
        version: 'hybrid',
        files: NEIGHBOURS,
        layers,
        spoilV1: (stream) => stream.fill(0, 5 * BLOCK, 5 * BLOCK + 1),
      });
      const result = await verified(torrent, undefined, { both: true });
      expect(result).toMatchObject({ complete: true, piecesGood: 6 });
      // Without being asked, v1 is looked at only where v2 does not know of each piece.
      const usual = await verified(torrent);
      expect(usual).toMatchObject({ complete: true, piecesGood: 6 });
      const isTold = usual.warnings.some(({ code }) => code === 'inconsistent-hybrid');
      expect(isTold).toBe(!layers);
      const [warning] = result.warnings.filter(({ code }) => code === 'inconsistent-hybrid');
      expect(warning?.message).toContain('disagree about piece 5;');
    },
  );
});

describe('what has no pieces', () => {
  const files = [
    { path: 'a', bytes: noise(100, 1) },
    { path: 'empty', bytes: new Uint8Array() },
    { path: 'sub/link', bytes: new Uint8Array(), symlink: 'a' },
    { path: 'up', bytes: new Uint8Array(), symlink: 'sub/link' },
  ];

  test.each(VERSIONS)('%s: empty files and symlinks have to be there', async (version) => {
    const torrent = contentTorrent({ version, files });
    const missing = await verified(torrent, (disk) => disk.remove('/data/torrent/empty'));
    expect(states(missing)).toEqual({
      'torrent/a': 'good',
      'torrent/empty': 'missing',
      'torrent/sub/link': 'missing',
      'torrent/up': 'missing',
    });
    expect(missing).toMatchObject({ complete: false, piecesGood: 1, piecesMissing: 0 });
    const good = await verified(torrent, async (disk) => {
      await disk.makeDirectory('/data/torrent/sub');
      await disk.makeSymlink('/data/torrent/sub/link', '../a');
      // Another way to say the same.
      await disk.makeSymlink('/data/torrent/up', '/data/torrent/sub/link');
    });
    expect(good.complete).toBe(true);
    const wrong = await verified(torrent, async (disk) => {
      await disk.writeFile('/data/torrent/empty', noise(1, 1));
      await disk.makeDirectory('/data/torrent/sub');
      await disk.makeSymlink('/data/torrent/sub/link', '../empty');
      await disk.writeFile('/data/torrent/up', noise(1, 1));
    });
    expect(states(wrong)).toEqual({
      'torrent/a': 'good',
      'torrent/empty': 'wrong-size',
      'torrent/sub/link': 'bad',
      'torrent/up': 'bad',
    });
  });
});
