import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes } from '../../src/base/bytes.ts';
import {
  type ArrangeMethod,
  arrange,
  type Placement,
  planArrangement,
  type SearchResult,
  searchContent,
  type Verification,
  verifyContent,
} from '../../src/content/index.ts';
import type { Version } from '../../src/metainfo/index.ts';
import type { Files, Runtime } from '../../src/runtime/ports.ts';
import type { SimHost } from '../../src/runtime/sim/index.ts';
import { makeWorld } from '../sim/world.ts';
import {
  type ContentTorrent,
  contentArbitrary,
  contentTorrent,
  noise,
  plantContent,
} from './torrents.ts';

const BLOCK = 16_384;
const VERSIONS: readonly Version[] = ['v1', 'v2', 'hybrid'];
const { signal } = new AbortController();

interface Outcome {
  readonly before: Verification;
  readonly search: SearchResult;
  readonly after: Verification;
}

/** Verifies at /data, searches in /else for what is not good, and verifies with what was found. */
async function hunt(runtime: Runtime, { metainfo }: ContentTorrent): Promise<Outcome> {
  const common = { metainfo, root: '/data', signal };
  const before = await verifyContent(runtime, common);
  const wanted = before.files.filter(({ state }) => state !== 'good').map(({ index }) => index);
  const search = await searchContent(runtime, { ...common, folders: ['/else'], wanted });
  const sources = search.found;
  const after = await verifyContent(runtime, { ...common, sources, known: before });
  return { before, search, after };
}

/** A world with the content at /data, changed by `change`. */
async function inWorld<Result>(
  torrent: ContentTorrent,
  change: (files: Files) => Promise<unknown>,
  story: (runtime: Runtime, host: SimHost) => Promise<Result>,
): Promise<Result> {
  const world = makeWorld();
  const host = world.host('10.0.0.1');
  const { files } = host.runtime;
  const result = await world.run(
    (async () => {
      await files.makeDirectory('/else/deep');
      await plantContent(files, '/data', torrent.contents);
      await change(files);
      return story(host.runtime, host);
    })(),
  );
  world.assertClosed();
  return result;
}

/** Everything that has bytes goes to /else under other names. */
async function scatter(files: Files, torrent: ContentTorrent): Promise<void> {
  for (const [at, [path, bytes]] of [...torrent.contents].entries()) {
    if (bytes.length === 0) continue;
    await files.rename(`/data/${path}`, `/else/${at % 2 === 0 ? 'deep/' : ''}${at}.dat`);
  }
}

