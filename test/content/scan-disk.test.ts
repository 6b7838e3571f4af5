/** What only a real file system has: FIFOs, names that are not UTF-8, permissions. @module */

import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nodeRuntime } from '../../src/runtime/node/index.ts';
import type { Files } from '../../src/runtime/ports.ts';
import { pathsOf, scan, skippedOf } from './tree.ts';

const IS_ROOT = process.getuid?.() === 0;

async function onDisk(story: (directory: string, files: Files) => Promise<void>): Promise<void> {
  await using runtime = nodeRuntime();
  const directory = await mkdtemp(join(tmpdir(), 'bip-scan-'));
  try {
    await story(directory, runtime.files);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

test('sockets, devices and FIFOs are left out', () =>
  onDisk(async (directory, files) => {
    expect(spawnSync('mkfifo', [join(directory, 'fifo')]).status).toBe(0);
    symlinkSync('/dev/null', join(directory, 'null'));
    writeFileSync(join(directory, 'a'), 'a');
    const found = await scan(files, directory);
    expect(pathsOf(found)).toEqual(['a']);
    expect(skippedOf(found)).toEqual([`special ${directory}/fifo`, `special ${directory}/null`]);
    const alone = scan(files, `${directory}/fifo`);
    await expect(alone).rejects.toMatchObject({ code: 'BIP_SPECIAL_FILE' });
  }));

test('names that are not UTF-8 come and go without loss', () =>
  onDisk(async (directory, files) => {
    const raw = (...bytes: number[]): Buffer =>
      Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(bytes)]);
    mkdirSync(raw(0x61, 0xff));
    writeFileSync(raw(0x61, 0xff, 0x2f, 0xe9), 'abc');
    writeFileSync(raw(0xc3, 0xa9), 'a');
    symlinkSync(Buffer.from([0x61, 0xff, 0x2f, 0xe9]), raw(0x6c));
    const found = await scan(files, directory, { symlinks: 'keep' });
    expect(found.files.map(({ path, symlink }) => symlink ?? path)).toEqual([
      ['a\udcff', '\udce9'],
      ['a\udcff', '\udce9'],
      ['é'],
    ]);
    const followed = await scan(files, directory);
    expect(followed.totalBytes).toBe(7);
    const bytes = await files.readFile(followed.files[0]?.source ?? '', { maxBytes: 10 });
    expect(new TextDecoder().decode(bytes)).toBe('abc');
    expect(await scan(files, `${directory}/a\udcff`)).toMatchObject({ name: 'a\udcff' });
  }));

test('executable files, times and lengths as the system has them', () =>
  onDisk(async (directory, files) => {
    writeFileSync(join(directory, 'run'), '#!/bin/sh', { mode: 0o755 });
    writeFileSync(join(directory, 'text'), 'text', { mode: 0o644 });
    const found = await scan(files, directory);
    expect(found.files).toMatchObject([
      { executable: true, length: 9 },
      { executable: false, length: 4 },
    ]);
    const [run] = found.files;
    expect(run?.modified).toBe((await files.stat(join(directory, 'run')))?.modified);
  }));

test.skipIf(IS_ROOT)('a folder that may not be read is named', () =>
  onDisk(async (directory, files) => {
    const closed = join(directory, 'closed');
    mkdirSync(closed);
    chmodSync(closed, 0o000);
    try {
      await expect(scan(files, directory)).rejects.toThrow(
        `cannot list ${closed}: permission denied`,
      );
    } finally {
      chmodSync(closed, 0o700);
    }
  }),
);

test('circles of links end', () =>
  onDisk(async (directory, files) => {
    mkdirSync(join(directory, 'a/b'), { recursive: true });
    symlinkSync('../..', join(directory, 'a/b/loop'));
    await expect(scan(files, directory)).rejects.toThrow('would never end');
    await expect(scan(files, join(directory, 'a'))).rejects.toThrow('would never end');
    expect(await scan(files, directory, { symlinks: 'skip' })).toMatchObject({ files: [] });
  }));
