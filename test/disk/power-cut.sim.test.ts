import { hash } from 'node:crypto';
/** The storage in the simulated world: slow disks, power cuts, full and broken disks. */

import { describe, expect, test } from 'vitest';
import { Bitfield } from '../../src/base/bitfield.ts';
import { InfoHash } from '../../src/base/ids.ts';
import { DiskQueue, loadResume, saveResume, TorrentStorage } from '../../src/disk/index.ts';
import type { Runtime } from '../../src/runtime/ports.ts';
import { type SimHost, World } from '../../src/runtime/sim/index.ts';
import { makeTorrent, randomNumbers, shuffled, type TestTorrent } from './torrents.ts';

const { signal } = new AbortController();
const place = { root: '/out', infoHash: new InfoHash(new Uint8Array(20).fill(7)) };

function makeWorld(seed: number): { world: World; host: SimHost } {
  const world = new World({
    seed,
    settle: async () => new Promise((resolve) => void setImmediate(resolve)),
    digest: (algorithm, bytes) => Uint8Array.from(hash(algorithm, bytes, 'buffer')),
  });
  const host = world.host('10.0.0.1');
  host.disk.latencyMs = 3;
  host.disk.bytesPerSecond = 20_000_000;
  return { world, host };
}

async function open(runtime: Runtime, { layout, hashes }: TestTorrent): Promise<TorrentStorage> {
  return TorrentStorage.open(runtime, { root: '/out', layout, hashes });
}

async function sleep({ clock }: Runtime, milliseconds: number): Promise<void> {
  await new Promise<void>((resolve) => void clock.schedule(clock.now() + milliseconds, resolve));
}

const TORRENT = makeTorrent(
  [
    { length: 90_000 },
    { length: 0 },
    { length: 14 },
    { length: 9_986, padding: true },
    ...[60_000, 45_000, 5_000, 70_000, 30_000, 40_000].map((length) => ({ length })),
  ],
  20_000,
);

/** Downloads in random order, and saves its state again and again; never ends by itself. */
async function downloadAndSave(
  runtime: Runtime,
  seed: number,
  saved: (have: readonly number[]) => void,
): Promise<void> {
  const next = randomNumbers(seed);
  const storage = await open(runtime, TORRENT);
  const queue = new DiskQueue(storage, { checks: 3, writes: 3 });
  const have = new Bitfield(TORRENT.pieces.length);
  const order = shuffled(TORRENT.pieces.length, seed);
  const lane = async (): Promise<void> => {
    for (let piece = order.pop(); piece !== undefined; piece = order.pop()) {
      const data = TORRENT.pieces[piece] ?? new Uint8Array();
      if ((await queue.submit(piece, data, data.length)) === 'good') have.add(piece);
      await sleep(runtime, next() % 120);
    }
  };
  const saving = async (): Promise<void> => {
    for (;;) {
      await sleep(runtime, next() % 40);
      const then = [...have];
      await saveResume(runtime, { ...place, storage, have });
      saved(then);
    }
  };
  await Promise.all([lane(), lane(), lane(), lane(), saving()]);
}

