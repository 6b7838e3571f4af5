/** Torrents of files in the simulated world: any tree, files that change meanwhile, hashes taken over. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createFromStream, verifyContent } from '../../src/content/index.ts';
import { type Metainfo, parseMetainfo } from '../../src/metainfo/index.ts';
import type { Hashers, Runtime } from '../../src/runtime/ports.ts';
import type { SimHost } from '../../src/runtime/sim/index.ts';
import { makeWorld } from '../sim/world.ts';
import { made, madeOf, scanAll, VERSIONS } from './made.ts';
import { type ContentFile, type ContentSpec, contentTorrent, noise } from './torrents.ts';

const BLOCK = 16_384;
const ROOT = '/data/tree';

/** Tells a story on a host where `files` lie at {@link ROOT}. */
async function told<T>(
  files: readonly ContentFile[],
  story: (host: SimHost) => Promise<T>,
): Promise<T> {
  const world = makeWorld();
  const host = world.host('10.0.0.1');
  const result = await world.run(plant(host.runtime, files).then(() => story(host)));
  world.assertClosed();
  return result;
}

async function plant({ files }: Runtime, content: readonly ContentFile[]): Promise<void> {
  for (const { path, bytes, executable } of content) {
    const whole = path === '' ? ROOT : `${ROOT}/${path}`;
    await files.makeDirectory(whole.slice(0, whole.lastIndexOf('/')));
    await files.writeFile(whole, bytes);
    if (executable === true) await files.makeExecutable(whole);
  }
}

/** Random trees, with lengths at every edge, in the order of their paths. */
const specs: fc.Arbitrary<ContentSpec> = fc
  .record({
    version: fc.constantFrom(...VERSIONS),
    blocks: fc.constantFrom(1, 2, 4, 16),
    align: fc.boolean(),
    paths: fc.uniqueArray(
      fc.tuple(fc.constantFrom('', 'a/', 'a/b/', 'a-/', 'é/'), fc.integer({ min: 0, max: 30 })),
      { minLength: 1, maxLength: 8, selector: ([folder, name]) => `${folder}${name}` },
    ),
    lengths: fc.array(
      fc.oneof(
        fc.constantFrom(0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 4 * BLOCK, 9 * BLOCK + 7),
        fc.integer({ min: 0, max: 5000 }),
      ),
      { minLength: 8, maxLength: 8 },
    ),
    runs: fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
    seed: fc.integer({ min: 0, max: 1 << 30 }),
  })
  .map(({ version, blocks, align, paths, lengths, runs, seed }) => {
    const files = paths.map(([folder, name], at) => ({
      path: `${folder}${name}`,
      bytes: noise(lengths[at] ?? 0, seed + at),
      executable: runs[at] ?? false,
    }));
    const something = { path: 'z', bytes: noise(10, seed), executable: false };
    const sorted = [...files, something].toSorted((a, b) => compareParts(a.path, b.path));
    return { name: 'tree', version, pieceLength: blocks * BLOCK, align, files: sorted };
  });

/** Part by part, by the bytes of UTF-8. */
function compareParts(a: string, b: string): number {
  const [left, right] = [a, b].map((path) => path.split('/'));
  for (const [at, part] of (left ?? []).entries()) {
    const difference = Buffer.compare(Buffer.from(part), Buffer.from(right?.[at] ?? ''));
    if (difference !== 0) return difference;
  }
  return 0;
}

