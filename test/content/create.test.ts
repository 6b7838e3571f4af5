/** Torrents of files on a real disk, hashed by real threads. */

import { chmodSync, readdirSync, readlinkSync, symlinkSync, utimesSync } from 'node:fs';
import { mkdir, mkdtemp, rm, truncate, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { verifyContent } from '../../src/content/index.ts';
import { parseMetainfo } from '../../src/metainfo/index.ts';
import { nodeRuntime } from '../../src/runtime/node/index.ts';
import type { ReadOrder, Runtime } from '../../src/runtime/ports.ts';
import { made, madeOf, scanAll, VERSIONS } from './made.ts';
import { type ContentFile, contentTorrent, noise } from './torrents.ts';

const BLOCK = 16_384;
const MiB = 1024 * 1024;

/** Tells a story about `files`, which lie in a folder of its own. */
async function onDisk<T>(
  files: readonly ContentFile[],
  story: (root: string, runtime: Runtime) => Promise<T>,
): Promise<T> {
  await using runtime = nodeRuntime();
  const directory = await mkdtemp(join(tmpdir(), 'bip-create-'));
  try {
    const root = join(directory, 'tree');
    for (const { path, bytes, executable } of files) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), bytes);
      if (executable === true) chmodSync(join(root, path), 0o755);
    }
    return await story(root, runtime);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Some runs of several megabytes, so that all threads have work. */
const LARGE: readonly ContentFile[] = [
  { path: 'a', bytes: noise(9 * MiB + 1, 1) },
  { path: 'b/c', bytes: noise(5 * MiB, 2), executable: true },
  { path: 'b/d', bytes: noise(3, 3) },
  { path: 'z', bytes: noise(6 * MiB + 12_345, 4) },
];

describe('any tree', () => {
  const file = fc.record({
    folder: fc.constantFrom('', 'a/', 'a/b/', 'e\u0301/', '🎵/'),
    length: fc.oneof(
      fc.constantFrom(0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 9 * BLOCK + 7),
      fc.integer({ min: 0, max: 5000 }),
    ),
    executable: fc.boolean(),
  });

  test('is made, read and found complete', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(file, { minLength: 1, maxLength: 8 }),
        fc.constantFrom(...VERSIONS),
        fc.constantFrom(1, 2, 4, 64),
        fc.boolean(),
        async (drafts, version, blocks, align) => {
          const files = [
            ...drafts.map(({ folder, length, executable }, at) => ({
              path: `${folder}file ${at}`,
              bytes: noise(length, at + length),
              executable,
            })),
            { path: 'some', bytes: noise(10, 1), executable: false },
          ];
          await onDisk(files, async (root, runtime) => {
            const wish = { version, pieceLength: blocks * BLOCK, align };
            const { bytes } = await madeOf(runtime, root, wish);
            const metainfo = parseMetainfo(bytes);
            expect(metainfo).toMatchObject({ name: 'tree', version, warnings: [] });
            const described = metainfo.files
              .filter(({ padding }) => !padding)
              .map(
                ({ path, length, executable }) => [path.join('/'), { length, executable }] as const,
              );
            const expected = files.map(
              ({ path, bytes: { length }, executable }) =>
                [`tree/${path}`, { length, executable }] as const,
            );
            expect(new Map(described)).toEqual(new Map(expected));
            const signal = new AbortController().signal;
            const found = await verifyContent(runtime, { metainfo, root: dirname(root), signal });
            expect(found).toMatchObject({ complete: true, bad: [], piecesMissing: 0 });
          });
        },
      ),
      { numRuns: 20 },
    ));
});

test.each(VERSIONS)('%s: threads and the order of reading change nothing', (version) =>
  onDisk(LARGE, async (root, runtime) => {
    const pieceLength = 4 * BLOCK;
    const expected = contentTorrent({ name: 'tree', version, pieceLength, files: LARGE });
    const orders: readonly ReadOrder[] = ['auto', 'sequential', 'parallel'];
    for (const threads of [1, 2, 5]) {
      for (const order of orders) {
        const { bytes } = await madeOf(runtime, root, { version, pieceLength, threads, order });
        expect(bytes).toEqual(expected.bytes);
      }
    }
  }),
);

