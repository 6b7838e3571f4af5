/** The built program as a process: what only a real process can show. @module */

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { buildBip } from '../../scripts/build.ts';

let directory = '';

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'bip-built-'));
  await buildBip(join(directory, 'dist'));
}, 60_000);

afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(...argv: readonly string[]): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [join(directory, 'dist', 'bip.mjs'), ...argv], {
    env: { PATH: process.env['PATH'] },
  });
}

async function ended(child: ChildProcessWithoutNullStreams): Promise<Ended> {
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].on('data', (bytes: Buffer) => {
      output[name] += bytes.toString();
    });
  }
  await once(child, 'close');
  return { code: child.exitCode, signal: child.signalCode, ...output };
}

/** Runs bip to its end; what it is told on stdin is all that it is told. */
function run(argv: readonly string[], stdin = ''): Promise<Ended> {
  const child = start(...argv);
  child.stdin.end(stdin);
  return ended(child);
}

/** Resolves when the process reads its stdin: more than the pipe holds was taken. */
async function isReading(child: ChildProcessWithoutNullStreams): Promise<void> {
  child.stdin.on('error', () => undefined);
  if (!child.stdin.write(new Uint8Array(1 << 20).fill(0x20))) await once(child.stdin, 'drain');
}

test('--version is that of package.json', async () => {
  expect(await run(['--version'])).toEqual({
    code: 0,
    signal: null,
    stdout: `${manifest.version}\n`,
    stderr: '',
  });
});

test('stdin to stdout', async () => {
  const argv = ['bencode', 'encode'];
  expect(await run(argv, '{"a":[1,"b"]}')).toMatchObject({ code: 0, stdout: 'd1:ali1e1:bee' });
});

test('the exit code of an error', async () => {
  const { code, stdout, stderr } = await run(['bencode', 'decode', '--json'], 'i');
  expect([code, stdout]).toEqual([3, '']);
  expect(JSON.parse(stderr)).toHaveProperty('error.code');
});

test('a long output arrives whole before the process ends', async () => {
  const count = 200_000;
  const { code, stdout } = await run(
    ['bencode', 'decode', '--json'],
    `l${'i123456e'.repeat(count)}e`,
  );
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toHaveLength(count);
});

test('a reader that goes away ends it quietly', async () => {
  const child = start('bencode', 'decode', '--json');
  child.stdout.once('data', () => child.stdout.destroy());
  child.stdin.end(`l${'i123456e'.repeat(500_000)}e`);
  let stderr = '';
  child.stderr.on('data', (bytes: Buffer) => {
    stderr += bytes.toString();
  });
  await once(child, 'exit');
  expect([child.exitCode, child.signalCode, stderr]).toEqual([0, null, '']);
}, 30_000);

test('a full disk behind stdout is told and is 4', async () => {
  const full = openSync('/dev/full', 'w');
  const child = spawn(
    process.execPath,
    [join(directory, 'dist', 'bip.mjs'), 'bencode', 'decode', '--json'],
    { stdio: ['pipe', full, 'pipe'] },
  );
  let stderr = '';
  child.stderr?.on('data', (bytes: Buffer) => {
    stderr += bytes.toString();
  });
  child.stdin?.end('i1e');
  await once(child, 'close');
  expect(child.exitCode).toBe(4);
  expect(stderr).toContain('ENOSPC');
});

test('a directory as stdin is told and is 4', async () => {
  const child = spawn(
    process.execPath,
    [join(directory, 'dist', 'bip.mjs'), 'bencode', 'decode', '--json'],
    { stdio: [openSync(directory, 'r'), 'pipe', 'pipe'] },
  );
  let stderr = '';
  child.stderr?.on('data', (bytes: Buffer) => {
    stderr += bytes.toString();
  });
  await once(child, 'close');
  expect(child.exitCode).toBe(4);
  expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'BIP_STORAGE' } });
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s while it waits ends it with %i', async (name, code) => {
  const child = start('bencode', 'decode');
  await isReading(child);
  const end = ended(child);
  child.kill(name);
  expect(await end).toEqual({ code, signal: null, stdout: '', stderr: '' });
});

test('a seed ends by SIGINT with 130, a second one does not hurt', async () => {
  writeFileSync(join(directory, 'shared.bin'), new Uint8Array(100_000));
  const child = start('seed', join(directory, 'shared.bin'), '--json', '--host', '127.0.0.1');
  const end = ended(child);
  await once(child.stdout, 'data');
  child.kill('SIGINT');
  child.kill('SIGINT');
  expect(await end).toMatchObject({ code: 130, signal: null });
}, 30_000);
