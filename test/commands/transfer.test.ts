/** `bip download` and `bip seed`, whole command lines in the simulated world. */

import { describe, expect, test } from 'vitest';
import { Interrupted } from '../../commands/cli/context.ts';
import type { SimHost } from '../../src/runtime/sim/index.ts';
import { makeContent, SwarmWorld } from '../simulation/swarm-world.ts';
import { type BipResult, type RunOptions, runBip, startBip } from './harness.ts';

const LINE = { latencyMs: 10, upload: 400_000, download: 2_000_000 } as const;
const TORRENT = '/in/album.torrent';

interface Line {
  readonly type?: string;
  readonly [field: string]: unknown;
}
function lines(text: string): Line[] {
  const parsed: Line[] = [];
  for (const line of text.trim().split('\n')) {
    const event: Line = JSON.parse(line);
    parsed.push(event);
  }
  return parsed;
}

/** A swarm with one seed, and a host on which bip is to be run. */
async function withSeed(
  work: (swarm: SwarmWorld, host: SimHost, seedAddress: string) => Promise<void>,
): Promise<void> {
  const swarm = new SwarmWorld(makeContent());
  await swarm.world.run(
    (async () => {
      const seed = await swarm.seed(LINE);
      const host = swarm.host(LINE);
      await work(swarm, host, `${seed.host.address}:6881`);
      await seed[Symbol.asyncDispose]();
      swarm.world.assertClosed();
    })(),
  );
}
function download(
  host: SimHost,
  swarm: SwarmWorld,
  argv: string[],
  more: Partial<RunOptions> = {},
): Promise<BipResult> {
  return startBip(host.runtime, {
    argv: ['download', TORRENT, '--output', '/data', ...argv],
    files: { [TORRENT]: swarm.content.torrent },
    ...more,
  });
}

