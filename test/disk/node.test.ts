/** The storage on the real file system. */

import { readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, stat, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Bitfield } from '../../src/base/bitfield.ts';
import { InfoHash } from '../../src/base/ids.ts';
import { loadResume, removeResume, saveResume, TorrentStorage } from '../../src/disk/index.ts';
import { nodeFiles } from '../../src/runtime/node/files.ts';
import { nodeHashers } from '../../src/runtime/node/hashers.ts';
import { Threads } from '../../src/runtime/node/threads.ts';
import { type FileSpec, makeTorrent, shuffled, type TestTorrent } from './torrents.ts';

const threads = new Threads();
const files = nodeFiles(threads);
const hashers = nodeHashers(threads);
const runtime = { files, hashers };
afterAll(() => threads[Symbol.asyncDispose]());
const { signal } = new AbortController();
const infoHash = new InfoHash(new Uint8Array(20).fill(3));

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'bip-disk-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const SPECS: readonly FileSpec[] = [
  { path: 't/first', length: 100_000 },
  { path: 't/pad', length: 31_072, padding: true },
  { path: 't/empty', length: 0 },
  { path: 't/deep/er/run.sh', length: 77, executable: true },
  ...Array.from({ length: 200 }, (_, at) => ({ path: `t/many/f${at}`, length: at * 13 })),
  { path: 't/big', length: 3_000_000 },
  { path: 't/link', length: 0, symlink: ['t', 'deep', 'er', 'run.sh'] },
];

async function open(torrent: TestTorrent, options: { force?: boolean } = {}) {
  const { layout, hashes } = torrent;
  return TorrentStorage.open(runtime, { root, layout, hashes, ...options });
}

async function download(torrent: TestTorrent, seed: number): Promise<void> {
  await using storage = await open(torrent);
  const order = shuffled(torrent.pieces.length, seed);
  const lane = async (): Promise<void> => {
    for (let piece = order.pop(); piece !== undefined; piece = order.pop()) {
      await storage.write(piece, torrent.pieces[piece] ?? new Uint8Array());
    }
  };
  await Promise.all([lane(), lane(), lane(), lane()]);
  await storage.finish();
}

function expectFiles(torrent: TestTorrent): void {
  for (const [name, bytes] of torrent.contents) {
    expect(Buffer.compare(readFileSync(join(root, name)), bytes)).toBe(0);
  }
  const found = readdirSync(root, { recursive: true, withFileTypes: true });
  expect(found.filter((entry) => entry.isFile())).toHaveLength(torrent.contents.size);
}

describe('on the real file system', () => {
  test('a torrent of many files, written in any order, is what it should be', async () => {
    const torrent = makeTorrent(SPECS, 131_072);
    await download(torrent, 1);
    expectFiles(torrent);
    expect(statSync(join(root, 't/deep/er/run.sh')).mode & 0o111).not.toBe(0);
    expect(statSync(join(root, 't/first')).mode & 0o111).toBe(0);
    expect(readlinkSync(join(root, 't/link'))).toBe('deep/er/run.sh');
    await using storage = await open(torrent);
    expect((await storage.verify({ signal })).isFull).toBe(true);
  });

  test('small pieces over many files', async () => {
    const torrent = makeTorrent(SPECS, 1024);
    await download(torrent, 2);
    expectFiles(torrent);
    await using storage = await open(torrent);
    expect((await storage.verify({ signal })).isFull).toBe(true);
  });

  test('files get their length at once, and take the space of what was written', async () => {
    const torrent = makeTorrent([{ length: 64 * 2 ** 20 }], 2 ** 20);
    await using storage = await open(torrent);
    await storage.write(63, torrent.pieces[63] ?? new Uint8Array());
    const { size, blocks } = await stat(join(root, 'torrent/file 0'));
    expect(size).toBe(64 * 2 ** 20);
    expect(blocks * 512).toBeLessThan(8 * 2 ** 20);
  });

  test('what an earlier run left is trusted as far as times and sizes agree', async () => {
    const torrent = makeTorrent([{ length: 250_000 }, { length: 250_000 }, { length: 9 }], 100_000);
    const have = new Bitfield(6);
    {
      await using storage = await open(torrent);
      for (const piece of [0, 1, 4]) {
        await storage.write(piece, torrent.pieces[piece] ?? new Uint8Array());
        have.add(piece);
      }
      await saveResume(runtime, { root, infoHash, storage, have });
    }
    await using storage = await open(torrent);
    const resume = await loadResume(runtime, { root, infoHash, storage });
    expect([...(resume?.good ?? [])]).toEqual([0, 1, 4]);
    expect([...(resume?.doubtful ?? [])]).toEqual([5]);

    await utimes(join(root, 'torrent/file 1'), 5, 5);
    await using touched = await open(torrent);
    const doubt = await loadResume(runtime, { root, infoHash, storage: touched });
    expect([...(doubt?.good ?? [])]).toEqual([0, 1]);
    expect([...(doubt?.doubtful ?? [])]).toEqual([2, 3, 4, 5]);
    const found = await touched.verify({ signal, ...(doubt && { resume: doubt }) });
    expect([...found]).toEqual([0, 1, 4]);
    await removeResume(runtime, { root, infoHash });
    expect(readdirSync(root)).toEqual(['torrent']);
  });

  test('a folder that is a link to elsewhere is not written through', async () => {
    const torrent = makeTorrent([{ path: 't/a/b', length: 10 }], 10);
    const outside = await mkdtemp(join(tmpdir(), 'bip-outside-'));
    try {
      await mkdir(join(root, 't'));
      await symlink(outside, join(root, 't/a'));
      await expect(open(torrent)).rejects.toMatchObject({ code: 'BIP_EXISTS' });
      await expect(open(torrent, { force: true })).rejects.toMatchObject({ code: 'BIP_EXISTS' });
      expect(readdirSync(outside)).toEqual([]);
    } finally {
      rmSync(outside, { recursive: true });
    }
  });

  test('a link that takes the place of a file during the download is not written through', async () => {
    const torrent = makeTorrent([{ path: 't/a', length: 20 }], 10);
    await writeFile(join(root, 'victim'), 'unharmed');
    await using storage = await open(torrent);
    await mkdir(join(root, 't'));
    await symlink('../victim', join(root, 't/a'));
    await expect(storage.write(0, torrent.pieces[0] ?? new Uint8Array())).rejects.toMatchObject({
      name: 'StorageError',
    });
    expect(readFileSync(join(root, 'victim'), 'utf8')).toBe('unharmed');
  });

  test('files of the wrong size are refused, and made to fit by force', async () => {
    const torrent = makeTorrent([{ path: 'a', length: 1000 }], 100);
    await download(torrent, 3);
    await truncate(join(root, 'a'), 1100);
    await expect(open(torrent)).rejects.toThrow('is 1100 bytes long');
    {
      await using storage = await open(torrent, { force: true });
      expect((await storage.verify({ signal })).isFull).toBe(true);
      await storage.finish();
    }
    expectFiles(torrent);
  });
});
