import { describe, expect, test } from 'vitest';
import { HandleCache } from '../../src/disk/handle-cache.ts';
import { failure, MemoryFiles } from './memory-files.ts';
import { randomNumbers } from './torrents.ts';

function setUp(limit: number, count = 8): { files: MemoryFiles; cache: HandleCache } {
  const files = new MemoryFiles();
  for (let at = 0; at < count; at++) files.put(`/${at}`, Uint8Array.of(at));
  const cache = new HandleCache(
    async (file, use) => files.open(`/${file}`, use === 'read' ? 'read' : 'write'),
    { limit },
  );
  return { files, cache };
}

async function readByte(cache: HandleCache, file: number): Promise<number> {
  return cache.use(file, 'read', async (handle) => {
    const into = new Uint8Array(1);
    await handle.read(into, 0);
    return into[0] ?? -1;
  });
}

function opens(files: MemoryFiles): string[] {
  return files.log.filter(({ operation }) => operation === 'open').map(({ path }) => path);
}

describe('the handle cache', () => {
  test('opens a file once for many uses, also when they begin together', async () => {
    const { files, cache } = setUp(4);
    expect(await Promise.all([readByte(cache, 1), readByte(cache, 1)])).toEqual([1, 1]);
    expect(await readByte(cache, 1)).toBe(1);
    expect(opens(files)).toEqual(['/1']);
  });

  test('closes the file that was used least recently', async () => {
    const { files, cache } = setUp(2);
    for (const file of [0, 1, 0, 2, 0, 1]) await readByte(cache, file);
    expect(opens(files)).toEqual(['/0', '/1', '/2', '/1']);
    await cache.closeAll();
    expect(files.openHandles).toBe(0);
  });

  test('never closes a file in use, and keeps to its limit as soon as it can', async () => {
    const { files, cache } = setUp(2);
    const gates = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
    const uses = gates.map(async ({ promise }, file) =>
      cache.use(file, 'read', async (handle) => {
        await promise;
        return handle.read(new Uint8Array(1), 0);
      }),
    );
    await Promise.resolve();
    expect(cache.openFiles).toBe(5);
    for (const gate of gates) gate.resolve();
    expect(await Promise.all(uses)).toEqual([1, 1, 1, 1, 1]);
    await readByte(cache, 0);
    expect(files.openHandles).toBeLessThanOrEqual(2);
  });

  test('a file in use stays where others find it, however many are open', async () => {
    const { files, cache } = setUp(1);
    const gate = Promise.withResolvers<void>();
    const use = cache.use(0, 'read', async () => gate.promise);
    await readByte(cache, 1);
    await readByte(cache, 2);
    await readByte(cache, 0);
    gate.resolve();
    await use;
    expect(opens(files)).toEqual(['/0', '/1', '/2']);
  });

  test('a handle for reading makes way for one that writes, which then serves both', async () => {
    const { files, cache } = setUp(4);
    await readByte(cache, 3);
    await cache.use(3, 'write', async (handle) => handle.write(Uint8Array.of(9), 0));
    expect(await readByte(cache, 3)).toBe(9);
    expect(opens(files)).toHaveLength(2);
    await cache.closeAll();
    expect(files.openHandles).toBe(0);
  });

  test('a file that could not be opened is tried again the next time', async () => {
    const { files, cache } = setUp(4);
    files.fault = (operation) => (operation === 'open' ? failure('BIP_ACCESS', '/1') : undefined);
    const both = await Promise.allSettled([readByte(cache, 1), readByte(cache, 1)]);
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    files.fault = () => undefined;
    expect(await readByte(cache, 1)).toBe(1);
    expect(cache.openFiles).toBe(1);
  });

  test('tells once when closing a file failed', async () => {
    const { files, cache } = setUp(4);
    await readByte(cache, 1);
    files.fault = (operation) => (operation === 'close' ? failure('BIP_IO', '/1') : undefined);
    await cache.closeAll();
    expect(() => cache.throwCloseFailure()).toThrow('/1: BIP_IO');
    cache.throwCloseFailure();
  });

  test('any mix of uses in any timing leaves nothing open and breaks no handle', async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const { files, cache } = setUp(1 + (seed % 3));
      const next = randomNumbers(seed);
      files.delay = () => next() % 4;
      files.fault = (operation, path) =>
        operation === 'open' && next() % 10 === 0 ? failure('BIP_IO', path) : undefined;
      const uses = Array.from({ length: 60 }, async () => {
        for (let wait = next() % 30; wait > 0; wait--) await Promise.resolve();
        const file = next() % 8;
        if (next() % 20 === 0) await cache.closeAll();
        if (next() % 2 === 0) return (await readByte(cache, file)) === file;
        return cache.use(file, 'write', async (handle) => {
          await handle.write(Uint8Array.of(file), 0);
          return true;
        });
      });
      for (const result of await Promise.allSettled(uses)) {
        if (result.status === 'fulfilled') expect(result.value).toBe(true);
        else expect(result.reason, `seed ${seed}`).toHaveProperty('code', 'BIP_IO');
      }
      await cache.closeAll();
      expect([files.openHandles, cache.openFiles], `seed ${seed}`).toEqual([0, 0]);
    }
  });
});

describe('disposal of the handle cache', () => {
  test('the end of a scope closes all files', async () => {
    const { files, cache } = setUp(4);
    {
      await using scoped = cache;
      await readByte(scoped, 1);
      expect(files.openHandles).toBe(1);
    }
    expect(files.openHandles).toBe(0);
  });

  test('twice is fine, and nothing can be used afterwards', async () => {
    const { cache } = setUp(4);
    await readByte(cache, 1);
    await cache[Symbol.asyncDispose]();
    await cache[Symbol.asyncDispose]();
    await expect(readByte(cache, 1)).rejects.toThrow('after its storage was disposed');
  });

  test('two at once both wait for what is under way', async () => {
    const { files, cache } = setUp(4);
    const gate = Promise.withResolvers<void>();
    const use = cache.use(1, 'read', async () => gate.promise);
    const open: number[] = [];
    const closings = [1, 2].map(async () => {
      await cache[Symbol.asyncDispose]();
      open.push(files.openHandles);
    });
    gate.resolve();
    await Promise.all([use, ...closings]);
    expect(open).toEqual([0, 0]);
  });

  test('the error of a body survives, and the files are closed', async () => {
    const { files, cache } = setUp(4);
    const body = async (): Promise<void> => {
      await using scoped = cache;
      await readByte(scoped, 1);
      throw new Error('the body failed');
    };
    await expect(body()).rejects.toThrow('the body failed');
    expect(files.openHandles).toBe(0);
  });
});
