/** `bip download` and `bip seed` in the DHT: flags, whom it begins with, and what never reaches it. */

import { describe, expect, test } from 'vitest';
import { Interrupted } from '../../commands/cli/context.ts';
import { type DhtFlags, dhtOptions } from '../../commands/transfer/dht.ts';
import { WELL_KNOWN_ROUTERS } from '../../src/dht/index.ts';
import type { SimHost } from '../../src/runtime/sim/index.ts';
import { makeWorld } from '../sim/world.ts';
import { DhtSwarm, nodeAddress } from '../simulation/dht-swarm.ts';
import { makeContent, type SwarmContent } from '../simulation/swarm-world.ts';
import { type BipResult, type RunOptions, startBip } from './harness.ts';

const LINE = { latencyMs: 10, upload: 400_000, download: 2_000_000 } as const;
const TORRENT = '/in/album.torrent';
const NODE = `${nodeAddress(0).host}:${nodeAddress(0).port}`;
const NODES = 10;
const PRIVATE = makeContent(100_000, 32_768, { private: true });

/** A DHT with a seed of the torrent in it, and a host on which bip is to be run. */
async function withSeed(
  content: SwarmContent,
  work: (swarm: DhtSwarm, host: SimHost, seed: string) => Promise<void>,
): Promise<void> {
  await using swarm = new DhtSwarm(content);
  await swarm.populate(NODES);
  const seed = await swarm.world.run(swarm.seed(LINE));
  await swarm.world.runFor(30_000);
  const host = swarm.host(LINE);
  await swarm.world.run(work(swarm, host, `${seed.host.address}:6881`));
  expect(host.open).toEqual([]);
  await swarm.world.run(seed.session[Symbol.asyncDispose]());
}

function download(
  host: SimHost,
  swarm: DhtSwarm,
  argv: readonly string[],
  more: Partial<RunOptions> = {},
): Promise<BipResult> {
  return startBip(host.runtime, {
    argv: ['download', ...argv, '--output', '/data'],
    files: { [TORRENT]: swarm.content.torrent },
    ...more,
  });
}

function hashOf({ content }: DhtSwarm): string {
  return content.metainfo.infoHash?.hex ?? '';
}

test('an infohash and a node of the DHT are enough', () =>
  withSeed(makeContent(200_000), async (swarm, host) => {
    const result = await download(host, swarm, [hashOf(swarm), '--bootstrap', NODE]);
    expect(result).toMatchObject({ code: 0, stdout: '/data/album\n', stderr: '' });
    expect(await swarm.digests(host)).toEqual(swarm.expected);
    expect(swarm.askedBy(host, 'announce_peer').length).toBeGreaterThan(0);
  }));

test('without a flag it begins with the well-known nodes', () =>
  withSeed(makeContent(200_000), async (swarm, host) => {
    const [router, ...others] = WELL_KNOWN_ROUTERS;
    swarm.world.names.set(router?.host ?? '', [nodeAddress(1).host]);
    for (const other of others) swarm.world.names.set(other.host, ['203.0.113.9']);
    const result = await download(host, swarm, [hashOf(swarm), '--verbose']);
    expect(result).toMatchObject({ code: 0, stdout: '/data/album\n' });
    expect(result.stderr).toMatch(/joined the DHT of IPv4 by \d+ nodes/);
    expect(result.stderr).toMatch(/the DHT named 1 peer/);
  }));

test('--no-dht keeps it out of the DHT', () =>
  withSeed(makeContent(200_000), async (swarm, host, seed) => {
    const result = await download(host, swarm, [TORRENT, '--no-dht', '--peer', seed]);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(swarm.heardFrom(host)).toBe(0);
  }));

test('when no node answers it says so, with --json as an event', () =>
  withSeed(makeContent(200_000), async (swarm, host) => {
    const argv = [TORRENT, '--bootstrap', '203.0.113.9:6881', '--timeout', '30s'];
    const plain = await download(host, swarm, argv);
    expect(plain.code).toBe(6);
    expect(plain.stderr).toMatch(/^warning: no node of the DHT answers; .*--bootstrap/);
    const json = await download(host, swarm, [...argv, '--json']);
    const events = json.stdout
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'warning', code: 'BIP_DHT_ALONE' }),
    );
  }));

