/** `--blocklist`: whom downloads and seeds have nothing to do with. */

import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { makeContent, type Peer, SwarmWorld } from '../simulation/swarm-world.ts';
import { type BipResult, bip, type RunOptions, startBip } from './harness.ts';
import { hangingProcess } from './process-host.ts';

const LINE = { latencyMs: 10, upload: 400_000, download: 2_000_000 } as const;
const LIST = '/in/list.p2p';

interface Scene {
  readonly swarm: SwarmWorld;
  readonly seed: Peer;
  /** bip on a host of its own, with the torrent at hand. */
  run(argv: readonly string[], more?: Partial<RunOptions>): Promise<BipResult>;
  write(path: string, text: string): Promise<void>;
}

async function scene(work: (scene: Scene) => Promise<void>): Promise<void> {
  const swarm = new SwarmWorld(makeContent(300_000));
  const { world } = swarm;
  const seed = await world.run(swarm.seed(LINE));
  const host = swarm.host(LINE);
  const run: Scene['run'] = (argv, { files = {}, ...more } = {}) =>
    startBip(host.runtime, {
      argv: [...argv, '--no-dht'],
      files: { '/in/album.torrent': swarm.content.torrent, ...files },
      ...more,
    });
  const write: Scene['write'] = (path, text) =>
    host.runtime.files.writeFile(path, new TextEncoder().encode(text));
  await world.run(work({ swarm, seed, run, write }));
  expect(host.open).toEqual([]);
  await world.run(Promise.resolve(seed.session[Symbol.asyncDispose]()));
}

function downloadFrom({ endpoint: { host, port } }: Peer): string[] {
  return ['download', '/in/album.torrent', '--output', '/data', '--peer', `${host}:${port}`];
}

function lastOf({ stdout }: BipResult): Readonly<Record<string, unknown>> {
  const last: Record<string, unknown> = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}');
  return last;
}

describe('a client that is blocked', () => {
  test('is called and left, and --verbose says why; nothing is asked of it', () =>
    scene(async ({ seed, run }) => {
      const argv = [...downloadFrom(seed), '--block-client', 'BIP 0.1', '--timeout', '1m'];
      const { code, stderr } = await run([...argv, '--verbose'], {});
      expect(code).toBe(6);
      expect(stderr).toContain('the peer is turned away: `BIP 0.1` is blocked');
      expect(seed.torrent.stats().uploaded).toBe(0);
      const other = [...downloadFrom(seed), '--block-client', '-XL', '--timeout', '1m'];
      expect((await run(other, {})).code).toBe(0);
    }));

  test('nothing as a name would be everybody', () =>
    scene(async ({ seed, run }) => {
      const result = await run([...downloadFrom(seed), '--block-client', ' '], {});
      expect(result.code).toBe(2);
      expect(result.stderr).toContain('nothing would turn everybody away');
    }));
});