test('links stay links, and lead to the same places', () =>
  onDisk(LARGE, async (root, runtime) => {
    symlinkSync('b/c', join(root, 'link'));
    symlinkSync('../a', join(root, 'b/up'));
    symlinkSync('b', join(root, 'to folder'));
    const { bytes } = await madeOf(runtime, root);
    const links = parseMetainfo(bytes).files.flatMap(({ path, symlink }) =>
      symlink === undefined ? [] : [[path.join('/'), symlink.join('/')]],
    );
    expect(links).toEqual([
      ['tree/b/up', 'tree/a'],
      ['tree/link', 'tree/b/c'],
      ['tree/to folder', 'tree/b'],
    ]);
  }));

test('progress goes up to the end', () =>
  onDisk(LARGE, async (root, runtime) => {
    const seen: number[] = [];
    const found = await scanAll(runtime.files, root);
    await made(runtime, found, { onProgress: (done, total) => void seen.push(done / total) });
    expect(seen[0]).toBe(0);
    expect(seen.at(-1)).toBe(1);
    expect(seen.length).toBeGreaterThan(3);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  }));

describe('a file that is another one when it is hashed', () => {
  const changes: readonly (readonly [string, (path: string) => Promise<void>, RegExp])[] = [
    ['touched', async (path) => utimesSync(path, 1, 1), /CHANGED/],
    ['shorter', (path) => truncate(path, 5 * MiB), /CHANGED|SHORT/],
    ['longer', (path) => truncate(path, 7 * MiB), /CHANGED/],
    ['gone', (path) => unlink(path), /NOT_FOUND/],
  ];

  test.each(changes)('%s: is named', (_, change, code) =>
    onDisk(LARGE, async (root, runtime) => {
      const found = await scanAll(runtime.files, root);
      await change(join(root, 'z'));
      await expect(made(runtime, found)).rejects.toMatchObject({
        code: expect.stringMatching(code),
        message: expect.stringContaining(join(root, 'z')),
      });
      expect(openBelow(root)).toEqual([]);
    }),
  );

  test('in the middle: is named', () =>
    onDisk(LARGE, async (root, runtime) => {
      const found = await scanAll(runtime.files, root);
      let changed = false;
      // The first run was hashed, and the last file is in none that was begun.
      const onProgress = (done: number): void => {
        if (done === 0 || changed) return;
        changed = true;
        utimesSync(join(root, 'z'), 1, 1);
      };
      const result = made(runtime, found, { threads: 1, order: 'sequential', onProgress });
      await expect(result).rejects.toMatchObject({
        code: 'BIP_FILE_CHANGED',
        message: expect.stringContaining(join(root, 'z')),
      });
      expect(changed).toBe(true);
    }));
});

test.each([1, 4])('cancelled in the middle, %i threads leave nothing open', (threads) =>
  onDisk(LARGE, async (root, runtime) => {
    const abort = new AbortController();
    const onProgress = (done: number): void => {
      if (done > 0) abort.abort(new Error('enough'));
    };
    const result = madeOf(runtime, root, { signal: abort.signal, threads, onProgress });
    await expect(result).rejects.toThrow('enough');
    expect(openBelow(root)).toEqual([]);
  }),
);

/** Files below `root` that this process has open, where the system can tell. */
function openBelow(root: string): readonly string[] {
  try {
    return readdirSync('/proc/self/fd').flatMap((fd) => {
      try {
        const path = readlinkSync(`/proc/self/fd/${fd}`);
        return path.startsWith(root) ? [path] : [];
      } catch {
        // That of the listing itself.
        return [];
      }
    });
  } catch {
    return [];
  }
}