describe('search', () => {
  test('finds all that was renamed and moved, and proves it', async () => {
    await fc.assert(
      fc.asyncProperty(contentArbitrary(), async (torrent) => {
        const { search, after } = await inWorld(
          torrent,
          (files) => scatter(files, torrent),
          (runtime) => hunt(runtime, torrent),
        );
        expect(after).toMatchObject({ complete: true, bad: [] });
        expect(search.candidates.size).toBe(0);
        const stored = [...torrent.contents.values()].filter(({ length }) => length > 0);
        expect(search.found.size).toBe(stored.length);
      }),
      { numRuns: 40 },
    );
  });

  test.each(VERSIONS)('%s: files of the same size are told apart', async (version) => {
    const lengths = [3 * BLOCK + 5, 3 * BLOCK + 5, 3 * BLOCK + 5, 100, 100, 100];
    const torrent = contentTorrent({
      version,
      files: lengths.map((length, at) => ({ path: `f${at}`, bytes: noise(length, at) })),
    });
    const { search, after } = await inWorld(
      torrent,
      async (files) => {
        for (const at of lengths.keys()) {
          await files.rename(`/data/torrent/f${at}`, `/else/${5 - at}`);
          await files.writeFile(`/else/decoy${at}`, noise(lengths[at] ?? 0, 100 + at));
        }
      },
      (runtime) => hunt(runtime, torrent),
    );
    expect(after.complete).toBe(true);
    const found = after.files.map(({ path, at }) => [path, at]);
    expect(found).toEqual(lengths.map((_, at) => [`torrent/f${at}`, `/else/${5 - at}`]));
    expect(search.unreadable).toEqual([]);
  });

  test.each(VERSIONS)('%s: a good copy stands in for a bad file', async (version) => {
    const bytes = noise(2 * BLOCK + 100, 1);
    const torrent = contentTorrent({
      version,
      files: [
        { path: 'a', bytes },
        { path: 'b', bytes: noise(BLOCK, 2) },
      ],
    });
    const { before, search, after } = await inWorld(
      torrent,
      async (files) => {
        await files.writeFile('/else/copy', bytes);
        // The last byte, which v1 has in a piece with the first ones of b.
        await files.writeFile(
          '/data/torrent/a',
          concatBytes(bytes.subarray(0, -1), Uint8Array.of(1 ^ (bytes.at(-1) ?? 0))),
        );
      },
      (runtime) => hunt(runtime, torrent),
    );
    expect(before.complete).toBe(false);
    expect([...search.found]).toEqual([[0, '/else/copy']]);
    expect(after.complete).toBe(true);
  });

  test('v1: what has no piece of its own is proven with its neighbours, or is a candidate', async () => {
    const torrent = contentTorrent({
      version: 'v1',
      files: [
        { path: 'a', bytes: noise(10_000, 1) },
        { path: 'b', bytes: noise(1000, 2) },
        { path: 'c', bytes: noise(10_000, 3) },
        { path: 'd', bytes: noise(1000, 4) },
      ],
    });
    const scattered = async (files: Files): Promise<void> => {
      await files.rename('/data/torrent/b', '/else/x');
      await files.rename('/data/torrent/d', '/else/y');
    };
    const proven = await inWorld(torrent, scattered, (runtime) => hunt(runtime, torrent));
    expect([...proven.search.found]).toEqual([
      [1, '/else/x'],
      [3, '/else/y'],
    ]);
    expect(proven.after.complete).toBe(true);
    const open = await inWorld(
      torrent,
      async (files) => {
        await scattered(files);
        await files.remove('/data/torrent/c');
      },
      (runtime) => hunt(runtime, torrent),
    );
    expect(open.search.found.size).toBe(0);
    expect([...open.search.candidates]).toEqual([
      [1, ['/else/x', '/else/y']],
      [3, ['/else/x', '/else/y']],
    ]);
    expect(open.after.complete).toBe(false);
  });

  test('nothing that only has the right size is taken', async () => {
    await fc.assert(
      fc.asyncProperty(contentArbitrary(), async (torrent) => {
        const { search, before, after } = await inWorld(
          torrent,
          async (files) => {
            for (const [path, bytes] of torrent.contents) {
              if (bytes.length === 0) continue;
              await files.remove(`/data/${path}`);
              const wrong = bytes.map((byte) => byte ^ 1);
              await files.writeFile(`/else/${path.replaceAll('/', '-')}`, wrong);
            }
          },
          (runtime) => hunt(runtime, torrent),
        );
        expect(search.found.size).toBe(0);
        expect(after).toEqual(before);
        if (torrent.metainfo.version !== 'v1') expect(search.candidates.size).toBe(0);
      }),
      { numRuns: 30 },
    );
  });

  test('v2 without piece layers is found by its root', async () => {
    const torrent = contentTorrent({
      version: 'v2',
      layers: false,
      files: [
        { path: 'a', bytes: noise(3 * BLOCK, 1) },
        { path: 'b', bytes: noise(3 * BLOCK, 2) },
      ],
    });
    const { after } = await inWorld(
      torrent,
      (files) => scatter(files, torrent),
      (runtime) => hunt(runtime, torrent),
    );
    expect(after.complete).toBe(true);
  });

  test('folders that may not be listed are told, and folders that are none refused', async () => {
    const torrent = contentTorrent({ version: 'v2', files: [{ path: '', bytes: noise(10, 1) }] });
    await inWorld(
      torrent,
      async (files) => {
        await files.rename('/data/torrent', '/else/x');
        await files.makeSymlink('/else/loop', '/else');
        await files.makeSymlink('/else/broken', '/nowhere');
      },
      async (runtime, host) => {
        host.disk.fail({ operation: 'list', path: '/else/deep', error: 'EACCES' });
        const { search, after } = await hunt(runtime, torrent);
        expect(search.unreadable).toEqual(['/else/deep']);
        expect(after.complete).toBe(true);
        const common = { metainfo: torrent.metainfo, root: '/data', wanted: [0], signal };
        for (const [folder, code] of [
          ['/nowhere', 'BIP_NOT_FOUND'],
          ['/else/x', 'BIP_NOT_DIRECTORY'],
        ] as const) {
          const refused = searchContent(runtime, { ...common, folders: [folder] });
          await expect(refused).rejects.toMatchObject({ code });
        }
      },
    );
  });

  test('a cancellation leaves nothing open', async () => {
    const torrent = contentTorrent({
      version: 'v1',
      files: [{ path: 'a', bytes: noise(4 * BLOCK, 1) }],
    });
    await inWorld(
      torrent,
      (files) => scatter(files, torrent),
      async (runtime, host) => {
        host.disk.latencyMs = 5;
        const abort = new AbortController();
        const common = { metainfo: torrent.metainfo, root: '/data', signal: abort.signal };
        const reason = new Error('stopped');
        const search = searchContent(runtime, {
          ...common,
          folders: ['/else'],
          wanted: [0],
          onProgress: () => abort.abort(reason),
        });
        await expect(search).rejects.toBe(reason);
      },
    );
  });
});

