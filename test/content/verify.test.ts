import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type FileState,
  type Verification,
  type VerifyOptions,
  verifyContent,
} from '../../src/content/index.ts';
import type { FileEntry, Version } from '../../src/metainfo/index.ts';
import type { Files } from '../../src/runtime/ports.ts';
import type { SimHost } from '../../src/runtime/sim/index.ts';
import { makeWorld } from '../sim/world.ts';
import {
  type ContentTorrent,
  contentArbitrary,
  contentTorrent,
  noise,
  plantContent,
} from './torrents.ts';

const VERSIONS: readonly Version[] = ['v1', 'v2', 'hybrid'];
const BLOCK = 16_384;

type Settings = Partial<Omit<VerifyOptions, 'metainfo'>>;

/** The content of a torrent at /data, what `change` does to it, and what is said of it then. */
async function verified(
  torrent: ContentTorrent,
  change: (files: Files, host: SimHost) => Promise<unknown> = async () => undefined,
  settings: Settings = {},
): Promise<Verification> {
  const world = makeWorld();
  const host = world.host('10.0.0.1');
  const { files } = host.runtime;
  const story = async (): Promise<Verification> => {
    await plantContent(files, '/data', torrent.contents);
    await change(files, host);
    return verifyContent(host.runtime, {
      metainfo: torrent.metainfo,
      root: '/data',
      signal: new AbortController().signal,
      ...settings,
    });
  };
  const result = await world.run(story());
  world.assertClosed();
  return result;
}

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

function states({ files }: Verification): Record<string, FileState> {
  return Object.fromEntries(files.map(({ path, state }) => [path, state]));
}

/** Changes one byte of a file. */
async function flip(files: Files, path: string, at: number): Promise<void> {
  await using handle = await files.open(path, 'write');
  const byte = new Uint8Array(1);
  await handle.read(byte, at);
  await handle.write(Uint8Array.of((byte[0] ?? 0) ^ 0x80), at);
}

