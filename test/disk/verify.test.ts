import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TorrentStorage } from '../../src/disk/index.ts';
import { failure, MemoryFiles } from './memory-files.ts';
import {
  makeTorrent,
  randomNumbers,
  type TestTorrent,
  testHashers,
  torrentArbitrary,
} from './torrents.ts';

const { signal } = new AbortController();

async function open(files: MemoryFiles, torrent: TestTorrent): Promise<TorrentStorage> {
  const { layout, hashes } = torrent;
  const runtime = { files, hashers: testHashers };
  return TorrentStorage.open(runtime, { root: '/out', layout, hashes });
}

/** All files of a torrent as they should be. */
function complete({ contents }: TestTorrent): MemoryFiles {
  const files = new MemoryFiles();
  for (const [name, bytes] of contents) files.put(`/out/${name}`, bytes);
  return files;
}

describe('verify', () => {
  test('finds exactly the pieces that are right, whatever is damaged or missing', async () => {
    await fc.assert(
      fc.asyncProperty(torrentArbitrary(), fc.integer(), async (torrent, seed) => {
        const files = complete(torrent);
        const next = randomNumbers(seed);
        files.delay = () => next() % 4;
        const { layout, pieces } = torrent;
        const bad = new Set<number>();
        const absent = new Set<number>();
        for (const file of layout.files) {
          const path = `/out/${file.path.join('/')}`;
          const bytes = files.bytesOf(path);
          if (bytes === undefined || file.padding || file.length === 0) continue;
          const touched = Array.from({ length: file.length }, (_, at) =>
            Math.floor((file.offset + at) / layout.pieceLength),
          );
          if (next() % 4 === 0) {
            await files.remove(path);
            for (const piece of touched) absent.add(piece);
          } else if (next() % 3 === 0) {
            const at = next() % file.length;
            bytes[at] = (bytes[at] ?? 0) ^ 0x40;
            bad.add(touched[at] ?? -1);
          }
        }
        const expected = pieces.map((_, at) => at).filter((at) => !bad.has(at) && !absent.has(at));
        const reported = new Map<number, boolean>();
        const progress: number[] = [];
        const storage = await open(files, torrent);
        const good = await storage.verify({
          signal,
          onPiece: (piece, isGood) => void reported.set(piece, isGood),
          onProgress: (done) => void progress.push(done),
        });
        expect([...good]).toEqual(expected);
        expect([...reported.keys()].toSorted((a, b) => a - b)).toEqual(
          pieces.map((_, at) => at).filter((at) => !absent.has(at)),
        );
        for (const [piece, isGood] of reported) expect(isGood).toBe(good.has(piece));
        expect(progress).toEqual(progress.toSorted((a, b) => a - b));
        expect(progress.at(-1)).toBe(pieces.reduce((sum, { length }) => sum + length, 0));
        await storage[Symbol.asyncDispose]();
        expect(files.openHandles).toBe(0);
      }),
      { numRuns: 200 },
    );
  });

  test('reads many small pieces at once, and nothing of files that are missing', async () => {
    const torrent = makeTorrent([{ length: 3000 }, { length: 1000 }], 10);
    const files = complete(torrent);
    await files.remove('/out/torrent/file 1');
    const good = await (await open(files, torrent)).verify({ signal });
    expect(good.count).toBe(300);
    expect(files.log.filter(({ operation }) => operation === 'read')).toHaveLength(1);
    expect(files.log.filter(({ operation }) => operation === 'open')).toHaveLength(1);
  });

  test('pieces longer than a chunk are read one by one', async () => {
    const torrent = makeTorrent([{ length: 5 * 2 ** 20 + 7 }], 2 ** 21);
    const good = await (await open(complete(torrent), torrent)).verify({ signal });
    expect(good.isFull).toBe(true);
  });

  test('an error of reading ends it, once everything under way has ended', async () => {
    const torrent = makeTorrent([{ length: 2 ** 23 }], 2 ** 20);
    const files = complete(torrent);
    const storage = await open(files, torrent);
    let reads = 0;
    files.fault = (operation, path) =>
      operation === 'read' && ++reads === 3 ? failure('BIP_IO', path) : undefined;
    await expect(storage.verify({ signal })).rejects.toMatchObject({ code: 'BIP_IO' });
    expect(reads).toBeLessThan(8);
    files.fault = () => undefined;
    expect((await storage.verify({ signal })).isFull).toBe(true);
  });

  test('stops when it is cancelled', async () => {
    const torrent = makeTorrent([{ length: 2 ** 23 }], 2 ** 20);
    const files = complete(torrent);
    const storage = await open(files, torrent);
    const controller = new AbortController();
    const reason = new Error('enough');
    let seen = 0;
    const verification = storage.verify({
      signal: controller.signal,
      onPiece: () => {
        if (++seen === 2) controller.abort(reason);
      },
    });
    await expect(verification).rejects.toBe(reason);
    expect(seen).toBeLessThan(6);
    await expect(storage.verify({ signal: controller.signal })).rejects.toBe(reason);
    expect(files.log.at(-1)?.operation).not.toBe('open');
  });
});
