/** `bip dht serve`: what it prints, for whom, whom it answers, and how it ends. */

import { describe, expect, test } from 'vitest';
import { formatHex } from '../../src/base/bytes.ts';
import { formatEndpoint } from '../../src/base/endpoint.ts';
import { parseIp } from '../../src/base/ip.ts';
import { isSecureId } from '../../src/dht/index.ts';
import { publicAddress } from '../dht/dht-world.ts';
import { US } from './dht-scene.ts';
import { DhtServeScene, MEMORY, type ServedDht } from './dht-serve-world.ts';
import { eventsOf } from './serve-world.ts';

const HERE = `${US}:6881`;
const HASH = new Uint8Array(20).fill(0x5a);
/** Of ten nodes eight know everybody's neighbours. */
const SOME: unknown = expect.toSatisfy((count: number) => count >= 8 && count <= 10);

/** A few nodes, and one that serves and has had time to join. */
async function joined(
  scene: DhtServeScene,
  argv: readonly string[] = [],
  nodes = 10,
): Promise<ServedDht> {
  await scene.populate(nodes);
  const serving = await scene.serve(['--bootstrap', scene.nodeAt(0), ...argv]);
  await scene.world.runFor(60_000);
  return serving;
}

describe('in a pipe', () => {
  test('the addresses to begin with, one a line, and nothing else', async () => {
    await using scene = new DhtServeScene();
    const serving = await joined(scene);
    expect(await serving.stop()).toMatchObject({
      code: 130,
      stdout: `${HERE}\n`,
      // Under the id of its own, and under the one that follows from its address.
      stderr: expect.stringMatching(/^(joined the DHT of IPv4 by \d+ nodes\n){2}$/),
    });
  });

  test('--port, --host and -4', async () => {
    await using scene = new DhtServeScene();
    const printed = async (...argv: string[]): Promise<string> =>
      (await (await scene.serve(argv)).stop()).stdout;
    expect(await printed('--port', '7000', '-4', '--no-bootstrap')).toBe(`${US}:7000\n`);
    expect(await printed('--host', '127.0.0.1', '-p', '7')).toBe('127.0.0.1:7\n');
    expect(await printed('--host', '127.0.0.1', '-p', '0')).toMatch(/^127\.0\.0\.1:[1-9]\d*\n$/);
  });
});

describe('others', () => {
  test('find it, ask it, and store with it', async () => {
    await using scene = new DhtServeScene();
    // So few that everybody stores everything.
    const serving = await joined(scene, ['--json'], 6);
    const { node } = scene.member(3);
    await scene.announce(3, HASH, 5000);
    const pong = await scene.world.run(node.ping({ host: US, port: 6881 }, scene.signal));
    expect(formatHex(pong.id)).toBe(serving.told('joined').at(-1)?.['nodeId']);
    await scene.world.runFor(60_000);
    const stats = serving.told('stats').at(-1);
    expect(stats).toMatchObject({ torrents: 1, peers: 1, items: 0, memoryBytes: MEMORY });
    const [found] = await scene.world.run(
      scene.member(5).node.findPeers(HASH, { signal: scene.signal }),
    );
    expect(found?.peers.map(formatEndpoint)).toEqual([`${publicAddress(3)}:5000`]);
    await serving.stop();
  });

  test('are not answered when it is --read-only (BEP 43)', async () => {
    await using scene = new DhtServeScene();
    const serving = await joined(scene, ['--json', '--read-only']);
    expect(serving.told('listening')).toEqual([expect.objectContaining({ readOnly: true })]);
    expect(serving.told('joined').length).toBeGreaterThan(0);
    const { node } = scene.member(3);
    const asked = scene.world.run(node.ping({ host: US, port: 6881 }, scene.signal));
    await expect(asked).rejects.toMatchObject({ code: 'BIP_TIMEOUT' });
    await serving.stop();
  });

  test('who ask too much get no answer: --rate-limit', async () => {
    const answered = async (...limit: string[]): Promise<number> => {
      await using scene = new DhtServeScene();
      await scene.populate(1);
      const serving = await scene.serve(['--no-bootstrap', '--json', ...limit]);
      const { node } = scene.member(0);
      const pings = Array.from({ length: 40 }, () =>
        node.ping({ host: US, port: 6881 }, scene.signal),
      );
      const settled = await scene.world.run(Promise.allSettled(pings));
      const end = (await serving.stop()).stdout;
      const [family] = Object.values(eventsOf({ stdout: end }).at(-1)?.['families'] ?? {});
      const good = settled.filter(({ status }) => status === 'fulfilled').length;
      expect(family).toMatchObject({ refused: 40 - good });
      return good;
    };
    expect(await answered('--rate-limit', '2')).toBe(20);
    expect(await answered('--no-rate-limit')).toBe(40);
  });

  test('store no more than it wants to keep: --max-peers, --max-torrents, --max-items', async () => {
    await using scene = new DhtServeScene();
    await scene.populate(1);
    const serving = await scene.serve([
      ...['--bootstrap', scene.nodeAt(0), '--json', '--log-every', '10s'],
      ...['--max-torrents', '2', '--max-peers', '3', '--max-items', '1'],
    ]);
    await scene.world.runFor(60_000);
    for (let at = 0; at < 5; at++) {
      const infoHash = new Uint8Array(20).fill(at);
      await scene.announce(0, infoHash, 5000);
      await scene.announce(0, infoHash, 5001);
      await scene.ask(['put', `item ${at}`], { host: scene.world.host(`82.0.0.${at + 1}`) });
    }
    await scene.world.runFor(10_000);
    const stats = serving.told('stats').at(-1);
    expect(stats).toMatchObject({ torrents: 2, items: 1 });
    expect(Number(stats?.['peers'])).toBeLessThanOrEqual(3);
    await serving.stop();
  });
});

