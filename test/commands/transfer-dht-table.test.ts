/** What `bip download` and `bip seed` keep of the DHT from one run to the next. */

import { describe, expect, test } from 'vitest';
import { type DhtState, encodeState, readTable, WELL_KNOWN_ROUTERS } from '../../src/dht/index.ts';
import type { SimHost } from '../../src/runtime/sim/index.ts';
import { DhtSwarm, nodeAddress } from '../simulation/dht-swarm.ts';
import { makeContent } from '../simulation/swarm-world.ts';
import { type BipResult, type RunOptions, startBip } from './harness.ts';

const LINE = { latencyMs: 10, upload: 400_000, download: 2_000_000 } as const;
const NODE = `${nodeAddress(0).host}:${nodeAddress(0).port}`;
const USUAL = '/me/.local/state/bip/dht.bin';
const HOME = { HOME: '/me' };
const OTHER = encodeState({ 4: { id: new Uint8Array(20), nodes: new Uint8Array(0) } });

interface Story {
  readonly swarm: DhtSwarm;
  readonly host: SimHost;
  /** `bip download` of the seed's torrent by its infohash. */
  download(argv: readonly string[], more?: Partial<RunOptions>): Promise<BipResult>;
  table(path: string): Promise<DhtState | undefined>;
}

/** A DHT with a seed in it, whose first node has the name of a well-known router. */
async function play(story: (story: Story) => Promise<void>): Promise<void> {
  await using swarm = new DhtSwarm(makeContent(100_000));
  await swarm.populate(12);
  const { world } = swarm;
  for (const { host } of WELL_KNOWN_ROUTERS) world.names.set(host, [nodeAddress(0).host]);
  const seed = await world.run(swarm.seed(LINE));
  await world.runFor(30_000);
  const host = swarm.host(LINE);
  const { files } = host.runtime;
  let runs = 0;
  await world.run(
    story({
      swarm,
      host,
      download: (argv, more = {}) =>
        startBip(host.runtime, {
          argv: [
            ...['download', swarm.content.metainfo.infoHash?.hex ?? ''],
            ...['--output', `/data${++runs}`, '--timeout', '5m', ...argv],
          ],
          env: HOME,
          ...more,
        }),
      table: (path) => readTable(files, path),
    }),
  );
  expect(host.open).toEqual([]);
  await world.run(seed.session[Symbol.asyncDispose]());
}

/** So many nodes of IPv4. */
function nodesIn(state: DhtState | undefined): number {
  return (state?.[4]?.nodes.length ?? 0) / 26;
}

describe('the table of a session', () => {
  test('is kept where the state of programs is, and the next run needs no name', () =>
    play(async ({ swarm, host, download, table }) => {
      expect(await download([])).toMatchObject({ code: 0, stderr: '' });
      const kept = await table(USUAL);
      expect(nodesIn(kept)).toBeGreaterThanOrEqual(8);
      expect(kept?.port).toBe(6881);
      swarm.world.names.silent = true;
      const began = swarm.world.now;
      expect(await download([])).toMatchObject({ code: 0, stderr: '' });
      // A silent name server is asked for ten seconds.
      expect(swarm.world.now - began).toBeLessThan(8000);
      expect((await table(USUAL))?.[4]?.id).toEqual(kept?.[4]?.id);
      expect(await host.runtime.files.list('/me/.local/state/bip')).toEqual(['dht.bin']);
    }));

  test.each<[string, string[], Record<string, string>, string | undefined]>([
    ['XDG_STATE_HOME', [], { ...HOME, XDG_STATE_HOME: '/state' }, '/state/bip/dht.bin'],
    ['BIP_DHT_TABLE', [], { ...HOME, BIP_DHT_TABLE: '/my/table' }, '/my/table'],
    ['a flag', ['--dht-table', '/a/b'], { ...HOME, BIP_DHT_TABLE: '/my/table' }, '/a/b'],
    ['a flag in a network of its own', ['--dht-table', '/a', '--bootstrap', NODE], HOME, '/a'],
    ['an empty variable', [], { ...HOME, BIP_DHT_TABLE: '' }, undefined],
    ['--no-dht-table', ['--no-dht-table'], { BIP_DHT_TABLE: '/my/table' }, undefined],
    ['a network of its own', ['--bootstrap', NODE], HOME, undefined],
    ['no home', [], {}, undefined],
  ])('%s', (_, argv, env, path) =>
    play(async ({ download, table }) => {
      expect(await download(argv, { env })).toMatchObject({ code: 0, stderr: '' });
      const found = [];
      for (const place of [USUAL, '/state/bip/dht.bin', '/my/table', '/a/b', '/a']) {
        if (place === '/a' && path === '/a/b') continue;
        if (nodesIn(await table(place).catch(() => undefined)) > 0) found.push(place);
      }
      expect(found).toEqual(path === undefined ? [] : [path]);
    }),
  );

  test('that is damaged is not used, and left alone', () =>
    play(async ({ host, download }) => {
      const { code, stderr } = await download([], { files: { [USUAL]: 'rubbish' } });
      expect(code).toBe(0);
      expect(stderr).toMatch(
        new RegExp(`^warning: ${USUAL}: .*; it is not used: remove it, or .* --dht-table\n$`),
      );
      const bytes = await host.runtime.files.readFile(USUAL, { maxBytes: 99 });
      expect(new TextDecoder().decode(bytes)).toBe('rubbish');
    }));

  test.each([
    ['by a flag', ['--dht-table', '/t'], {}],
    ['by the environment', [], { BIP_DHT_TABLE: '/t' }],
  ])('that is damaged and was named %s is refused: exit 3', (_, argv, env) =>
    play(async ({ download }) => {
      const files = { '/t': 'rubbish' };
      const { code, stderr } = await download(argv, { files, env });
      expect(code).toBe(3);
      expect(stderr).toMatch(/^error: \/t: /);
    }),
  );

  test('that cannot be written stops nobody, which --verbose explains', () =>
    play(async ({ download }) => {
      const files = { '/me/.local': 'a file where a folder should be' };
      expect(await download([], { files })).toMatchObject({ code: 0, stderr: '' });
      const { code, stderr } = await download(['--verbose']);
      expect(code).toBe(0);
      expect(stderr).toContain('nodes of the DHT are not kept: ');
    }));

  test('of two at once is whole, and they are two nodes', () =>
    play(async ({ download, table }) => {
      await download([]);
      const before = await table(USUAL);
      const both = await Promise.all([download([]), download([])]);
      expect(both.map(({ code, stderr }) => [code, stderr])).toEqual([
        [0, ''],
        [0, ''],
      ]);
      const after = await table(USUAL);
      expect(nodesIn(after)).toBeGreaterThanOrEqual(8);
      // The id belongs to the port; the one at another port has another.
      const isSame = Buffer.from(after?.[4]?.id ?? []).equals(before?.[4]?.id ?? OTHER);
      expect(isSame).toBe(after?.port === before?.port);
    }));

  test('nobody is asked for what private torrents do not need', () =>
    play(async ({ swarm, host, table }) => {
      const secret = makeContent(100_000, 32_768, { private: true });
      const { code } = await startBip(host.runtime, {
        argv: ['download', '/in/secret.torrent', '--output', '/out', '--timeout', '5s'],
        env: HOME,
        files: { '/in/secret.torrent': secret.torrent },
      });
      expect([code, await table(USUAL), swarm.heardFrom(host)]).toEqual([6, undefined, 0]);
    }));
});
