/** `--proxy`: everything goes to the proxy, and nothing to anybody else. */

import { describe, expect, test } from 'vitest';
import { formatEndpoint } from '../../src/base/endpoint.ts';
import type { Runtime } from '../../src/runtime/ports.ts';
import type { SimHost } from '../../src/runtime/sim/index.ts';
import { ProxyServer, type ProxyServerOptions } from '../proxy/proxy-server.ts';
import { DhtSwarm, nodeAddress } from '../simulation/dht-swarm.ts';
import { makeContent } from '../simulation/swarm-world.ts';
import { serveTracker, TRACKER_PORT, type TrackerHost } from '../tracker/world.ts';
import { type BipResult, bip, type RunOptions, startBip } from './harness.ts';

const LINE = { latencyMs: 10, upload: 400_000, download: 2_000_000 } as const;
const PROXY = '82.0.0.1';
const TRACKER = '83.0.0.1';
const NODES = 10;
const NODE = `node.example:${nodeAddress(0).port}`;
const UDP_URL = `udp://tracker.example:${TRACKER_PORT}/announce`;
const HTTP_URL = `http://tracker.example:${TRACKER_PORT}/announce`;

interface Scene {
  readonly swarm: DhtSwarm;
  /** Where bip runs. */
  readonly host: SimHost;
  /** The address of a seed that is in the DHT and known to the tracker. */
  readonly seed: string;
  readonly proxy: ProxyServer;
  readonly tracker: TrackerHost;
  /** Names that this host asked its own DNS about. */
  readonly looked: string[];
  run(argv: readonly string[], more?: Partial<RunOptions>): Promise<BipResult>;
  /** To whom this host sent anything. */
  contacted(): ReadonlySet<string>;
}

async function scene(
  work: (scene: Scene) => Promise<void>,
  options: Partial<ProxyServerOptions> = {},
): Promise<void> {
  await using swarm = new DhtSwarm(makeContent(200_000), { keepLines: true });
  const { world } = swarm;
  await swarm.populate(NODES);
  const seed = await world.run(swarm.seed(LINE));
  const tracker = await world.run(serveTracker(world, world.host(TRACKER)));
  world.names.set('tracker.example', [TRACKER]);
  world.names.set('node.example', [nodeAddress(0).host]);
  world.names.set('seed.example', [seed.host.address]);
  world.names.set('proxy.example', [PROXY]);
  await world.runFor(30_000);
  const proxy = await world.run(
    ProxyServer.start(world.host(PROXY).runtime, { host: PROXY, ...options }),
  );
  const host = swarm.host(LINE);
  const looked: string[] = [];
  const { lookup } = host.runtime;
  const runtime: Runtime = {
    ...host.runtime,
    lookup: {
      ...lookup,
      addresses(name, how) {
        looked.push(name);
        return lookup.addresses(name, how);
      },
      texts(name, how) {
        looked.push(name);
        return lookup.texts(name, how);
      },
    },
  };
  const sent = / (?:datagram|lost|segment|connect|refuse) (?<from>\S+) > (?<to>\S+):\d+/;
  await world.run(
    work({
      ...{ swarm, host, proxy, tracker, looked, seed: formatEndpoint(seed.endpoint) },
      run: (argv, more = {}) => startBip(runtime, { argv, ...more }),
      contacted: () =>
        new Set(
          (world.trace.lines ?? []).flatMap((line) => {
            const { from, to } = sent.exec(line)?.groups ?? {};
            return from === host.address && to !== undefined ? [to] : [];
          }),
        ),
    }),
  );
  expect(host.open).toEqual([]);
  await world.run(
    Promise.all([seed.session, proxy].map(async (one) => one[Symbol.asyncDispose]())),
  );
}

function linkOf({ swarm, seed }: Scene, ...trackers: readonly string[]): string {
  const hash = swarm.content.metainfo.infoHash?.hex ?? '';
  const port = seed.slice(seed.lastIndexOf(':') + 1);
  const tr = trackers.map((url) => `&tr=${encodeURIComponent(url)}`).join('');
  return `magnet:?xt=urn:btih:${hash}${tr}&x.pe=seed.example:${port}`;
}

