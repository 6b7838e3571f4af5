/** What goes wrong in the world, through the real program: the right exit code, a sentence, no harm. */

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Bip, type BipResult } from './bip.ts';
import { bytesOf, expectBytes, MiB, manyFiles, singleFile } from './content.ts';
import { expectComplete, expectExit } from './expect-download.ts';
import { freePort } from './free-port.ts';
import { parseJson, textAt } from './json.ts';
import { describeWith } from './require.ts';
import { openScratch } from './scratch.ts';
import { openSwarm } from './swarm.ts';
import { makeTorrent } from './torrent.ts';

const DONE_MS = 30_000;

/** The sentence on stderr, which is JSON under `--json`. */
function complaint(result: BipResult): { readonly code: string; readonly message: string } {
  const line = result.stderr.trimEnd().split('\n').at(-1) ?? '';
  const error = parseJson(line);
  return { code: textAt(error, 'error', 'code'), message: textAt(error, 'error', 'message') };
}

async function run(...args: readonly string[]): Promise<BipResult> {
  await using bip = new Bip(args);
  return await bip.ended(DONE_MS);
}

describeWith(['libtorrent'], 'a tracker', () => {
  test('that nobody runs, and no other peer: exit 6 at the time limit, the tracker is named', async () => {
    await using scratch = await openScratch();
    const port = await freePort();
    const torrent = await makeTorrent({
      dir: scratch.to('source'),
      content: singleFile(),
      trackers: [`http://127.0.0.1:${port}/announce`],
    });
    const args = ['--output', scratch.to('out'), '--timeout', '3s'];
    await using bip = new Bip(['download', torrent.path, ...args]);
    const result = await bip.ended(DONE_MS);
    expectExit(result, [6]);
    const warnings = bip.ofType('warning').map(({ message }) => message);
    expect([...warnings, complaint(result).message].join('\n')).toContain(`127.0.0.1:${port}`);
    expect(result.end?.complete ?? false).toBe(false);
  });

  test.concurrent.for([
    { what: 'HTML', body: '<html>It works!</html>' },
    { what: 'a cut answer', body: 'd8:intervali1800e5:peers6:' },
    { what: 'peers of an odd length', body: 'd8:intervali1800e5:peers5:AAAAAe' },
    { what: 'a refusal', body: 'd14:failure reason13:not for you 1e' },
    { what: 'far too much', body: 'x'.repeat(24 * MiB) },
  ])('that answers $what: a warning, and a peer given by hand still serves', async ({ body }) => {
    const server = createServer((_, response) => response.end(body));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    await using cleanup = new AsyncDisposableStack();
    cleanup.defer(() => {
      server.close();
      server.closeAllConnections();
    });
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    await using swarm = await openSwarm(singleFile(MiB));
    // Slow enough that the tracker's answer comes before the end.
    const seeder = await swarm.seed('libtorrent', { uploadLimit: MiB });
    const magnet = `${swarm.torrent.magnet}&tr=http://127.0.0.1:${port}/announce`;
    const dir = swarm.to('out');
    await using bip = new Bip(['download', magnet, '--peer', seeder.address, '--output', dir]);
    await expectComplete(bip, swarm, { dir, deadlineMs: DONE_MS });
    const warnings = bip.ofType('warning').map(({ message }) => message);
    expect(warnings.join('\n')).toContain(`127.0.0.1:${port}`);
  });
});

