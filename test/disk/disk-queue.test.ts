import { describe, expect, test } from 'vitest';
import { DiskQueue, PieceBufferPool } from '../../src/disk/index.ts';
import { failure } from './memory-files.ts';

/** A storage whose every step waits until the test lets it go on. */
function gatedStorage() {
  const running: { readonly step: string; readonly go: PromiseWithResolvers<boolean> }[] = [];
  const wait = async (step: string): Promise<boolean> => {
    const go = Promise.withResolvers<boolean>();
    running.push({ step, go });
    return go.promise;
  };
  return {
    running,
    check: async (piece: number, data: Uint8Array): Promise<boolean> =>
      wait(`check ${piece} ${data.length}`),
    write: async (piece: number, data: Uint8Array): Promise<void> => {
      await wait(`write ${piece} ${data.length}`);
    },
    async settle(answer: (go: PromiseWithResolvers<boolean>) => void): Promise<void> {
      for (const { go } of running.splice(0)) answer(go);
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    },
  };
}

describe('the disk queue', () => {
  test('checks, then writes what is good', async () => {
    const storage = gatedStorage();
    const queue = new DiskQueue(storage);
    const verdict = queue.submit(7, new Uint8Array(8), 5);
    expect(storage.running.map(({ step }) => step)).toEqual(['check 7 5']);
    expect([queue.pendingBytes, queue.pendingPieces]).toEqual([5, 1]);
    await storage.settle((go) => go.resolve(true));
    expect(storage.running.map(({ step }) => step)).toEqual(['write 7 5']);
    await storage.settle((go) => go.resolve(true));
    expect(await verdict).toBe('good');
    expect([queue.pendingBytes, queue.pendingPieces]).toEqual([0, 0]);
  });

  test('never writes what is bad', async () => {
    const storage = gatedStorage();
    const queue = new DiskQueue(storage);
    const verdict = queue.submit(7, new Uint8Array(5), 5);
    await storage.settle((go) => go.resolve(false));
    expect(await verdict).toBe('bad');
    expect(storage.running).toEqual([]);
  });

  test('works on a bounded number of pieces, in their order', async () => {
    const storage = gatedStorage();
    const queue = new DiskQueue(storage, { checks: 2, writes: 1 });
    const seen: string[] = [];
    const verdicts = [1, 2, 3, 4, 5].map(async (piece) =>
      queue.submit(piece, new Uint8Array(1), 1),
    );
    expect(queue.pendingPieces).toBe(5);
    while (storage.running.length > 0) {
      const steps = storage.running.map(({ step }) => step.slice(0, 5));
      expect(steps.filter((step) => step === 'check').length).toBeLessThanOrEqual(2);
      expect(steps.filter((step) => step === 'write').length).toBeLessThanOrEqual(1);
      seen.push(...storage.running.map(({ step }) => step));
      await storage.settle((go) => go.resolve(true));
    }
    expect(await Promise.all(verdicts)).toEqual(Array(5).fill('good'));
    expect(seen.filter((step) => step.startsWith('check'))).toEqual(
      [1, 2, 3, 4, 5].map((piece) => `check ${piece} 1`),
    );
  });

  test('failures free their place: any number of them blocks nothing', async () => {
    const storage = gatedStorage();
    const queue = new DiskQueue(storage, { checks: 2, writes: 2 });
    for (let round = 0; round < 10; round++) {
      const verdict = queue.submit(1, new Uint8Array(1), 1);
      await storage.settle((go) => go.resolve(true));
      await storage.settle((go) => go.reject(failure('BIP_DISK_FULL', '/a')));
      await expect(verdict).rejects.toHaveProperty('code', 'BIP_DISK_FULL');
    }
    expect([queue.pendingBytes, queue.pendingPieces]).toEqual([0, 0]);
    const verdict = queue.submit(1, new Uint8Array(1), 1);
    await storage.settle((go) => go.resolve(true));
    await storage.settle((go) => go.resolve(true));
    expect(await verdict).toBe('good');
  });

  test('idle waits for all, also for those that fail', async () => {
    const storage = gatedStorage();
    const queue = new DiskQueue(storage);
    await queue.idle();
    const verdicts = [1, 2].map(async (piece) => queue.submit(piece, new Uint8Array(1), 1));
    let isIdle = false;
    const idle = queue.idle().then(() => {
      isIdle = true;
    });
    storage.running.shift()?.go.resolve(false);
    await verdicts[0];
    expect(isIdle).toBe(false);
    await storage.settle((go) => go.reject(failure('BIP_IO', '/a')));
    await expect(verdicts[1]).rejects.toThrow('BIP_IO');
    await idle;
  });

  test('refuses a piece that is on its way already', async () => {
    const storage = gatedStorage();
    const queue = new DiskQueue(storage);
    const verdict = queue.submit(1, new Uint8Array(1), 1);
    await expect(queue.submit(1, new Uint8Array(1), 1)).rejects.toThrow('piece 1');
    await storage.settle((go) => go.resolve(false));
    await verdict;
  });
});

describe('the pool of buffers', () => {
  test('gives each buffer to one user, reuses it, and stops at its cap', () => {
    const pool = new PieceBufferPool(1000, { capBytes: 3999 });
    expect(pool.capacity).toBe(3);
    const buffers = [pool.acquire(), pool.acquire(), pool.acquire()];
    expect(new Set(buffers).size).toBe(3);
    expect(buffers.map((buffer) => buffer?.length)).toEqual([1000, 1000, 1000]);
    expect([pool.acquire(), pool.used, pool.available]).toEqual([undefined, 3, 0]);
    const [first = new Uint8Array()] = buffers;
    pool.release(first);
    expect(pool.acquire()).toBe(first);
  });

  test('grants two buffers however long pieces are', () => {
    expect(new PieceBufferPool(2 ** 29).capacity).toBe(2);
  });

  test('takes back only what it gave, and only once', () => {
    const pool = new PieceBufferPool(8);
    const buffer = pool.acquire() ?? new Uint8Array();
    expect(() => pool.release(buffer.subarray(0, 4))).toThrow('not handed out');
    pool.release(buffer);
    expect(() => pool.release(buffer)).toThrow('not handed out');
    expect(pool.used).toBe(0);
  });

  test('forgets idle buffers when told, and never those in use', () => {
    const made: number[] = [];
    const allocate = (length: number): Uint8Array => {
      made.push(length);
      return new Uint8Array(length);
    };
    const pool = new PieceBufferPool(8, { allocate });
    const used = pool.acquire();
    pool.release(pool.acquire() ?? new Uint8Array());
    pool.trim();
    expect(pool.acquire()).not.toBe(used);
    expect(made).toEqual([8, 8, 8]);
  });
});
