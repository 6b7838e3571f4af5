import { describe, expect, test } from 'vitest';
import { verifyContent } from '../../src/content/index.ts';
import type { Version } from '../../src/metainfo/index.ts';
import { makeWorld } from '../sim/world.ts';
import { contentTorrent, noise, plantContent } from './torrents.ts';
import { flip, NEIGHBOURS, states, verified } from './verified.ts';

const VERSIONS: readonly Version[] = ['v1', 'v2', 'hybrid'];
const BLOCK = 16_384;

describe('names', () => {
  test.each([
    ['bytes that are not UTF-8', 'caf\udce9', 'caf_'],
    ['a backslash', 'a\\b', 'ab'],
    ['a control character', 'a\tb', 'a_b'],
  ])('a file is found under its own name, too: %s', async (_, name, safe) => {
    const torrent = contentTorrent({
      version: 'v1',
      files: [
        { path: `${name}/x`, bytes: noise(100, 1) },
        { path: 'y', bytes: noise(100, 2) },
      ],
    });
    const result = await verified(torrent);
    expect(result.complete).toBe(true);
    expect(result.files.map(({ path, at }) => [path, at])).toEqual([
      [`torrent/${safe}/x`, `/data/torrent/${name}/x`],
      ['torrent/y', undefined],
    ]);
    const renamed = await verified(torrent, async (files) => {
      await files.rename(`/data/torrent/${name}`, `/data/torrent/${safe}`);
    });
    expect(renamed.complete).toBe(true);
    expect(renamed.files[0]).not.toHaveProperty('at');
  });

  test('a name that would lead elsewhere is not followed', async () => {
    const bytes = noise(100, 1);
    const plain = contentTorrent({
      version: 'v1',
      files: [
        { path: 'sub/x', bytes },
        { path: 'y', bytes },
      ],
    });
    for (const way of ['..', '.', '', '../..', 'a/b', '..\\..', 'a\0b']) {
      const [first, ...others] = plain.metainfo.files;
      if (first === undefined) throw new Error('there is a file');
      const rawPath = ['torrent', way, 'x'];
      const metainfo = {
        ...plain.metainfo,
        files: [{ ...first, path: ['torrent', '_', 'x'], rawPath }, ...others],
      };
      const result = await verified({ ...plain, metainfo }, async (files) => {
        await files.writeFile('/data/x', bytes);
        await files.writeFile('/data/torrent/x', bytes);
        await files.makeDirectory('/data/torrent/a/b');
        await files.writeFile('/data/torrent/a/b/x', bytes);
      });
      expect(result.files[0]).toMatchObject({ state: 'missing' });
    }
  });
});

test('thousands of tiny files in a piece are cut into runs all the same', async () => {
  const torrent = contentTorrent({
    version: 'v1',
    files: Array.from({ length: 5000 }, (_, at) => ({ path: `f${at}`, bytes: noise(9, at) })),
  });
  const good = await verified(torrent);
  expect(good).toMatchObject({ complete: true, piecesGood: 3 });
  const bad = await verified(torrent, (files) => flip(files, '/data/torrent/f4000', 8));
  expect(bad.bad.map(({ piece }) => piece)).toEqual([2]);
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