describe('in the simulated world', () => {
  test.each(Array.from({ length: 60 }, (_, at) => at + 1))(
    'a power cut makes no wrong piece trusted and loses no saved one (seed %i)',
    async (seed) => {
      const { world, host } = makeWorld(seed);
      let saved: readonly number[] = [];
      const running = downloadAndSave(host.runtime, seed, (have) => {
        saved = have;
      });
      running.catch(() => undefined);
      await world.run(sleep(host.runtime, 5 + ((seed * 37) % 400)));
      host.crash();

      const { runtime } = host;
      const storage = await world.run(open(runtime, TORRENT));
      const resume = await world.run(loadResume(runtime, { ...place, storage }));
      const trusting = await world.run(storage.verify({ signal, ...(resume && { resume }) }));
      const hashing = await world.run(storage.verify({ signal }));
      for (const piece of trusting) expect(hashing.has(piece)).toBe(true);
      for (const piece of saved) expect(trusting.has(piece)).toBe(true);

      for (const [piece, data] of TORRENT.pieces.entries()) {
        if (!trusting.has(piece)) await world.run(storage.write(piece, data));
      }
      await world.run(storage.finish());
      expect((await world.run(storage.verify({ signal }))).isFull).toBe(true);
      await world.run(storage[Symbol.asyncDispose]());
      expect(host.open).toEqual([]);
    },
  );

  test('the power cuts meet saved states and lost data', async () => {
    let trusted = 0;
    let mixed = 0;
    let lost = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const { world, host } = makeWorld(seed);
      downloadAndSave(host.runtime, seed, () => undefined).catch(() => undefined);
      await world.run(sleep(host.runtime, 5 + ((seed * 37) % 400)));
      const before = host.disk.used;
      host.crash();
      if (host.disk.used < before) lost++;
      const storage = await world.run(open(host.runtime, TORRENT));
      const resume = await world.run(loadResume(host.runtime, { ...place, storage }));
      if (resume === undefined || resume.good.isEmpty) continue;
      trusted++;
      if (!resume.doubtful.isEmpty) mixed++;
    }
    expect(trusted).toBeGreaterThan(15);
    expect(mixed).toBeGreaterThan(10);
    expect(lost).toBeGreaterThan(15);
  });

  test('a full disk refuses pieces until there is space, and keeps all others', async () => {
    const { world, host } = makeWorld(1);
    const { runtime, disk } = host;
    disk.capacity = 120_000;
    const storage = await world.run(open(runtime, TORRENT));
    const queue = new DiskQueue(storage);
    const left = new Set(TORRENT.pieces.keys());
    const round = async (): Promise<void> => {
      await Promise.allSettled(
        [...left].map(async (piece) => {
          const data = TORRENT.pieces[piece] ?? new Uint8Array();
          await queue.submit(piece, data, data.length);
          left.delete(piece);
        }),
      );
    };
    for (let again = 0; again < 5; again++) await world.run(round());
    expect(left.size).toBeGreaterThan(5);
    expect(left.size).toBeLessThan(TORRENT.pieces.length);
    const kept = await world.run(storage.verify({ signal }));
    for (const piece of TORRENT.pieces.keys()) {
      if (!left.has(piece)) expect(kept.has(piece)).toBe(true);
    }
    expect([queue.pendingBytes, queue.pendingPieces]).toEqual([0, 0]);
    disk.capacity = Number.POSITIVE_INFINITY;
    await world.run(round());
    expect(left.size).toBe(0);
    await world.run(storage.finish());
    expect((await world.run(storage.verify({ signal }))).isFull).toBe(true);
    await world.run(storage[Symbol.asyncDispose]());
    expect(host.open).toEqual([]);
  });

  test('a broken sector is told with the file, and the rest can still be read', async () => {
    const { world, host } = makeWorld(1);
    const storage = await world.run(open(host.runtime, TORRENT));
    for (const [piece, data] of TORRENT.pieces.entries())
      await world.run(storage.write(piece, data));
    const repair = host.disk.fail({
      operation: 'read',
      path: /file 4/,
      offset: 20_000,
      error: 'EIO',
    });
    await expect(world.run(storage.verify({ signal }))).rejects.toThrow('/out/torrent/file 4');
    const into = new Uint8Array(20_000);
    await expect(world.run(storage.read(6, 0, into))).rejects.toMatchObject({ code: 'BIP_IO' });
    await world.run(storage.read(7, 0, into));
    expect(into).toEqual(TORRENT.pieces[7]);
    repair();
    expect((await world.run(storage.verify({ signal }))).isFull).toBe(true);
    await world.run(storage[Symbol.asyncDispose]());
    expect(host.open).toEqual([]);
  });

  test('reading ahead keeps a slow disk busy', async () => {
    const torrent = makeTorrent([{ length: 40 * 2 ** 20 }], 2 ** 20);
    const { world, host } = makeWorld(1);
    host.disk.bytesPerSecond = Number.POSITIVE_INFINITY;
    const storage = await world.run(open(host.runtime, torrent));
    for (const [piece, data] of torrent.pieces.entries())
      await world.run(storage.write(piece, data));
    const began = world.now;
    await world.run(storage.verify({ signal }));
    // 40 reads of 3 ms each, three at once.
    expect(world.now - began).toBeLessThan(50);
    await world.run(storage[Symbol.asyncDispose]());
  });

  test('two runs with one seed are the same', async () => {
    const run = async (): Promise<string> => {
      const { world, host } = makeWorld(11);
      downloadAndSave(host.runtime, 11, () => undefined).catch(() => undefined);
      await world.run(sleep(host.runtime, 300));
      return world.trace.hash;
    };
    expect(await run()).toBe(await run());
  });
});