describe('with --json', () => {
  test('an event a line, as it happens; the last one sums up', async () => {
    await using scene = new DhtServeScene();
    const serving = await joined(scene, ['--json', '--log-every', '20s']);
    const [listening] = serving.told('listening');
    expect(listening).toEqual({
      type: 'listening',
      addresses: [HERE],
      nodeIds: { ipv4: expect.stringMatching(/^[0-9a-f]{40}$/) },
      readOnly: false,
    });
    const [address] = serving.told('address');
    expect(address).toMatchObject({ family: 'ipv4', externalIp: US, secure: true });
    const id = Buffer.from(String(address?.['nodeId']), 'hex');
    expect(isSecureId(id, parseIp(US) ?? HASH)).toBe(true);
    // Under the first id, and again under the one that follows from the address.
    const ids = serving.told('joined').map(({ nodeId }) => nodeId);
    expect(ids).toEqual([expect.any(String), address?.['nodeId']]);
    const stats = serving.told('stats');
    expect(stats.map(({ elapsedMs }) => elapsedMs)).toEqual([20_000, 40_000, 60_000]);
    expect(stats.at(-1)).toMatchObject({
      families: [
        {
          family: 'ipv4',
          nodeId: address?.['nodeId'],
          externalIp: US,
          secure: true,
          nodes: SOME,
          goodNodes: SOME,
          queriesIn: { announce_peer: 0 },
          timeouts: 0,
          refused: 0,
        },
      ],
      memoryBytes: MEMORY,
    });
    const left = await serving.stop('SIGTERM');
    expect(left).toMatchObject({ code: 143, stderr: '' });
    const end = eventsOf(left).at(-1);
    expect(end).toMatchObject({ type: 'end', torrents: 0, elapsedMs: 60_000 });
  });

  test('rates are of the time since the event before', async () => {
    await using scene = new DhtServeScene();
    const serving = await joined(scene, ['--json', '--log-every', '10s']);
    const { node } = scene.member(3);
    const before = serving.told('stats').length;
    for (let ping = 0; ping < 5; ping++) {
      await scene.world.run(node.ping({ host: US, port: 6881 }, scene.signal));
    }
    await scene.world.runFor(20_000);
    const [first, second] = serving.told('stats').slice(before - 1);
    const counted = (event: unknown, field: string): number => {
      const { families }: { families?: Record<string, Record<string, number>>[] } = Object(event);
      return families?.[0]?.[field]?.['ping'] ?? Number.NaN;
    };
    const more = counted(second, 'queriesIn') - counted(first, 'queriesIn');
    expect(more).toBeGreaterThanOrEqual(5);
    expect(counted(second, 'queriesInPerSecond')).toBe(more / 10);
    await serving.stop();
  });

  test('that nobody answers is told once, until somebody does', async () => {
    await using scene = new DhtServeScene();
    await scene.populate(2);
    const [dead] = [scene.world.host('203.0.113.9')];
    const serving = await scene.serve(['--bootstrap', '203.0.113.9:6881', '--json']);
    await scene.world.runFor(180_000);
    expect(serving.told('alone')).toEqual([{ type: 'alone', family: 'ipv4' }]);
    expect(serving.told('joined')).toEqual([]);
    scene.member(1).node.suggest({ host: US, port: 6881 });
    await scene.world.runFor(180_000);
    expect(serving.told('joined').length).toBeGreaterThan(0);
    expect(dead?.open).toEqual([]);
    await serving.stop();
  });
});