describe('download', () => {
  test('in a pipe prints the path, nothing else; exit 0', () =>
    withSeed(async (swarm, host, peer) => {
      const result = await download(host, swarm, ['--peer', peer]);
      expect(result).toMatchObject({ code: 0, stdout: '/data/album\n', stderr: '' });
      expect(await swarm.digests(host)).toEqual(swarm.expected);
    }));

  test('with --json every event is a line; the last sums up', () =>
    withSeed(async (swarm, host, peer) => {
      const result = await download(host, swarm, ['--peer', peer, '--json', '--events', 'piece']);
      const events = lines(result.stdout);
      expect(result.code).toBe(0);
      expect(events[0]).toMatchObject({
        type: 'metadata',
        name: 'album',
        pieceCount: 31,
        length: 1_000_000,
      });
      expect(events.filter(({ type }) => type === 'piece')).toHaveLength(31);
      expect(events.filter(({ type }) => type === 'file')).toHaveLength(3);
      expect(events.find(({ type }) => type === 'progress')).toMatchObject({
        total: 1_000_000,
        peers: 1,
        seeds: 1,
      });
      expect(events.at(-1)).toMatchObject({
        type: 'end',
        complete: true,
        path: '/data/album',
        done: 1_000_000,
        downloaded: 1_000_000,
        wasted: 0,
      });
    }));

  test('--timeout ends with 6 and a sentence; the next run goes on', () =>
    withSeed(async (swarm, host, peer) => {
      const first = await download(host, swarm, ['--peer', peer, '--json', '--timeout', '1s']);
      expect(first.code).toBe(6);
      const end = lines(first.stdout).at(-1);
      expect(end).toMatchObject({ type: 'end', complete: false });
      expect(JSON.parse(first.stderr)).toMatchObject({ error: { code: 'BIP_LIMIT' } });
      const second = await download(host, swarm, ['--peer', peer, '--json']);
      expect(second.code).toBe(0);
      expect(lines(second.stdout).at(-1)?.['downloaded']).toBe(1_000_000 - Number(end?.['done']));
    }));

  test('Ctrl-C ends with 130, saves, and says nothing false', () =>
    withSeed(async (swarm, host, peer) => {
      const abort = new AbortController();
      const running = download(host, swarm, ['--peer', peer, '--json'], { signal: abort.signal });
      swarm.world.timeline.after(1_500, () => abort.abort(new Interrupted('SIGINT')));
      const result = await running;
      expect(result.code).toBe(130);
      expect(lines(result.stdout).at(-1)).toMatchObject({ type: 'end', complete: false });
      const state = await host.runtime.files.list('/data/.bip');
      expect(state).toHaveLength(1);
    }));

  test('no metadata from a magnet within --timeout: exit 6, a sentence, nothing written', () =>
    withSeed(async (_swarm, host) => {
      const result = await startBip(host.runtime, {
        argv: [
          'download',
          'magnet:?xt=urn:btih:' + '12'.repeat(20),
          '-o',
          '/data',
          '--timeout',
          '5s',
          '--no-dht',
        ],
      });
      expect(result.code).toBe(6);
      expect(result.stderr).toContain('no peer gave the metadata within the --timeout of 5s');
      expect(result.stderr).toContain('warning: the torrent names no tracker');
      expect(result.stderr).toContain('--no-dht keeps bip from looking for some');
      expect(await host.runtime.files.stat('/data')).toBeUndefined();
    }));

  test('a file of the wrong size: exit 4, one sentence that names it and the flag, nothing changed', () =>
    withSeed(async (swarm, host, peer) => {
      const result = await download(host, swarm, ['--peer', peer], {
        files: { [TORRENT]: swarm.content.torrent, '/data/album/second.bin': 'mine' },
      });
      expect(result.code).toBe(4);
      expect(result.stderr).toMatch(/^error: .*second\.bin.*--force.*\n$/);
      const forced = await download(host, swarm, ['--peer', peer, '--force'], {
        files: { [TORRENT]: swarm.content.torrent, '/data/album/second.bin': 'mine' },
      });
      expect(forced.code).toBe(0);
      expect(await swarm.digests(host)).toEqual(swarm.expected);
    }));

  test('a disk that is full: exit 4 and a sentence, not a trace', () =>
    withSeed(async (swarm, host, peer) => {
      host.disk.capacity = 300_000;
      const result = await download(host, swarm, ['--peer', peer]);
      expect(result.code).toBe(4);
      expect(result.stderr).toMatch(/error: .*(full|space)/);
    }));

  test('on a terminal the progress is drawn on stderr, and the result stands on stdout', () =>
    withSeed(async (swarm, host, peer) => {
      const result = await download(host, swarm, ['--peer', peer, '--color', 'never'], {
        tty: true,
      });
      expect(result.code).toBe(0);
      expect(result.stdout).toMatch(/^done \/data\/album: 976\.56 KiB in /);
      expect(result.stderr).toContain('album');
      expect(result.stderr).toMatch(/\d+\.\d %/);
      expect(result.stderr).toMatch(/↓ .*\/s/);
      const quiet = await download(host, swarm, ['--peer', peer, '--quiet'], { tty: true });
      expect(quiet).toMatchObject({ code: 0, stderr: '' });
    }));

  test.each([
    [['download'], 'missing required argument'],
    [['download', 'x.torrent', '--peer', 'nowhere'], 'no HOST:PORT'],
    [['download', 'x.torrent', '--port', '70000'], '--port'],
    [['download', 'x.torrent', '--timeout', 'soon'], 'no duration'],
    [['download', 'x.torrent', '--host', 'name'], 'no IP address'],
    [['download', 'x.torrent', '--events', 'all'], 'no kind of event'],
    [['download', 'x.torrent', '--bootstrap', '[::1]'], 'no HOST:PORT'],
    [['download', 'x.torrent', '--no-dht', '--bootstrap', 'a:1'], 'cannot be used with'],
    [['download', 'magnet:?xs=urn:btpk:' + 'ab'.repeat(32)], 'bip dht get LINK --torrent'],
    [['seed', '/in', '--content', '/x'], '--content goes with a .torrent'],
  ])('%j is refused with 2', async (argv, words) => {
    const result = await runBip({ argv, files: { '/in/file': 'x' } });
    expect(result.code).toBe(2);
    expect(result.stdout).toBe('');
    expect(result.stderr).toContain(words);
    expect(result.stderr.trim().split('\n')).toHaveLength(1);
  });
});