describe('nothing goes around the proxy', () => {
  test('of a download by trackers over UDP and HTTP, the DHT and a peer that is named', () =>
    scene(async (at) => {
      const { proxy, looked, tracker, swarm, host, run, contacted } = at;
      const url = `socks5://${formatEndpoint(proxy.local)}`;
      const link = linkOf(at, UDP_URL, HTTP_URL);
      const options = ['--bootstrap', NODE, '--proxy', url, '--output', '/data'];
      const result = await run(['download', link, ...options]);
      expect(result).toMatchObject({ code: 0, stdout: '/data/album\n', stderr: '' });
      expect(await swarm.digests(host)).toEqual(swarm.expected);
      expect(contacted()).toEqual(new Set([PROXY]));
      expect(looked).toEqual(looked.map(() => PROXY));
      // All of them were asked, by name.
      expect(proxy.asked.some((to) => to.startsWith('seed.example:'))).toBe(true);
      expect(proxy.relayed).toContain(`tracker.example:${TRACKER_PORT}`);
      expect(proxy.relayed).toContain(NODE);
      expect(new Set(tracker.packets.map(({ from }) => from.host))).toEqual(new Set([PROXY]));
      // Whom nobody can call is not told of; trackers want a port.
      expect(new Set(tracker.tiny.heard.map(({ port }) => port))).toEqual(new Set([1]));
      expect(swarm.askedBy(host, 'announce_peer')).toEqual([]);
      expect(swarm.asked.filter(({ from }) => from.startsWith(PROXY)).length).toBeGreaterThan(0);
    }));

  test('of a download by an HTTP proxy, which has no way for the DHT', () =>
    scene(async (at) => {
      const { proxy, looked, swarm, host, run, contacted } = at;
      const url = `http://${formatEndpoint(proxy.local)}`;
      const result = await run([
        'download',
        ...[linkOf(at, HTTP_URL), '--bootstrap', NODE, '--proxy', url, '--output', '/data'],
      ]);
      expect(result).toMatchObject({ code: 0, stdout: '/data/album\n' });
      expect(result.stderr).toBe(
        `warning: the proxy ${url} cannot carry UDP: HTTP has no way for it, SOCKS5 has one; the DHT is not used, and UDP trackers cannot be asked\n`,
      );
      expect(await swarm.digests(host)).toEqual(swarm.expected);
      expect(contacted()).toEqual(new Set([PROXY]));
      expect(looked).toEqual(looked.map(() => PROXY));
      expect(proxy.asked).toContain(`tracker.example:${TRACKER_PORT}`);
    }));

  test('of a session whose proxy refuses everything', () =>
    scene(
      async (at) => {
        const { proxy, looked, run, contacted } = at;
        const url = `socks5://${formatEndpoint(proxy.local)}`;
        const link = linkOf(at, UDP_URL, HTTP_URL);
        const argv = ['download', link, '--bootstrap', NODE, '--proxy', url, '--timeout', '5m'];
        const result = await run(argv);
        expect(result.code).toBe(6);
        expect(result.stderr).toContain('does not relay UDP: its rules do not allow it');
        expect(contacted()).toEqual(new Set([PROXY]));
        expect(looked).toEqual(looked.map(() => PROXY));
      },
      { refuse: 2 },
    ));

  test('of magnet fetch, tracker announce and scrape, and the commands of the DHT', () =>
    scene(async (at) => {
      const { proxy, looked, swarm, run, contacted } = at;
      const hash = swarm.content.metainfo.infoHash?.hex ?? '';
      const through = ['--proxy', `socks5://proxy.example:${proxy.local.port}`];
      const commands = [
        ['magnet', 'fetch', linkOf(at, UDP_URL), '--bootstrap', NODE, '--output', '/a.torrent'],
        ['tracker', 'announce', UDP_URL, hash],
        ['tracker', 'announce', HTTP_URL, hash],
        ['tracker', 'scrape', UDP_URL, hash],
        ['tracker', 'scrape', HTTP_URL, hash],
        ['dht', 'ping', NODE],
        ['dht', 'lookup', hash, '--bootstrap', NODE],
        ['dht', 'scrape', hash, '--bootstrap', NODE],
      ];
      for (const argv of commands) {
        const { code, stdout, stderr } = await run([...argv, ...through]);
        expect({ argv, code, stderr }).toEqual({ argv, code: 0, stderr: '' });
        expect(stdout).not.toBe('');
      }
      expect(contacted()).toEqual(new Set([PROXY]));
      expect(new Set(looked)).toEqual(new Set(['proxy.example']));
    }));

  test('of probes, over TCP alone unless uTP is asked for', () =>
    scene(async ({ proxy, swarm, seed, run, contacted }) => {
      const hash = swarm.content.metainfo.infoHash?.hex ?? '';
      const through = ['--proxy', `socks5://proxy.example:${proxy.local.port}`];
      const probe = ['handshake', 'probe', seed, '--info-hash', hash, ...through];
      const byTcp = await run(probe);
      expect(byTcp).toMatchObject({ code: 0, stderr: '' });
      expect(byTcp.stdout).toMatch(/\ttcp\n$/);
      const byUtp = await run([...probe, '--transport', 'utp']);
      expect(byUtp).toMatchObject({ code: 0, stderr: '' });
      expect(byUtp.stdout).toMatch(/\tutp\n$/);
      expect(contacted()).toEqual(new Set([PROXY]));
    }));

  test('of a torrent that is fetched from the web, though only the environment names a proxy', () =>
    scene(async ({ proxy, looked, swarm, run, contacted }) => {
      const web = swarm.world.host('84.0.0.1');
      web.serveHttp(80, () => ({ body: swarm.content.torrent }));
      swarm.world.names.set('web.example', [web.address]);
      const env = { BIP_PROXY: `socks5://${formatEndpoint(proxy.local)}` };
      const argv = ['metainfo', 'inspect', 'http://web.example/album.torrent', '--json'];
      expect(await run(argv, { env })).toMatchObject({ code: 0 });
      expect(contacted()).toEqual(new Set([PROXY]));
      expect(looked).toEqual([PROXY]);
      expect(proxy.asked).toEqual(['web.example:80']);
    }));
});

