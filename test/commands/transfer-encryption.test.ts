/** `--encryption` of `bip download`, `bip seed` and `bip magnet fetch`, and what `--verbose` says of it. */

import { describe, expect, test } from 'vitest';
import { Interrupted } from '../../commands/cli/context.ts';
import type { EncryptionMode } from '../../src/session/index.ts';
import { makeContent, SwarmWorld } from '../simulation/swarm-world.ts';
import { type BipResult, runBip, startBip } from './harness.ts';

const LINE = { latencyMs: 10, upload: 400_000, download: 2_000_000 } as const;
const TORRENT = '/in/album.torrent';

/** A download from a seed of this mode. */
async function downloaded(mode: EncryptionMode, flags: readonly string[]): Promise<BipResult> {
  const swarm = new SwarmWorld(makeContent(100_000));
  swarm.session = { encryption: mode };
  return await swarm.world.run(
    (async () => {
      const seed = await swarm.seed(LINE);
      const host = swarm.host(LINE);
      const peer = `${seed.host.address}:6881`;
      const result = await startBip(host.runtime, {
        argv: ['download', TORRENT, '-o', '/data', '--peer', peer, '--no-dht', '-v', ...flags],
        files: { [TORRENT]: swarm.content.torrent },
      });
      expect(host.open).toEqual([]);
      if (result.code === 0) expect(await swarm.digests(host)).toEqual(swarm.expected);
      await seed[Symbol.asyncDispose]();
      return result;
    })(),
  );
}

describe('download', () => {
  const cases: readonly [EncryptionMode, string[], RegExp][] = [
    ['prefer', ['--encryption', 'require'], /^connected to \S+ -BP0100-, encrypted with RC4$/m],
    [
      'prefer',
      ['--encryption', 'prefer'],
      /^connected to \S+ -BP0100-, with an encrypted handshake$/m,
    ],
    ['prefer', [], /^connected to \S+ -BP0100-, with an encrypted handshake$/m],
    ['prefer', ['--encryption', 'off'], /^connected to \S+ -BP0100-$/m],
    ['require', [], /^connected to \S+ -BP0100-, encrypted with RC4$/m],
    ['off', [], / its key(?: came)?; called again without encryption$/m],
  ];
  test.each(cases)('from a seed that says %s, with %j', async (mode, flags, note) => {
    const { code, stderr } = await downloaded(mode, flags);
    expect(code).toBe(0);
    expect(stderr).toMatch(note);
  });

  test('what is required and not to be had ends with the time that was given, and a reason', async () => {
    const flags = ['--encryption', 'require', '--timeout', '20s'];
    const { code, stderr } = await downloaded('off', flags);
    expect(code).toBe(6);
    expect(stderr).toMatch(/no connection with \S+: the peer closed .* instead of sending its key/);
    expect(stderr).not.toContain('connected to');
  });

  test('another word is an error of usage that names those that there are', async () => {
    const result = await runBip({ argv: ['download', TORRENT, '--encryption', 'always'] });
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(/--encryption.*'always'.*off, prefer, require/);
  });
});

test('seed: strangers without encryption are turned away, and --verbose says so', async () => {
  const swarm = new SwarmWorld(makeContent(100_000));
  await swarm.world.run(
    (async () => {
      const sharing = swarm.host(LINE);
      const stop = new AbortController();
      const ready = Promise.withResolvers<void>();
      const files = [...swarm.content.files].map(([path, bytes]) => [`/in/${path}`, bytes]);
      const seeding = startBip(sharing.runtime, {
        argv: ['seed', TORRENT, '--port', '6881', '--no-dht', '-v', '--encryption', 'require'],
        files: { [TORRENT]: swarm.content.torrent, ...Object.fromEntries(files) },
        signal: stop.signal,
        onWrite: (stream) => (stream === 'stdout' ? ready.resolve() : undefined),
      });
      await ready.promise;
      const peers = [{ host: sharing.address, port: 6881 }];
      swarm.session = { encryption: 'off' };
      const plain = await swarm.start(swarm.host(LINE), { peers });
      await sharing.sleep(3_000);
      expect(plain.torrent.stats().downloaded).toBe(0);
      swarm.session = { encryption: 'prefer' };
      const other = await swarm.start(swarm.host(LINE), { peers });
      await other.torrent.completed;
      stop.abort(new Interrupted('SIGINT'));
      const { code, stderr } = await seeding;
      expect(code).toBe(130);
      expect(stderr).toMatch(/^a call from \S+ failed: the peer does not encrypt, .* wanted$/m);
      expect(stderr).toMatch(/^called by \S+ -BP0100-, encrypted with RC4$/m);
      await plain[Symbol.asyncDispose]();
      await other[Symbol.asyncDispose]();
      swarm.world.assertClosed();
    })(),
  );
});

test('magnet fetch: the metadata comes over RC4 where that is required', async () => {
  const swarm = new SwarmWorld(makeContent(100_000));
  await swarm.world.run(
    (async () => {
      const seed = await swarm.seed(LINE);
      const hash = swarm.content.metainfo.infoHash?.hex ?? '';
      const peer = `${seed.host.address}:6881`;
      const result = await startBip(swarm.host(LINE).runtime, {
        argv: [
          'magnet',
          'fetch',
          hash,
          '--peer',
          peer,
          '--no-dht',
          '-v',
          '--encryption',
          'require',
        ],
      });
      expect(result.code).toBe(0);
      expect(result.stderr).toMatch(/connected to \S+ -BP0100-, encrypted with RC4/);
      await seed[Symbol.asyncDispose]();
    })(),
  );
});