describe('any tree', () => {
  test('becomes the torrent that was worked out apart, and its content is complete', () =>
    fc.assert(
      fc.asyncProperty(specs, async (spec) => {
        const { version, pieceLength = BLOCK, align = false } = spec;
        await told(spec.files, async ({ runtime }) => {
          const { bytes } = await madeOf(runtime, ROOT, { version, pieceLength, align });
          expect(bytes).toEqual(contentTorrent(spec).bytes);
          const metainfo = parseMetainfo(bytes);
          expect(metainfo.warnings).toEqual([]);
          const signal = new AbortController().signal;
          const found = await verifyContent(runtime, { metainfo, root: '/data', signal });
          expect(found).toMatchObject({ complete: true, piecesBad: 0, piecesMissing: 0, bad: [] });
        });
      }),
      { numRuns: 60 },
    ));

  test('becomes the same torrent whatever the order of the file system', () =>
    fc.assert(
      fc.asyncProperty(specs, fc.integer(), async (spec, seed) => {
        const { version, pieceLength = BLOCK } = spec;
        const wish = { version, pieceLength };
        const random = noise(spec.files.length, seed);
        const shuffled = [...spec.files.keys()]
          .toSorted((a, b) => (random[a] ?? 0) - (random[b] ?? 0))
          .flatMap((at) => spec.files[at] ?? []);
        const [bytes, ...others] = await Promise.all(
          [spec.files, spec.files.toReversed(), shuffled].map((files) =>
            told(files, async ({ runtime }) => (await madeOf(runtime, ROOT, wish)).bytes),
          ),
        );
        for (const other of others) expect(other).toEqual(bytes);
      }),
      { numRuns: 30 },
    ));

  test('the order of the simulated file system is that of writing', async () => {
    const files = ['b', 'a'].map((path) => ({ path, bytes: noise(5, 1) }));
    const list = (order: readonly ContentFile[]): Promise<readonly string[]> =>
      told(order, ({ runtime }) => runtime.files.list(ROOT));
    expect(await list(files)).toEqual(['b', 'a']);
    expect(await list(files.toReversed())).toEqual(['a', 'b']);
  });
});

describe('a stream', () => {
  test('has the infohash of the file with its bytes', () =>
    fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...VERSIONS),
        fc.constantFrom(BLOCK, 4 * BLOCK),
        fc.constantFrom(1, 100, BLOCK, BLOCK + 1, 4 * BLOCK, 8 * BLOCK, 9 * BLOCK + 7),
        fc.array(fc.integer({ min: 1, max: 3 * BLOCK }), { minLength: 1, maxLength: 5 }),
        async (version, pieceLength, length, cuts) => {
          const bytes = noise(length, length);
          await told([{ path: '', bytes }], async ({ runtime }) => {
            const ofFile = await madeOf(runtime, ROOT, { version, pieceLength });
            const ofStream = await createFromStream(runtime, {
              name: 'tree',
              content: chunks(bytes, cuts),
              info: { version, pieceLength },
              surroundings: {},
              signal: new AbortController().signal,
            });
            expect(ofStream.bytes).toEqual(ofFile.bytes);
          });
        },
      ),
      { numRuns: 40 },
    ));
});

/** `bytes` in pieces of the given lengths, again and again. */
async function* chunks(bytes: Uint8Array, lengths: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const length = lengths[turn % lengths.length] ?? 1;
    yield bytes.slice(at, at + length);
    at += length;
  }
}

describe('content that changes while it is hashed', () => {
  const files = ['a', 'b', 'c'].map((path, at) => ({ path, bytes: noise(3 * BLOCK, at) }));

  /** Makes the torrent on a slow disk, and does something to `b` so many milliseconds later. */
  const meddled = (
    afterMs: number,
    meddle: (runtime: Runtime) => Promise<void>,
  ): Promise<Uint8Array> =>
    told(files, async (host) => {
      const { runtime, disk } = host;
      const found = await scanAll(runtime.files, ROOT);
      disk.latencyMs = 10;
      const [result] = await Promise.allSettled([
        made(runtime, found, { pieceLength: 2 * BLOCK }),
        host.sleep(afterMs).then(() => meddle(runtime)),
      ]);
      // What was under way when it failed ends.
      await host.sleep(1000);
      if (result.status === 'rejected') throw result.reason;
      return result.value.bytes;
    });

  const meddlers: readonly (readonly [string, (runtime: Runtime) => Promise<void>, RegExp])[] = [
    ['is written', ({ files: disk }) => resized(disk, 3 * BLOCK), /CHANGED/],
    ['shrinks', ({ files: disk }) => resized(disk, BLOCK), /CHANGED|SHORT/],
    ['grows', ({ files: disk }) => resized(disk, 4 * BLOCK), /CHANGED/],
    ['is removed', ({ files: disk }) => disk.remove(`${ROOT}/b`), /NOT_FOUND/],
  ];

  test.each(meddlers)('a file that %s is an error that names it', async (_, meddle, code) => {
    const outcome = meddled(1, meddle);
    await expect(outcome).rejects.toMatchObject({
      code: expect.stringMatching(code),
      message: expect.stringContaining(`${ROOT}/b`),
    });
  });

  test.each(meddlers)('whenever a file %s, the torrent is of the files as found', (_, meddle) =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 250 }), async (afterMs) => {
        const expected = contentTorrent({
          name: 'tree',
          version: 'hybrid',
          pieceLength: 2 * BLOCK,
          files,
        });
        const outcome = await meddled(afterMs, meddle).catch((error: unknown) => error);
        if (outcome instanceof Uint8Array) expect(outcome).toEqual(expected.bytes);
        else expect(outcome).toHaveProperty('message', expect.stringContaining(`${ROOT}/b`));
      }),
      { numRuns: 25 },
    ),
  );

  test('long after, nobody minds', async () => {
    const grow = (runtime: Runtime): Promise<void> => resized(runtime.files, 4 * BLOCK);
    expect(await meddled(500, grow)).toBeInstanceOf(Uint8Array);
  });
});