describe('a private torrent (BEP 27)', () => {
  test('never reaches the DHT, which --verbose explains', () =>
    withSeed(PRIVATE, async (swarm, host, seed) => {
      const argv = [TORRENT, '--bootstrap', NODE, '--peer', seed, '--verbose'];
      const result = await download(host, swarm, argv);
      expect(result.code).toBe(0);
      expect(result.stderr).toContain('the DHT is not used: private torrents stay out of it');
      expect(swarm.heardFrom(host)).toBe(0);
    }));

  test('without tracker and peer waits for somebody to call, and says why', () =>
    withSeed(PRIVATE, async (swarm, host) => {
      const argv = [TORRENT, '--bootstrap', NODE, '--timeout', '5s'];
      const { code, stderr } = await download(host, swarm, argv);
      expect(code).toBe(6);
      expect(stderr).toMatch(
        /^warning: the torrent is private, which keeps it out of the DHT, and names no tracker/,
      );
      expect(swarm.heardFrom(host)).toBe(0);
    }));

  test('beside one that is not: only that one is looked for', () =>
    withSeed(PRIVATE, async (swarm, host, seed) => {
      const other = '12'.repeat(20);
      const argv = [TORRENT, other, '--bootstrap', NODE, '--peer', seed, '--timeout', '20s'];
      const { code } = await download(host, swarm, argv);
      expect(code).toBe(6);
      expect(await swarm.digests(host)).toEqual(swarm.expected);
      expect(swarm.askedBy(host, 'get_peers')).toEqual([]);
      expect(new Set(swarm.asked.map(({ infoHash }) => infoHash))).toEqual(new Set([other]));
    }));
});

test('a seed of a PATH is found by its infohash alone', async () => {
  await using swarm = new DhtSwarm(makeContent(200_000));
  await swarm.populate(NODES);
  const { world } = swarm;
  const sharing = swarm.host(LINE);
  const files = Object.fromEntries(
    [...swarm.content.files].map(([path, bytes]) => [`/pub/${path}`, bytes]),
  );
  const stop = new AbortController();
  const found = Promise.withResolvers<string>();
  const seeding = startBip(sharing.runtime, {
    argv: ['seed', '/pub/album', '--bootstrap', NODE, '--json'],
    files,
    signal: stop.signal,
    onWrite: (stream, text) => (stream === 'stdout' ? found.resolve(text) : undefined),
  });
  const seeds: { infoHash: string } = JSON.parse(await world.run(found.promise));
  await world.runFor(30_000);
  const host = swarm.host(LINE);
  const got = download(host, swarm, [seeds.infoHash, '--bootstrap', NODE]);
  expect(await world.run(got)).toMatchObject({ code: 0, stdout: '/data/album\n', stderr: '' });
  expect(await swarm.digests(host)).toEqual(swarm.expected);
  stop.abort(new Interrupted('SIGINT'));
  expect((await world.run(seeding)).code).toBe(130);
  expect(sharing.open).toEqual([]);
});

describe('the node', () => {
  const source = { type: 'metainfo', metainfo: makeContent(100_000).metainfo } as const;
  const reporter = { explain: (): void => undefined, warn: (): void => undefined };
  const context = { env: {}, runtime: makeWorld().host('10.0.0.1').runtime };
  const node = { host: '80.0.0.1', port: 1 };
  const here = { host: '127.0.0.2', port: 2 };

  test.each<[string, Partial<DhtFlags>, object]>([
    ['without a flag', {}, { bootstrap: WELL_KNOWN_ROUTERS, limitAddresses: true }],
    ['--bootstrap', { bootstrap: [node] }, { bootstrap: [node], limitAddresses: true }],
    ['of this machine', { bootstrap: [here] }, { bootstrap: [here], limitAddresses: false }],
    ['and of others', { bootstrap: [here, node] }, { limitAddresses: true }],
    [
      '--host on loopback meets this machine alone',
      { host: '127.0.0.3' },
      { hosts: ['127.0.0.3'], bootstrap: [], limitAddresses: false },
    ],
    ['--host', { host: '192.0.2.1' }, { hosts: ['192.0.2.1'], bootstrap: WELL_KNOWN_ROUTERS }],
    ['--bind', { bind: '192.0.2.2', host: '127.0.0.1' }, { hosts: ['192.0.2.2'] }],
    [
      '--host of IPv4',
      { host: '0.0.0.0' },
      { hosts: ['0.0.0.0'], bootstrap: WELL_KNOWN_ROUTERS, limitAddresses: true },
    ],
  ])('%s', async (_, flags, expected) => {
    const options = await dhtOptions(
      { dht: true, ...flags },
      { sources: [source], reporter, context },
    );
    expect(options).toMatchObject({ readOnly: false, ...expected });
  });

  test('of all addresses; read-only when it is over in a moment', async () => {
    const wishes = { sources: [source], reporter, context, isBrief: true };
    const options = await dhtOptions({ dht: true, host: '::' }, wishes);
    expect(options).toMatchObject({ readOnly: true, bootstrap: WELL_KNOWN_ROUTERS });
    expect(options).not.toHaveProperty('hosts');
  });

  test('begins with nodes that open torrents name, a few of them, and no private one', async () => {
    const nodes = Array.from({ length: 20 }, (_, at) => ({ host: 'node.example', port: at + 1 }));
    const metainfo = { ...source.metainfo, nodes };
    const secret = { ...PRIVATE.metainfo, nodes: [node] };
    const sources = [secret, metainfo].map((one) => ({ type: 'metainfo', metainfo: one }) as const);
    const options = await dhtOptions(
      { dht: true, bootstrap: [here] },
      { sources, reporter, context },
    );
    expect(options?.bootstrap).toEqual([here, ...nodes.slice(0, 8)]);
  });
});
