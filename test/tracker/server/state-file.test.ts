import { expect, test } from 'vitest';
import { concatBytes } from '../../../src/base/bytes.ts';
import type { SimHost } from '../../../src/runtime/sim/index.ts';
import { readStateFile, writeStateFile } from '../../../src/tracker/server/state-file.ts';
import { makeWorld } from '../../sim/world.ts';

const PATH = '/state';

function inWorld(story: (host: SimHost) => Promise<void>): Promise<void> {
  const world = makeWorld();
  return world.run(story(world.host('10.0.0.1')));
}

async function readBack({ runtime }: SimHost): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = [];
  const found = await readStateFile(runtime.files, PATH, (bytes) => parts.push(bytes.slice()));
  return found ? concatBytes(...parts) : undefined;
}

test('what was written is read, whatever its parts', () =>
  inWorld(async (host) => {
    const parts = [1, 0, 2_500_000, 7].map((length, at) => new Uint8Array(length).fill(at + 1));
    await writeStateFile(host.runtime.files, PATH, parts);
    expect(await readBack(host)).toEqual(concatBytes(...parts));
    await writeStateFile(host.runtime.files, PATH, [Uint8Array.of(9)]);
    expect(await readBack(host)).toEqual(Uint8Array.of(9));
    expect(await host.runtime.files.list('/')).toEqual(['state']);
  }));

test('there may be none yet', () =>
  inWorld(async (host) => {
    expect(await readBack(host)).toBeUndefined();
  }));

test.each(['write', 'sync', 'rename'] as const)('a failing %s leaves the old file', (operation) =>
  inWorld(async (host) => {
    await writeStateFile(host.runtime.files, PATH, [Uint8Array.of(1, 2, 3)]);
    host.disk.fail({ operation, error: 'ENOSPC' });
    const failed = writeStateFile(host.runtime.files, PATH, [new Uint8Array(100)]);
    await expect(failed).rejects.toMatchObject({ code: 'BIP_DISK_FULL' });
    expect(await readBack(host)).toEqual(Uint8Array.of(1, 2, 3));
    expect(await host.runtime.files.list('/')).toEqual(['state']);
  }),
);

test('what breaks off while it is made leaves the old file', () =>
  inWorld(async (host) => {
    await writeStateFile(host.runtime.files, PATH, [Uint8Array.of(1)]);
    const broken = function* (): Generator<Uint8Array> {
      yield Uint8Array.of(2);
      throw new Error('no more');
    };
    await expect(writeStateFile(host.runtime.files, PATH, broken())).rejects.toThrow('no more');
    expect(await readBack(host)).toEqual(Uint8Array.of(1));
  }));