describeWith(['libtorrent'], 'storage', () => {
  test('a file of the wrong size is left untouched: exit 4', async () => {
    await using swarm = await openSwarm(manyFiles());
    const seeder = await swarm.seed('libtorrent');
    const dir = swarm.to('out');
    const [path = ''] = swarm.content.keys();
    const precious = bytesOf('precious', 12_345);
    await mkdir(join(dir, swarm.torrent.name), { recursive: true });
    await writeFile(join(dir, path), precious);
    const args = ['--peer', seeder.address, '--output', dir];
    const result = await run('download', swarm.torrent.path, ...args);
    expectExit(result, [4]);
    expect(complaint(result).code).toMatch(/^BIP_/);
    expect(complaint(result).message).toContain('.hidden');
    await expectBytes(join(dir, path), precious);
    expect(await readdir(join(dir, swarm.torrent.name))).toEqual(['.hidden']);
  });

  test('a file where the folder should be: exit 4, the path is named', async () => {
    await using swarm = await openSwarm(manyFiles());
    const seeder = await swarm.seed('libtorrent');
    const dir = swarm.to('not-a-folder');
    await writeFile(dir, 'a file');
    const args = ['--peer', seeder.address, '--output', dir];
    const result = await run('download', swarm.torrent.path, ...args);
    expectExit(result, [4]);
    expect(complaint(result).message).toContain('not-a-folder');
    expect(await readFile(dir, 'utf8')).toBe('a file');
  });

  test('a torrent that is not there: exit 4; one that is none: exit 3', async () => {
    await using scratch = await openScratch();
    const missing = await run('download', scratch.to('missing.torrent'));
    expectExit(missing, [4]);
    expect(complaint(missing).message).toContain('missing.torrent');
    await writeFile(scratch.to('rubbish.torrent'), 'd4:info');
    const rubbish = await run('download', scratch.to('rubbish.torrent'));
    expectExit(rubbish, [3]);
    expect(complaint(rubbish).message).not.toBe('');
  });

  const why = cannotMount();
  describe.skipIf(why !== undefined)(`a full disk${why === undefined ? '' : ` (${why})`}`, () => {
    test('exit 4, what fitted is kept and used again with more room', async () => {
      await using swarm = await openSwarm(singleFile(6 * MiB));
      const seeder = await swarm.seed('libtorrent');
      const dir = swarm.to('small');
      await mkdir(dir);
      await using cleanup = new AsyncDisposableStack();
      mount('-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', dir);
      cleanup.defer(() => {
        execFileSync('umount', ['-l', dir]);
      });
      const args = ['download', swarm.torrent.path, '--peer', seeder.address, '--output', dir];
      const result = await run(...args);
      expectExit(result, [4]);
      expect(complaint(result).message).toMatch(/space|full/i);
      mount('-o', 'remount,size=16m', dir);
      await using again = new Bip(args);
      const end = await expectComplete(again, swarm, { dir, deadlineMs: DONE_MS });
      expect(end.downloaded).toBeLessThan(swarm.torrent.length);
    });
  });
});

describeWith(['libtorrent'], 'nobody has it', () => {
  test('no peers at all, --timeout: exit 6, said so', async () => {
    await using swarm = await openSwarm(singleFile());
    const args = ['--output', swarm.to('out'), '--timeout', '2s'];
    const result = await run('download', swarm.torrent.path, ...args);
    expectExit(result, [6]);
    expect(result.end?.complete ?? false).toBe(false);
    expect(complaint(result).message).not.toBe('');
  });

  test('a magnet without metadata, --timeout: exit 6', async () => {
    await using scratch = await openScratch();
    const port = await freePort();
    const magnet = `magnet:?xt=urn:btih:${'5'.repeat(40)}&x.pe=127.0.0.1:${port}`;
    const result = await run('download', magnet, '--output', scratch.to('out'), '--timeout', '2s');
    expectExit(result, [6]);
    expect(complaint(result).message).not.toBe('');
  });
});

function mount(...args: readonly string[]): void {
  execFileSync('mount', args, { stdio: 'pipe' });
}

/** Why no small disk can be made here; `undefined` where one can. */
function cannotMount(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root to mount a small disk';
  const place = mkdtempSync(join(tmpdir(), 'bip-mount-'));
  try {
    mount('-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', place);
    execFileSync('umount', [place]);
    return undefined;
  } catch {
    return 'no small disk can be mounted here';
  } finally {
    rmdirSync(place);
  }
}