describe('on a terminal', () => {
  test('addresses and ids, a picture that redraws itself, and the sum', async () => {
    await using scene = new DhtServeScene();
    await scene.populate(10);
    const argv = ['--bootstrap', scene.nodeAt(0), '--color', 'never', '--stats', '81'];
    const serving = await scene.serve(argv, { tty: true });
    await scene.world.runFor(61_000);
    const { code, stdout, stderr } = await serving.stop();
    expect(code).toBe(130);
    expect(stdout).toMatch(
      /^81\.0\.0\.1:6881\nid in IPv4 [0-9a-f]{40}\nstats http:\/\/127\.0\.0\.1:81\/stats\n\d+ queries in 1m 01s, \d+ nodes known at the end\n$/,
    );
    expect(stderr).toMatch(
      /IPv4 {2}\d+ nodes, \d+ good {2}seen at 81\.0\.0\.1 {2}the id fits it\n/,
    );
    expect(stderr).toMatch(/\nin {4}[\d.]+ queries\/s( {2}\w+ [\d.]+)*\n/);
    expect(stderr).toContain('kept  0 peers of 0 torrents  0 items  memory 64 MiB  up 1m 01s\n');
    expect(stderr.endsWith('\u001b[Jinterrupted\n')).toBe(true);
  });

  test.each([5, 20, 40, 60, 80, 200])('no line of it wraps: %i columns', async (columns) => {
    await using scene = new DhtServeScene();
    await scene.populate(10);
    const argv = ['--bootstrap', scene.nodeAt(0), '--color', 'never'];
    const serving = await scene.serve(argv, { tty: { stderr: true, columns } });
    await scene.world.runFor(5000);
    const { stderr } = await serving.stop();
    const drawn = stderr.split('\u001b[J').slice(1, -1).join('').split('\n');
    const picture = drawn.filter((line) => /^(?:IPv4|in|out|kept) {2}/.test(line));
    if (columns >= 20) expect(picture.length).toBeGreaterThan(8);
    expect(picture.filter((line) => line.length >= columns)).toEqual([]);
  });

  test('nothing is drawn beside a pipe of JSON, and with --quiet', async () => {
    await using scene = new DhtServeScene();
    await scene.populate(5);
    const argv = ['--bootstrap', scene.nodeAt(0)];
    for (const [more, stdout] of [
      ['--json', false],
      ['--quiet', true],
    ] as const) {
      const tty = { stderr: true, stdout };
      const serving = await scene.serve([...argv, more], { tty });
      await scene.world.runFor(5000);
      expect((await serving.stop()).stderr).not.toContain('queries/s');
    }
  });

  test('who is alone is told what helps, unless it is the first', async () => {
    await using scene = new DhtServeScene();
    const first = await scene.serve(['--no-bootstrap']);
    await scene.world.runFor(60_000);
    expect((await first.stop()).stderr).toBe('the DHT of IPv4: nobody else is here yet\n');
    const lost = await scene.serve(['--bootstrap', '203.0.113.9:6881']);
    await scene.world.runFor(60_000);
    expect((await lost.stop()).stderr).toBe(
      'warning: no node of the DHT of IPv4 answers; they are asked again and again; --bootstrap HOST:PORT names others\n',
    );
  });
});

