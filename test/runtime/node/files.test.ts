import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { nodeRuntime } from '../../../src/runtime/node/index.ts';

const { files } = nodeRuntime();
const directory = mkdtempSync(join(tmpdir(), 'bip-files-'));
const at = (name: string): string => join(directory, name);

afterAll(() => rmSync(directory, { recursive: true, force: true }));

test.skipIf(process.platform !== 'linux')('a full device is a full disk', async () => {
  const words = { name: 'StorageError', code: 'BIP_DISK_FULL', message: expect.any(String) };
  await expect(files.writeFile('/dev/full', new Uint8Array(10))).rejects.toMatchObject(words);
  // And it is still a device.
  expect(statSync('/dev/full').isCharacterDevice()).toBe(true);
  await files.writeFile('/dev/null', new Uint8Array(10));
  expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
});

test.skipIf(process.getuid?.() === 0)('what is forbidden is told so', async () => {
  writeFileSync(at('secret'), 'x');
  chmodSync(at('secret'), 0);
  await expect(files.open(at('secret'), 'read')).rejects.toMatchObject({ code: 'BIP_ACCESS' });
});

test('a file that is replaced keeps its permissions', async () => {
  writeFileSync(at('private'), 'old');
  chmodSync(at('private'), 0o600);
  await files.writeFile(at('private'), new Uint8Array(3));
  expect(statSync(at('private')).mode & 0o777).toBe(0o600);
});

test('a secret is for its owner alone', async () => {
  await files.writeSecret(at('key'), new Uint8Array(32));
  expect(statSync(at('key')).mode & 0o777).toBe(0o600);
});

test('who may read an executable may run it', async () => {
  for (const [before, after] of [
    [0o644, 0o755],
    [0o600, 0o700],
    [0o640, 0o750],
  ] as const) {
    writeFileSync(at('program'), '');
    chmodSync(at('program'), before);
    await files.makeExecutable(at('program'));
    expect(statSync(at('program')).mode & 0o777).toBe(after);
  }
});

test.skipIf(process.platform === 'win32')(
  'a FIFO in the place of a file blocks nobody',
  async () => {
    execFileSync('mkfifo', [at('fifo')]);
    expect(await files.stat(at('fifo'))).toMatchObject({ kind: 'other' });
    await using handle = await files.open(at('fifo'), 'read');
    await expect(handle.read(new Uint8Array(1), 0)).rejects.toMatchObject({ code: 'BIP_IO' });
  },
);

test.skipIf(process.platform !== 'linux')(
  'what does not tell its size is read to the limit',
  async () => {
    const bytes = await files.readFile('/proc/self/status', { maxBytes: 1_000_000 });
    expect(new TextDecoder().decode(bytes)).toMatch(/^Name:/);
    await expect(files.readFile('/proc/self/status', { maxBytes: 20 })).rejects.toMatchObject({
      code: 'BIP_TOO_LARGE',
    });
    await expect(files.readFile('/dev/zero', { maxBytes: 100_000 })).rejects.toMatchObject({
      code: 'BIP_TOO_LARGE',
    });
  },
);

test('a write that is refused leaves no temporary file', async () => {
  const before = await files.list(directory);
  await expect(files.writeFile(at('x'.repeat(300)), new Uint8Array(1))).rejects.toMatchObject({
    code: 'BIP_IO',
    message: expect.stringContaining('too long'),
  });
  expect(await files.list(directory)).toEqual(before);
});

test.skipIf(process.platform !== 'linux')('below what takes no folders none are made', async () => {
  const making = files.makeDirectory('/proc/bip-test/below');
  await expect(making).rejects.toMatchObject({ name: 'StorageError' });
});