describe('seed', () => {
  test('a folder: the magnet is the result, and leads another bip to every byte', async () => {
    const swarm = new SwarmWorld(makeContent(200_000));
    await swarm.world.run(
      (async () => {
        const sharing = swarm.host(LINE);
        const files = Object.fromEntries(
          [...swarm.content.files].map(([path, bytes]) => [`/pub/${path}`, bytes]),
        );
        const stop = new AbortController();
        const found = Promise.withResolvers<string>();
        const seeding = startBip(sharing.runtime, {
          argv: ['seed', '/pub/album', '--output', '/made.torrent'],
          files,
          signal: stop.signal,
          onWrite: (stream, text) => (stream === 'stdout' ? found.resolve(text.trim()) : undefined),
        });
        const magnet = await found.promise;
        expect(magnet).toMatch(
          /^magnet:\?xt=urn:btih:[0-9a-f]{40}&dn=album&xl=200000&x\.pe=10\.0\.0\.1:6881$/,
        );
        const host = swarm.host(LINE);
        const got = await startBip(host.runtime, { argv: ['download', magnet, '-o', '/data'] });
        expect(got).toMatchObject({ code: 0, stdout: '/data/album\n' });
        expect(await swarm.digests(host)).toEqual(swarm.expected);
        stop.abort(new Interrupted('SIGINT'));
        expect((await seeding).code).toBe(130);
        const inspected = await startBip(sharing.runtime, {
          argv: ['metainfo', 'inspect', '/made.torrent', '--json'],
        });
        expect(magnet).toContain(String(lines(inspected.stdout)[0]?.['infoHash']));
        swarm.world.assertClosed();
      })(),
    );
  });

  test('a .torrent finds its data beside it, under another name, or nowhere', async () => {
    const swarm = new SwarmWorld(makeContent(100_000));
    const files = (root: string): Record<string, Uint8Array> =>
      Object.fromEntries(
        [...swarm.content.files].map(([path, bytes]) => [
          `${root}${path.slice('album'.length)}`,
          bytes,
        ]),
      );
    const cases: readonly [Record<string, Uint8Array>, string[], number][] = [
      [files('/in/album'), [], 6],
      [files('/else/album'), ['--content', '/else'], 6],
      [files('/else/album'), ['--content', '/else/album'], 6],
      [files('/else/renamed'), ['--content', '/else/renamed/'], 6],
      [files('/else/renamed'), ['--content', '/else'], 4],
      [{ ...files('/in/album'), '/in/album/second.bin': new Uint8Array(3) }, [], 4],
    ];
    for (const [there, argv, code] of cases) {
      const result = await runBip({
        argv: ['seed', TORRENT, ...argv, '--timeout', '1s', '--json'],
        files: { ...there, [TORRENT]: swarm.content.torrent },
      });
      expect([argv, result.code]).toEqual([argv, code]);
      const seeds = result.stdout.includes('"type":"seeding"');
      expect(seeds).toBe(code === 6);
    }
  });

  test('data that does not match is not served: exit 5, how much is missing, and what helps', async () => {
    const swarm = new SwarmWorld(makeContent(100_000));
    const files: Record<string, Uint8Array> = { [TORRENT]: swarm.content.torrent };
    for (const [path, bytes] of swarm.content.files)
      files[`/in/${path}`] = bytes.map((byte) => byte ^ 1);
    const result = await runBip({ argv: ['seed', TORRENT], files });
    expect(result.code).toBe(5);
    expect(result.stderr).toContain('4 of 4 pieces are missing or do not match');
  });
});