describe('cancelled at any time', () => {
  test('it rejects with the reason and leaves nothing open', () =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 200 }), async (afterMs) => {
        const files = ['a', 'b', 'c'].map((path, at) => ({ path, bytes: noise(3 * BLOCK, at) }));
        await told(files, async (host) => {
          const { runtime, disk } = host;
          const found = await scanAll(runtime.files, ROOT);
          disk.latencyMs = 10;
          const abort = new AbortController();
          const reason = new Error('enough');
          const [outcome] = await Promise.allSettled([
            made(runtime, found, { signal: abort.signal }),
            host.sleep(afterMs).then(() => abort.abort(reason)),
          ]);
          if (outcome.status === 'rejected') expect(outcome.reason).toBe(reason);
          else expect(afterMs).toBeGreaterThan(60);
          await host.sleep(1000);
        });
      }),
      { numRuns: 30 },
    ));

  test('before it begins', () =>
    told([{ path: 'a', bytes: noise(10, 1) }], async ({ runtime }) => {
      const signal = AbortSignal.abort(new Error('enough'));
      await expect(madeOf(runtime, ROOT, { signal })).rejects.toThrow('enough');
    }));
});

describe('hashes of another torrent', () => {
  const pieces = 100;
  const files = [
    { path: 'a', bytes: noise(60 * BLOCK + 5, 1) },
    { path: 'b', bytes: noise(39 * BLOCK, 2) },
  ];

  test.each(VERSIONS)('are taken for %s, and hardly anything is read', (version) =>
    told(files, async ({ runtime }) => {
      const first = await madeOf(runtime, ROOT, { version });
      const other = parseMetainfo(first.bytes);
      const counter = counting(runtime.hashers);
      const again = await madeOf(counted(runtime, counter), ROOT, { version, reuse: [other] });
      expect(again.reused).toBe(other);
      expect(again.bytes).toEqual(first.bytes);
      expect(counter.bytes).toBeGreaterThan(0);
      expect(counter.bytes).toBeLessThan((pieces * BLOCK) / 2);
    }),
  );

  test.each(['v1', 'v2'] as const)('of a hybrid are taken for %s where they fit', (version) =>
    told([{ path: '', bytes: noise(5 * BLOCK + 1, 1) }], async ({ runtime }) => {
      const hybrid = parseMetainfo((await madeOf(runtime, ROOT)).bytes);
      const alone = await madeOf(runtime, ROOT, { version });
      const { reused, bytes } = await madeOf(runtime, ROOT, { version, reuse: [hybrid] });
      expect(reused).toBe(hybrid);
      expect(bytes).toEqual(alone.bytes);
    }),
  );

  test('also under another name, after others that do not fit', () =>
    told(files, async ({ runtime }) => {
      const { bytes } = await madeOf(runtime, ROOT);
      const renamed = parseMetainfo(
        contentTorrent({ name: 'other', version: 'hybrid', files }).bytes,
      );
      const wrong = parseMetainfo(
        contentTorrent({ version: 'hybrid', files: files.slice(1) }).bytes,
      );
      const again = await madeOf(runtime, ROOT, { reuse: [wrong, renamed] });
      expect(again.reused).toBe(renamed);
      expect(again.bytes).toEqual(bytes);
    }));

  const [a, b] = files;
  const misfits: readonly (readonly [string, Partial<ContentSpec>])[] = [
    ['another piece length', { pieceLength: 2 * BLOCK }],
    ['a version that lacks hashes', { version: 'v1' }],
    ['a file less', { files: files.slice(0, 1) }],
    ['a file more', { files: [...files, { path: 'c', bytes: noise(1, 1) }] }],
    ['another path', { files: [{ ...a, path: 'A', bytes: noise(60 * BLOCK + 5, 1) }, ...rest(b)] }],
    ['another length', { files: [...rest(a), { path: 'b', bytes: noise(39 * BLOCK - 1, 2) }] }],
    ['other content', { files: [...rest(a), { path: 'b', bytes: noise(39 * BLOCK, 3) }] }],
  ];

  test.each(misfits)('are not taken from a torrent with %s', (_, spec) =>
    told(files, async ({ runtime }) => {
      const other = torrentOf({ version: 'hybrid', files, ...spec });
      const fresh = await madeOf(runtime, ROOT);
      const { reused, bytes } = await madeOf(runtime, ROOT, { reuse: [other] });
      expect(reused).toBeUndefined();
      expect(bytes).toEqual(fresh.bytes);
    }),
  );

  test('are not taken when any byte of little content is another one', () =>
    fc.assert(
      fc.asyncProperty(fc.constantFrom(...VERSIONS), fc.nat(), async (version, where) => {
        const few = [
          { path: 'a', bytes: noise(9 * BLOCK + 5, 1) },
          { path: 'b', bytes: noise(7 * BLOCK, 2) },
        ];
        const other = torrentOf({ version, files: few });
        const at = where % other.length;
        const flipped = few.map(({ path, bytes }, index) => {
          const place = index === 0 ? at : at - (few[0]?.bytes.length ?? 0);
          return { path, bytes: bytes.map((byte, i) => (i === place ? byte ^ 1 : byte)) };
        });
        await told(flipped, async ({ runtime }) => {
          const { reused, bytes } = await madeOf(runtime, ROOT, { version, reuse: [other] });
          expect(reused).toBeUndefined();
          expect(bytes).toEqual(contentTorrent({ name: 'tree', version, files: flipped }).bytes);
        });
      }),
      { numRuns: 30 },
    ));
});