describe('arrange', () => {
  const torrent = contentTorrent({
    version: 'v2',
    files: [
      { path: 'sub/a', bytes: noise(3 * BLOCK, 1), executable: true },
      { path: 'b', bytes: noise(100, 2) },
      { path: 'empty', bytes: new Uint8Array() },
      { path: 'link', bytes: new Uint8Array(), symlink: 'sub/a' },
    ],
  });

  async function elsewhere(files: Files): Promise<void> {
    await files.rename('/data/torrent/sub/a', '/else/x');
    await files.rename('/data/torrent/b', '/else/y');
    await files.remove('/data/torrent/sub');
    await files.remove('/data/torrent/empty');
    await files.remove('/data/torrent');
  }

  async function laidOut(runtime: Runtime, method: ArrangeMethod): Promise<readonly Placement[]> {
    const { metainfo } = torrent;
    const { search } = await hunt(runtime, torrent);
    const what = { metainfo, root: '/data', found: search.found, method };
    const plan = await planArrangement(runtime.files, what);
    const placed: Placement[] = [];
    for await (const each of arrange(runtime.files, plan, { signal })) placed.push(each);
    return placed;
  }

  test.each(['link', 'symlink', 'copy'] as const)(
    '%s: everything is where the torrent wants it',
    async (method) => {
      await inWorld(torrent, elsewhere, async (runtime) => {
        const { files } = runtime;
        const placed = await laidOut(runtime, method);
        const as = method === 'link' ? 'hard-link' : method;
        expect(new Set(placed.map((each) => `${each.as} ${each.target}`))).toEqual(
          new Set([
            `${as} /data/torrent/sub/a`,
            `${as} /data/torrent/b`,
            'empty /data/torrent/empty',
            'torrent-link /data/torrent/link',
          ]),
        );
        const { metainfo } = torrent;
        const result = await verifyContent(runtime, { metainfo, root: '/data', signal });
        expect(result.complete).toBe(true);
        expect((await files.stat('/else/x'))?.size).toBe(3 * BLOCK);
        const kind = (await files.statLink('/data/torrent/b'))?.kind;
        expect(kind).toBe(method === 'symlink' ? 'symlink' : 'file');
        if (method === 'copy') {
          expect((await files.stat('/data/torrent/sub/a'))?.executable).toBe(true);
          expect((await files.stat('/else/x'))?.executable).toBe(false);
        }
        // Once more there is nothing left to do.
        const what = { metainfo, root: '/data', found: new Map<number, string>(), method };
        expect(await planArrangement(files, what)).toEqual([]);
      });
    },
  );

  test('where there are no hard links, a symbolic one does', async () => {
    await inWorld(torrent, elsewhere, async (runtime, host) => {
      host.disk.fail({ operation: 'makeHardLink', path: '/data/torrent/b', error: 'EXDEV' });
      const placed = await laidOut(runtime, 'link');
      const ways = Object.fromEntries(placed.map(({ path, as }) => [path, as]));
      expect(ways).toMatchObject({ 'torrent/sub/a': 'hard-link', 'torrent/b': 'symlink' });
      expect(await runtime.files.readLink('/data/torrent/b')).toBe('/else/y');
    });
  });

  test.each([
    ['/data/torrent/b', async (files: Files) => files.writeFile('/data/torrent/b', noise(5, 5))],
    ['/data/torrent/b', async (files: Files) => files.makeSymlink('/data/torrent/b', '/nowhere')],
    [
      '/data/torrent/sub',
      async (files: Files) => files.writeFile('/data/torrent/sub', noise(5, 5)),
    ],
    ['/data/torrent/sub', async (files: Files) => files.makeSymlink('/data/torrent/sub', '/else')],
    ['/data/torrent/empty', async (files: Files) => files.makeDirectory('/data/torrent/empty')],
  ])('nothing is replaced: %s is in the way, and nothing is made', async (path, obstruct) => {
    await inWorld(
      torrent,
      async (files) => {
        await elsewhere(files);
        await files.makeDirectory('/data/torrent');
        await obstruct(files);
      },
      async (runtime) => {
        const before = await runtime.files.list('/data/torrent');
        await expect(laidOut(runtime, 'link')).rejects.toMatchObject({
          code: 'BIP_EXISTS',
          message: expect.stringContaining(`${path} is in the place of`),
        });
        expect(await runtime.files.list('/data/torrent')).toEqual(before);
      },
    );
  });

  test('a copy that fails leaves no half of a file', async () => {
    await inWorld(torrent, elsewhere, async (runtime, host) => {
      host.disk.fail({ operation: 'write', path: /part$/, error: 'ENOSPC', times: 1 });
      await expect(laidOut(runtime, 'copy')).rejects.toMatchObject({ code: 'BIP_DISK_FULL' });
      const left = await runtime.files.list('/data/torrent');
      expect(left.filter((name) => name.includes('part') || name === 'b')).toEqual([]);
    });
  });

  test('a copy under way ends with a cancellation', async () => {
    await inWorld(torrent, elsewhere, async (runtime) => {
      const { metainfo } = torrent;
      const { search } = await hunt(runtime, torrent);
      const plan = await planArrangement(runtime.files, {
        metainfo,
        root: '/data',
        found: search.found,
        method: 'copy',
      });
      const abort = new AbortController();
      const reason = new Error('stopped');
      const made: string[] = [];
      const copying = async (): Promise<void> => {
        const options = { signal: abort.signal, onProgress: () => abort.abort(reason) };
        for await (const { as } of arrange(runtime.files, plan, options)) made.push(as);
      };
      await expect(copying()).rejects.toBe(reason);
      expect(made.filter((as) => as === 'copy').length).toBeLessThan(2);
    });
  });
});