describe('--stats', () => {
  test('JSON, metrics and health over HTTP', async () => {
    await using scene = new DhtServeScene();
    const serving = await joined(scene, ['--json', '--stats', `${US}:81`]);
    const reader = scene.world.host('82.0.0.1').runtime.http;
    const read = async (path: string) => {
      const url = `http://${US}:81${path}`;
      const { signal } = scene;
      const got = await scene.world.run(reader.get({ url, maxBytes: 100_000 }, { signal }));
      const { status, headers, body } = got;
      return { status, type: headers['content-type'], text: new TextDecoder().decode(body) };
    };
    expect(serving.told('listening')[0]).toMatchObject({ stats: `http://${US}:81/stats` });
    const stats = await read('/stats?now');
    expect(stats).toMatchObject({ status: 200, type: 'application/json' });
    expect(JSON.parse(stats.text)).toMatchObject({
      version: '0.0.0-test',
      readOnly: false,
      startedAt: expect.stringMatching(/^\d{4}-.*Z$/),
      uptimeSeconds: 60,
      families: [{ family: 'ipv4', nodes: SOME, externalIp: US, secure: true }],
      memoryBytes: MEMORY,
    });
    const metrics = await read('/metrics');
    expect(metrics.type).toBe('text/plain; version=0.0.4; charset=utf-8');
    const lines = metrics.text.split('\n');
    expect(metrics.text).toMatch(/\nbip_dht_nodes\{family="ipv4"\} ([89]|10)\n/);
    expect(lines).toContain('bip_dht_secure_id{family="ipv4"} 1');
    expect(lines).toContain('bip_dht_info{version="0.0.0-test",read_only="false"} 1');
    expect(metrics.text).toMatch(
      /\nbip_dht_queries_sent_total\{family="ipv4",query="find_node"\} [1-9]/,
    );
    expect(await read('/healthz')).toMatchObject({ status: 200, text: 'ok\n' });
    expect(await read('/')).toMatchObject({
      status: 404,
      text: 'there are /stats, /metrics and /healthz\n',
    });
    await serving.stop();
  });
});

describe('the end', () => {
  test.each(['pipe', 'json'])('--timeout: exit 6, after the sum (%s)', async (how) => {
    await using scene = new DhtServeScene();
    const argv = ['--timeout', '90s', '--no-bootstrap', ...(how === 'json' ? ['--json'] : [])];
    const serving = scene.start(argv);
    const { code, stdout, stderr } = await scene.world.run(serving.ended);
    expect([code, scene.us.open]).toEqual([6, []]);
    const sentence = 'stopped after the --timeout of 1m 30s';
    const last = stderr.trimEnd().split('\n').at(-1) ?? '';
    if (how === 'pipe') expect(last).toBe(`error: ${sentence}`);
    else {
      expect(JSON.parse(last)).toEqual({ error: { code: 'BIP_LIMIT', message: sentence } });
      expect(eventsOf({ stdout }).at(-1)).toMatchObject({ type: 'end', elapsedMs: 90_000 });
    }
  });

  test('Ctrl-C before anything is open', async () => {
    await using scene = new DhtServeScene();
    const serving = scene.start(['--no-bootstrap']);
    expect(await serving.stop()).toMatchObject({ code: 130, stdout: '', stderr: '' });
  });

  test.each(['node', 'stats'] as const)('a port that is taken: %s', async (which) => {
    await using scene = new DhtServeScene();
    const { network } = scene.us.runtime;
    const { signal } = scene;
    await using _ = await scene.world.run(
      which === 'node'
        ? network.bindDatagrams({ port: 6881, signal })
        : network.listen(() => undefined, { port: 81, signal }),
    );
    const open = scene.us.open.length;
    const serving = scene.start(['--stats', '81', '--no-bootstrap', '--table', '/table']);
    const { code, stdout, stderr } = await scene.world.run(serving.ended);
    expect([code, stdout, scene.us.open.length]).toEqual([1, '', open]);
    const flag = which === 'stats' ? '--stats' : '--port';
    expect(stderr).toMatch(
      new RegExp(`^error: cannot (?:listen on|bind) .*; choose another port with ${flag}\n$`),
    );
    const { files } = scene.us.runtime;
    expect(await scene.world.run(files.stat('/table'))).toBeUndefined();
  });

  test.each<[string[], RegExp]>([
    [['--port', '70000'], /--port: `70000` is no whole number from 0 to 65535/],
    [['--host', 'localhost'], /--host: `localhost` is no IP address/],
    [['--host', '10.0.0.1', '--host', '10.0.0.2'], /--host: a node has one address of each family/],
    [['-6', '--host', '10.0.0.1'], /--host 10\.0\.0\.1: the address is of the family that was exc/],
    [['-4', '-6'], /cannot be used with option/],
    [['--save-every', '1m'], /--save-every needs --table/],
    [['--stats', 'here'], /--stats: `here` is no port and no ADDRESS:PORT/],
    [['--bootstrap', 'nowhere'], /`nowhere` is no HOST:PORT/],
    [['--max-peers', '0'], /--max-peers: `0` is no whole number from 1/],
    [['--log-every', '10ms'], /--log-every: `10ms` is shorter than 1 s/],
    [['extra'], /too many arguments/],
  ])('flags that make no sense: %s', async (argv, sentence) => {
    await using scene = new DhtServeScene();
    const { code, stdout, stderr } = await scene.world.run(scene.start(argv).ended);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(sentence);
  });
});