async function truncate(files: Files, path: string, size: number): Promise<void> {
  await using handle = await files.open(path, 'write');
  await handle.resize(size);
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

const NEIGHBOURS = [
  { path: 'a', bytes: noise(2 * BLOCK + 100, 1) },
  { path: 'b', bytes: noise(BLOCK, 2) },
  { path: 'c', bytes: noise(2 * BLOCK, 3) },
];

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
      const result = await verified(torrent);
      expect(result).toMatchObject({ complete: true, piecesGood: 6 });
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

describe('disks that fail', () => {
  test.each(VERSIONS)('%s: what cannot be read is missing, and says why', async (version) => {
    const torrent = contentTorrent({ version, files: NEIGHBOURS });
    const result = await verified(torrent, async (_, host) => {
      host.disk.fail({ operation: 'open', path: '/data/torrent/b', error: 'EACCES' });
    });
    expect(result.bad).toEqual([]);
    expect(states(result)).toEqual({
      'torrent/a': 'good',
      'torrent/b': 'missing',
      'torrent/c': 'good',
    });
    const { error } = result.files[1] ?? {};
    expect(error?.code).toBe('BIP_ACCESS');
    expect(error?.message).toContain('/data/torrent/b');
  });

  test('what cannot even be looked at, too', async () => {
    const torrent = contentTorrent({ version: 'v2', files: NEIGHBOURS });
    const result = await verified(torrent, async (_, host) => {
      host.disk.fail({ operation: 'stat', path: '/data/torrent/c', error: 'EACCES' });
    });
    expect(result.files[2]).toMatchObject({ state: 'missing', error: { code: 'BIP_ACCESS' } });
    expect(result).toMatchObject({ piecesGood: 4, piecesMissing: 2 });
  });

  test('a folder in the place of a file is no file', async () => {
    const torrent = contentTorrent({ version: 'v1', files: NEIGHBOURS });
    const result = await verified(torrent, async (files) => {
      await files.remove('/data/torrent/a');
      await files.makeDirectory('/data/torrent/a');
    });
    expect(result.files[0]).toMatchObject({ state: 'missing' });
  });

  test('a file that changes meanwhile says so', async () => {
    const torrent = contentTorrent({ version: 'v1', files: NEIGHBOURS });
    const world = makeWorld();
    const host = world.host('10.0.0.1');
    const { files } = host.runtime;
    await world.run(plantContent(files, '/data', torrent.contents));
    host.disk.latencyMs = 10;
    let changing: Promise<void> | undefined;
    const result = await world.run(
      verifyContent(host.runtime, {
        metainfo: torrent.metainfo,
        root: '/data',
        signal: new AbortController().signal,
        onProgress: () => void (changing ??= flip(files, '/data/torrent/c', 0)),
      }),
    );
    await world.run(changing ?? Promise.resolve());
    expect(result.files[2]?.error?.code).toBe('BIP_FILE_CHANGED');
    world.assertClosed();
  });
});

describe('options', () => {
  const torrent = contentTorrent({ version: 'v1', files: NEIGHBOURS });

  test('only some files: the others are neither asked for nor judged', async () => {
    const result = await verified(
      torrent,
      async (files) => {
        await files.remove('/data/torrent/c');
      },
      { files: new Set([0]) },
    );
    expect(states(result)).toEqual({ 'torrent/a': 'good' });
    expect(result).toMatchObject({ complete: true, piecesGood: 3, piecesMissing: 0 });
    const undecided = await verified(torrent, (files) => files.remove('/data/torrent/b'), {
      files: new Set([0]),
    });
    expect(undecided.files[0]).toMatchObject({ state: 'good', undecidedBytes: 100 });
    expect(undecided.complete).toBe(false);
  });

  test('the content may have another name, and files may lie elsewhere', async () => {
    const result = await verified(
      torrent,
      async (files) => {
        await files.rename('/data/torrent', '/data/renamed');
        await files.rename('/data/renamed/b', '/b');
      },
      { name: 'renamed', sources: new Map([[1, '/b']]) },
    );
    expect(result.complete).toBe(true);
    expect(result.files[1]).toMatchObject({ path: 'torrent/b', at: '/b' });
  });

  test('what is known is not hashed again', async () => {
    const first = await verified(torrent, (files) => files.remove('/data/torrent/b'));
    const hashed: number[] = [];
    const again = await verified(torrent, (files) => files.rename('/data/torrent/b', '/b'), {
      known: first,
      sources: new Map([[1, '/b']]),
      onProgress: (done) => hashed.push(done),
    });
    expect(again).toMatchObject({ complete: true, piecesGood: 6 });
    expect(hashed.at(-1)).toBe(2 * BLOCK);
  });

  test('failFast ends with the first bad piece, and says what was left', async () => {
    const bytes = noise(64 * BLOCK, 1);
    const many = contentTorrent({
      version: 'v2',
      pieceLength: 16 * BLOCK,
      files: Array.from({ length: 40 }, (_, at) => ({
        path: `f${String(at).padStart(2, '0')}`,
        bytes,
      })),
    });
    const result = await verified(many, (files) => flip(files, '/data/torrent/f00', 0), {
      failFast: true,
    });
    expect(result.complete).toBe(false);
    expect(result.bad.map(({ piece }) => piece)).toEqual([0]);
    expect(result.piecesUnchecked).toBeGreaterThan(0);
    expect(result.unchecked).toContain('torrent/f39');
    expect(result.files.length + result.unchecked.length).toBe(40);
    for (const { path, state } of result.files) {
      expect(state).toBe(path === 'torrent/f00' ? 'bad' : 'good');
    }
  });

  test('failFast hashes nothing when a file is missing', async () => {
    const result = await verified(torrent, (files) => files.remove('/data/torrent/b'), {
      failFast: true,
    });
    expect(result).toMatchObject({ piecesGood: 0, piecesUnchecked: 4, piecesMissing: 2 });
    expect(states(result)).toEqual({ 'torrent/b': 'missing' });
    expect(result.unchecked).toEqual(['torrent/a', 'torrent/c']);
  });

  test('a cancellation in the middle leaves nothing open', async () => {
    const world = makeWorld();
    const host = world.host('10.0.0.1');
    await world.run(plantContent(host.runtime.files, '/data', torrent.contents));
    host.disk.latencyMs = 5;
    const abort = new AbortController();
    const reason = new Error('stopped by the user');
    const timers: (() => void)[] = [];
    const running = verifyContent(host.runtime, {
      metainfo: torrent.metainfo,
      root: '/data',
      signal: abort.signal,
      onProgress: () => {
        if (timers.length > 0) return;
        timers.push(host.runtime.clock.schedule(world.now + 7, () => abort.abort(reason)));
      },
    });
    await expect(world.run(running)).rejects.toBe(reason);
    world.assertClosed();
  });
});