describe('a peer on the list', () => {
  test('is not called, though it is named, and that is counted', () =>
    scene(async ({ seed, run }) => {
      const files = { [LIST]: `Some seed:${seed.host.address}-${seed.host.address}\n` };
      const argv = [...downloadFrom(seed), '--blocklist', LIST, '--timeout', '1m'];
      const result = await run([...argv, '--json'], { files });
      expect(result.code).toBe(6);
      expect(result.stderr).toContain(`--peer ${seed.host.address}:6881 is on the blocklist`);
      const end = lastOf(result);
      expect(end).toMatchObject({ type: 'end', done: 0, downloaded: 0 });
      expect(end['blocked']).toBeGreaterThan(1);
      const shown = await run([...argv], { tty: { stdout: true } });
      expect(shown.stdout).toMatch(/, \d+ connections blocked|\d+ connections blocked\n/);
    }));

  test('is called once SIGHUP has read a list without it, and the rest is as ever', () =>
    scene(async ({ seed, run, write }) => {
      const hangups = new Set<() => void>();
      let told = '';
      const argv = [...downloadFrom(seed), '--blocklist', LIST, '--verbose'];
      const result = await run(argv, {
        files: { [LIST]: seed.host.address },
        process: hangingProcess(hangups),
        onWrite: (_, text) => {
          told += text;
          if (!text.includes('is on the blocklist, and')) return;
          write(LIST, '10.200.0.0/16').then(() => {
            for (const hangup of hangups) hangup();
          }, expect.unreachable);
        },
      });
      expect(result).toMatchObject({ code: 0, stdout: '/data/album\n' });
      expect(told).toContain('the blocklist was read again; connections that it ended: 0');
      expect(hangups.size).toBe(0);
    }));

  test('is left in the middle of a download when SIGHUP reads a list with it', () =>
    scene(async ({ seed, run, write }) => {
      const hangups = new Set<() => void>();
      const argv = [...downloadFrom(seed), '--blocklist', LIST, '--timeout', '1m'];
      let isWritten = false;
      const result = await run([...argv, '--json', '--events', 'piece', '--verbose'], {
        files: { [LIST]: '10.200.0.0/16' },
        process: hangingProcess(hangups),
        onWrite: (_, text) => {
          if (!text.includes('"piece"') || isWritten) return;
          isWritten = true;
          write(LIST, `${seed.host.address}/32`).then(() => {
            for (const hangup of hangups) hangup();
          }, expect.unreachable);
        },
      });
      expect(result.code).toBe(6);
      expect(result.stderr).toContain('connections that it ended: 1');
    }));

  test('cannot call a seed', () =>
    scene(async ({ swarm, seed, run }) => {
      const files = Object.fromEntries(
        [...swarm.content.files].map(([path, bytes]) => [`/data/${path}`, bytes]),
      );
      const argv = ['seed', '/in/album.torrent', '--content', '/data', '--port', '7000'];
      const leecher = swarm.host(LINE);
      const more = { files: { ...files, '/in/l.gz': gzipSync(`${leecher.address}\n`) } };
      const running = run([...argv, '--blocklist', '/in/l.gz', '--timeout', '1m', '--json'], more);
      const peer = await swarm.start(leecher, {
        peers: [{ host: '10.0.0.2', port: 7000 }],
      });
      const result = await running;
      const end = lastOf(result);
      expect(end).toMatchObject({ type: 'end', uploaded: 0 });
      expect(end['blocked']).toBeGreaterThan(0);
      expect(peer.torrent.stats().done).toBe(0);
      expect(seed.host.address).not.toBe(leecher.address);
      await peer.session[Symbol.asyncDispose]();
    }));
});

describe('lists', () => {
  test('that do not block the peer change nothing; lines without sense are told of', () =>
    scene(async ({ seed, run }) => {
      const files = {
        [LIST]: '192.0.2.0/24\nwhat?\n',
        '/in/other.dat': '1.1.1.1 - 1.1.1.9 , 0 , x',
      };
      const lists = ['--blocklist', LIST, '--blocklist', '/in/other.dat'];
      const result = await run([...downloadFrom(seed), ...lists, '--verbose'], { files });
      expect(result).toMatchObject({ code: 0, stdout: '/data/album\n' });
      expect(result.stderr).toContain(
        `${LIST} blocks 1 addresses and ranges; 1 lines make no sense, line 2 first`,
      );
      expect(result.stderr).toContain('/in/other.dat blocks 1');
    }));

  test('that became rubbish do not replace the good one', () =>
    scene(async ({ seed, run, write }) => {
      const hangups = new Set<() => void>();
      const argv = [...downloadFrom(seed), '--blocklist', LIST, '--timeout', '1m'];
      const result = await run(argv, {
        files: { [LIST]: seed.host.address },
        process: hangingProcess(hangups),
        onWrite: (_, text) => {
          if (!text.includes('is on the blocklist, and')) return;
          write(LIST, '<html>').then(() => {
            for (const hangup of hangups) hangup();
          }, expect.unreachable);
        },
      });
      expect(result.code).toBe(6);
      expect(result.stderr).toContain(
        `the blocklist stays as it was: ${LIST}: most lines are no addresses, line 1 first`,
      );
    }));

  test('that are missing, rubbish, or empty', () =>
    scene(async ({ seed, run }) => {
      const missing = await run([...downloadFrom(seed), '--blocklist', '/none']);
      expect(missing.code).toBe(4);
      expect(missing.stderr).toContain('/none');
      const rubbish = await run([...downloadFrom(seed), '--blocklist', LIST], {
        files: { [LIST]: 'a\nb\n' },
      });
      expect(rubbish.code).toBe(3);
      expect(rubbish.stderr).toContain(`${LIST}: most lines are no addresses`);
      const empty = await run([...downloadFrom(seed), '--blocklist', LIST], {
        files: { [LIST]: '# nothing yet\n' },
      });
      expect(empty.code).toBe(0);
      expect(empty.stderr).toContain(`${LIST} blocks 0 addresses`);
    }));
});

test('the flag wants a file', async () => {
  const { code, stderr } = await bip('download', 'x.torrent', '--blocklist');
  expect(code).toBe(2);
  expect(stderr).toContain('--blocklist');
});
