import { expect, test } from 'vitest';
import type { FileHandle } from '../../../src/runtime/ports.ts';
import type { SimHost, World } from '../../../src/runtime/sim/index.ts';
import { makeWorld } from '../../sim/world.ts';
import { pattern } from '../recorder.ts';

const KIB = 1024;

interface Machine {
  readonly world: World;
  readonly host: SimHost;
}

function machine(): Machine {
  const world = makeWorld();
  return { world, host: world.host('10.0.0.1') };
}

async function created(host: SimHost, path = '/a'): Promise<FileHandle> {
  return host.runtime.files.open(path, 'create');
}

test('a full disk takes what fits and refuses the rest', async () => {
  const { world, host } = machine();
  host.disk.capacity = 64 * KIB;
  const run = async (): Promise<void> => {
    await using handle = await created(host);
    await handle.write(pattern(60 * KIB), 0);
    await expect(handle.write(pattern(10 * KIB), 60 * KIB)).rejects.toMatchObject({
      name: 'StorageError',
      code: 'BIP_DISK_FULL',
      message: 'cannot write /a: the disk is full',
    });
    expect((await handle.stat()).size).toBe(64 * KIB);
    // What is there already can be written again.
    await handle.write(pattern(KIB), 0);
    // Holes take no room.
    await handle.resize(1024 * KIB);
    await expect(handle.write(pattern(1), 1000 * KIB)).rejects.toThrow('full');
    await handle.resize(0);
    await handle.write(pattern(64 * KIB), 0);
    expect(host.disk.used).toBe(64 * KIB);
  };
  await world.run(run());
});

test('faults hit the operation, path and byte asked for, as often as asked', async () => {
  const { world, host } = machine();
  const run = async (): Promise<void> => {
    const { files } = host.runtime;
    await files.writeFile('/a', pattern(100_000));
    await using handle = await files.open('/a', 'write');
    const heal = host.disk.fail({ operation: 'read', path: '/a', offset: 50_000, error: 'EIO' });
    const into = new Uint8Array(1000);
    expect(await handle.read(into, 49_000)).toBe(1000);
    expect(await handle.read(into, 50_001)).toBe(1000);
    await expect(handle.read(into, 49_001)).rejects.toMatchObject({
      code: 'BIP_IO',
      message: 'cannot read /a: the disk reports an error',
    });
    heal();
    expect(await handle.read(into, 49_500)).toBe(1000);
    host.disk.fail({ operation: 'write', path: /^\/[ab]$/, error: 'EDQUOT', times: 2 });
    for (let time = 0; time < 2; time++) {
      await expect(handle.write(into, 0)).rejects.toMatchObject({ code: 'BIP_DISK_FULL' });
    }
    await handle.write(into, 0);
    host.disk.fail({ error: 'EACCES', path: '/b' });
    await expect(files.open('/b', 'create')).rejects.toMatchObject({ code: 'BIP_ACCESS' });
    await expect(files.stat('/b')).rejects.toMatchObject({ code: 'BIP_ACCESS' });
  };
  await world.run(run());
});

test('a read-only disk can be read', async () => {
  const { world, host } = machine();
  const run = async (): Promise<void> => {
    const { files } = host.runtime;
    await files.writeFile('/a', pattern(10));
    host.disk.readOnly = true;
    expect(await files.readFile('/a', { maxBytes: 10 })).toEqual(pattern(10));
    for (const refused of [
      files.open('/b', 'create'),
      files.open('/a', 'write'),
      files.makeDirectory('/d'),
      files.rename('/a', '/b'),
      files.remove('/a'),
      files.writeFile('/a', pattern(1)),
    ]) {
      await expect(refused).rejects.toMatchObject({ code: 'BIP_ACCESS' });
    }
  };
  await world.run(run());
});

test('a slow disk takes its time, one after the other', async () => {
  const { world, host } = machine();
  host.disk.latencyMs = 10;
  host.disk.bytesPerSecond = 1_000_000;
  const run = async (): Promise<void> => {
    await using handle = await created(host);
    expect(world.now).toBe(10);
    await Promise.all([handle.write(pattern(100_000), 0), handle.write(pattern(100_000), 100_000)]);
    expect(world.now).toBe(10 + 200 + 10);
  };
  await world.run(run());
});

test('a power cut loses what was not synced, and nothing else', async () => {
  const { world, host } = machine();
  const before = async (): Promise<void> => {
    const { files } = host.runtime;
    const handle = await created(host);
    await handle.write(pattern(10_000), 0);
    await handle.sync();
    await handle.write(pattern(10_000, 1), 5000);
    await files.writeFile('/whole', pattern(5000, 2));
    const unsynced = await created(host, '/unsynced');
    await unsynced.write(pattern(100), 0);
  };
  await world.run(before());
  host.crash();
  world.assertClosed();
  const after = async (): Promise<void> => {
    const { files } = host.runtime;
    const read = (path: string): Promise<Uint8Array> => files.readFile(path, { maxBytes: 20_000 });
    expect(await read('/a')).toEqual(pattern(10_000));
    expect(await read('/whole')).toEqual(pattern(5000, 2));
    expect((await read('/unsynced')).length).toBe(0);
  };
  await world.run(after());
});

test('what was under way in a crash never happens', async () => {
  const { world, host } = machine();
  host.disk.latencyMs = 50;
  const handle = await world.run(created(host));
  let settled = false;
  const end = (): void => {
    settled = true;
  };
  handle.write(pattern(100), 0).then(end, end);
  await world.runFor(10);
  host.crash();
  await world.runToRest();
  expect(settled).toBe(false);
  expect((await world.run(host.runtime.files.stat('/a')))?.size).toBe(0);
});

test('a snapshot brings the disk back', async () => {
  const { world, host } = machine();
  const run = async (): Promise<void> => {
    const { files } = host.runtime;
    await files.writeFile('/a', pattern(5000));
    const snapshot = host.disk.snapshot();
    await files.writeFile('/a', pattern(10));
    await files.remove('/a');
    await files.makeDirectory('/b');
    host.disk.restore(snapshot);
    expect(await files.list('/')).toEqual(['a']);
    expect(await files.readFile('/a', { maxBytes: 5000 })).toEqual(pattern(5000));
    host.disk.restore(snapshot);
    expect(await files.list('/')).toEqual(['a']);
  };
  await world.run(run());
});

test('bytes are taken when the write is done: who changes them before is found out', async () => {
  const { world, host } = machine();
  host.disk.latencyMs = 1;
  const run = async (): Promise<void> => {
    await using handle = await created(host);
    const bytes = pattern(100);
    const written = handle.write(bytes, 0);
    bytes.fill(0);
    await written;
    const seen = new Uint8Array(100);
    await handle.read(seen, 0);
    expect(seen).toEqual(new Uint8Array(100));
  };
  await world.run(run());
});
