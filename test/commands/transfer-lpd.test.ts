/** `bip download`, `bip seed` and `bip magnet fetch` on the local network. */

import { describe, expect, test } from 'vitest';
import { type LpdFlags, lpdOptions } from '../../commands/transfer/lpd.ts';
import { parseProxyUrl } from '../../src/proxy/index.ts';
import type { SimHost } from '../../src/runtime/sim/index.ts';
import type { Peer } from '../simulation/swarm-world.ts';
import { makeContent, type SwarmContent, SwarmWorld } from '../simulation/swarm-world.ts';
import { type BipResult, startBip } from './harness.ts';

const HOME = { latencyMs: 0.2, lans: ['home'] } as const;
const TORRENT = '/in/album.torrent';
const PRIVATE = makeContent(100_000, 32_768, { private: true });

interface Scene {
  readonly swarm: SwarmWorld;
  readonly host: SimHost;
  readonly seed: Peer;
  run(...argv: readonly string[]): Promise<BipResult>;
}

/** A seed on the local network, and a host on it on which bip is to be run. */
async function atHome(content: SwarmContent, work: (scene: Scene) => Promise<void>): Promise<void> {
  const swarm = new SwarmWorld(content);
  const { world } = swarm;
  swarm.session = { lpd: {} };
  const seed = await world.run(swarm.seed(HOME));
  const host = swarm.host(HOME);
  const files = { [TORRENT]: content.torrent };
  const run = (...argv: readonly string[]): Promise<BipResult> =>
    world.run(startBip(host.runtime, { argv, files }));
  await work({ swarm, host, seed, run });
  expect(host.open).toEqual([]);
  await world.run(seed.session[Symbol.asyncDispose]());
}

test('an infohash is enough where a neighbour has the torrent', () =>
  atHome(makeContent(200_000), async ({ swarm, host, run }) => {
    const hash = swarm.content.metainfo.infoHash?.hex ?? '';
    const result = await run('download', hash, '--no-dht', '--output', '/data', '--verbose');
    expect(result).toMatchObject({ code: 0, stdout: '/data/album\n' });
    expect(result.stderr).toContain('waits for a peer on the local network, or a call');
    expect(await swarm.digests(host)).toEqual(swarm.expected);
  }));

test('magnet fetch, too', () =>
  atHome(makeContent(200_000), async ({ swarm, run }) => {
    const hash = swarm.content.metainfo.infoHash?.hex ?? '';
    const result = await run('magnet', 'fetch', hash, '--no-dht', '--output', '/fetched.torrent');
    expect(result).toMatchObject({ code: 0 });
  }));

test.each([
  ['--no-lpd', makeContent(100_000), ['--no-lpd']],
  ['a private torrent (BEP 27)', PRIVATE, []],
  ['--host on loopback', makeContent(100_000), ['--host', '127.0.0.1']],
  ['--bind on loopback', makeContent(100_000), ['--bind', '127.0.0.1']],
])('%s keeps it from the local network', (_, content, flags) =>
  atHome(content, async ({ seed, run }) => {
    const argv = ['download', TORRENT, '--no-dht', '--output', '/data', '--timeout', '6m'];
    const { code, stderr } = await run(...argv, ...flags);
    expect(code).toBe(6);
    expect(stderr).toMatch(/^warning: .*this waits for/);
    const notes = seed.events.filter(({ type }) => type === 'note');
    expect(JSON.stringify(notes)).not.toContain('local network has a peer');
  }),
);

test('an address that is not there is explained, and all else goes on', () =>
  atHome(makeContent(100_000), async ({ seed, run }) => {
    const peer = `${seed.host.address}:6881`;
    const argv = ['download', TORRENT, '--no-dht', '--output', '/data', '--peer', peer];
    const { code, stderr } = await run(
      ...argv,
      '--bind',
      '192.0.2.9',
      // A socket of uTP would end it at once.
      ...['--transport', 'tcp'],
      '--verbose',
      '--timeout',
      '5s',
    );
    expect(stderr).toContain(
      'no peers are looked for on the local network: this machine has no address 192.0.2.9',
    );
    expect(code).toBe(6);
  }));

describe('the address that is announced', () => {
  const metainfo = makeContent(100_000).metainfo;
  const sources = [PRIVATE.metainfo, metainfo].map(
    (one) => ({ type: 'metainfo', metainfo: one }) as const,
  );
  const wishes = { sources, context: {}, reporter: { explain: (): void => undefined } };

  test.each<[string, Partial<LpdFlags>, string | undefined]>([
    ['without a flag', {}, undefined],
    ['--host', { host: '192.0.2.1' }, '192.0.2.1'],
    ['--bind', { bind: '192.0.2.2' }, '192.0.2.2'],
    [
      'where it listens counts before where it calls from',
      { host: '192.0.2.1', bind: '192.0.2.2' },
      '192.0.2.1',
    ],
    ['unless that is everywhere', { host: '0.0.0.0', bind: '192.0.2.2' }, '192.0.2.2'],
    ['--host of IPv4', { host: '0.0.0.0' }, '0.0.0.0'],
  ])('%s', (_, flags, address) => {
    expect(lpdOptions({ lpd: true, ...flags }, wishes)?.address).toBe(address);
  });

  test('none with --no-lpd, and none for private torrents alone', () => {
    expect(lpdOptions({ lpd: false }, wishes)).toBeUndefined();
    const secret = sources.slice(0, 1);
    expect(lpdOptions({ lpd: true }, { ...wishes, sources: secret })).toBeUndefined();
  });

  test('none with a proxy, and why', () => {
    const said: string[] = [];
    const reporter = { explain: (text: string): number => said.push(text) };
    const proxy = parseProxyUrl('socks5://192.0.2.9:1080');
    expect(lpdOptions({ lpd: true }, { ...wishes, context: { proxy }, reporter })).toBeUndefined();
    expect(said).toEqual([expect.stringContaining('nothing goes around the proxy')]);
  });
});