describe('a seed behind a proxy', () => {
  test('says that nobody can call it, names no address, and serves whom it calls', () =>
    scene(async (at) => {
      const { proxy, host, seed, swarm, run, contacted } = at;
      const files = Object.fromEntries(
        [...swarm.content.files].map(([path, bytes]) => [`/data/${path}`, bytes]),
      );
      const result = await run(
        [
          ...['seed', '/in/album.torrent', '--content', '/data', '--timeout', '2m', '--json'],
          ...['--peer', seed, '--bootstrap', NODE],
          ...['--proxy', `socks5://${formatEndpoint(proxy.local)}`],
        ],
        { files: { ...files, '/in/album.torrent': swarm.content.torrent } },
      );
      expect(result.code).toBe(6);
      expect(result.stderr).toContain('nobody can call through a proxy');
      const seeding = result.stdout.split('\n').find((line) => line.includes('"seeding"')) ?? '{}';
      expect(JSON.parse(seeding)).not.toHaveProperty('port');
      expect(seeding).not.toContain('x.pe');
      expect(seeding).not.toContain(host.address);
      expect(contacted()).toEqual(new Set([PROXY]));
      expect(proxy.asked).toContain(seed);
    }));
});

describe('flags', () => {
  test('a proxy that is not there ends a download at once', () =>
    scene(async (at) => {
      const result = await at.run(['download', linkOf(at), '--proxy', 'socks5://85.0.0.1:9']);
      expect(result.code).toBe(1);
      expect(result.stderr).toContain('the proxy socks5://85.0.0.1:9 cannot be reached');
    }));

  test('a wrong password ends it, and is not shown', () =>
    scene(
      async (at) => {
        const url = `socks5://me:geheim@${formatEndpoint(at.proxy.local)}`;
        const result = await at.run(['download', linkOf(at), '--proxy', url, '--verbose']);
        expect(result.code).toBe(1);
        expect(result.stderr).toContain('does not accept this user and password');
        expect(result.stderr).not.toContain('geheim');
      },
      { login: ['me', 'secret'] },
    ));

  test('what is no proxy is refused, and the environment is named when it was there', async () => {
    const bad = await bip('download', 'x.torrent', '--proxy', 'https://me:geheim@h');
    expect(bad.code).toBe(2);
    expect(bad.stderr).toContain('--proxy: this is no proxy: proxies that are spoken to over TLS');
    expect(bad.stderr).not.toContain('geheim');
    await scene(async ({ run }) => {
      const result = await run(['dht', 'ping', NODE], { env: { BIP_PROXY: 'proxy:1080' } });
      expect(result.code).toBe(2);
      expect(result.stderr).toContain('BIP_PROXY: this is no proxy');
    });
  });

  test('--no-proxy goes straight, and an empty variable is none', () =>
    scene(async ({ run, contacted, proxy }) => {
      const env = { BIP_PROXY: `socks5://${formatEndpoint(proxy.local)}` };
      expect(await run(['dht', 'ping', NODE, '--no-proxy'], { env })).toMatchObject({ code: 0 });
      expect(await run(['dht', 'ping', NODE], { env: { BIP_PROXY: '' } })).toMatchObject({
        code: 0,
      });
      expect(contacted()).toEqual(new Set([nodeAddress(0).host]));
    }));

  test.each([
    [['download', 'x.torrent', '--port', '6881'], '--port and --host'],
    [['seed', 'x.torrent', '--host', '10.0.0.1'], '--port and --host'],
    [['magnet', 'fetch', 'x', '--port', '1'], '--port and --host'],
    [['dht', 'ping', '10.0.0.9:1', '--port', '6881'], '--port'],
  ])('%j contradicts a proxy', async (argv, named) => {
    const result = await bip(...argv, '--proxy', 'socks5://10.0.0.2');
    expect(result.code).toBe(2);
    expect(result.stderr).toContain(named);
  });

  test('--bind names the address that the proxy is called from', () =>
    scene(async (at) => {
      const url = `socks5://${formatEndpoint(at.proxy.local)}`;
      const argv = ['download', linkOf(at), '--proxy', url, '--bind', '9.9.9.9'];
      const result = await at.run(argv);
      expect(result.code).toBe(1);
      expect(result.stderr).toContain('this machine has no such address');
    }));
});