function torrentOf(spec: ContentSpec): Metainfo {
  return parseMetainfo(contentTorrent({ name: 'tree', ...spec }).bytes);
}

function rest(file: ContentFile | undefined): readonly ContentFile[] {
  return file === undefined ? [] : [file];
}

/** Hashers that count the bytes of files that they are given. */
interface Counter extends Hashers {
  bytes: number;
}

function counting(hashers: Hashers): Counter {
  const counter: Counter = {
    bytes: 0,
    openFileHashers: (options) => {
      const inner = hashers.openFileHashers(options);
      return {
        lanes: inner.lanes,
        runBytes: inner.runBytes,
        hash: (run) => {
          counter.bytes += run.parts
            .filter(({ path }) => path !== undefined)
            .reduce((sum, { length }) => sum + length, 0);
          return inner.hash(run);
        },
        [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
      };
    },
    allocate: (length) => hashers.allocate(length),
    copy: (target, at, source) => hashers.copy(target, at, source),
    digest: (algorithm, parts) => hashers.digest(algorithm, parts),
    digestSync: (algorithm, parts) => hashers.digestSync(algorithm, parts),
  };
  return counter;
}

function counted({ files }: Runtime, hashers: Hashers): Pick<Runtime, 'files' | 'hashers'> {
  return { files, hashers };
}

async function resized(files: Runtime['files'], size: number): Promise<void> {
  await using handle = await files.open(`${ROOT}/b`, 'write');
  await handle.write(Uint8Array.of(1, 2, 3), 0);
  await handle.resize(size);
}
