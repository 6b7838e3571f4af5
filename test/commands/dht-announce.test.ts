/** `bip dht announce` and `bip dht scrape` in the simulated world. */

import { describe, expect, test } from 'vitest';
import { Interrupted } from '../../commands/cli/context.ts';
import { formatHex } from '../../src/base/bytes.ts';
import { formatEndpoint } from '../../src/base/endpoint.ts';
import { encode } from '../../src/bencode/index.ts';
import { publicAddress } from '../dht/dht-world.ts';
import { DhtScene, printed, printedError, printedLines, US } from './dht-scene.ts';

const HASH = new Uint8Array(20).fill(0x5a);
const HEX = formatHex(HASH);
const OTHER = 'ab'.repeat(20);

class Scene extends DhtScene {
  static async of(count: number): Promise<Scene> {
    const scene = new Scene();
    await scene.populate(count);
    return scene;
  }
  /** Peers that a member finds. */
  async peers(noSeed = false): Promise<readonly string[]> {
    const { node } = this.member(1);
    const [found] = await this.world.run(node.findPeers(HASH, { signal: this.signal, noSeed }));
    return (found?.peers ?? []).map(formatEndpoint);
  }
}

describe('announce', () => {
  test('tells the nodes that are closest, which tell others', async () => {
    await using scene = await Scene.of(20);
    const { code, stdout, stderr } = await scene.ask(['announce', HEX, '--port', '5000']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toBe(`${HEX}\t8\t0\t0\t0\n`);
    expect(await scene.peers()).toEqual([`${US}:5000`]);
    expect(await scene.peers(true)).toEqual([`${US}:5000`]);
  });

  test('JSON', async () => {
    await using scene = await Scene.of(20);
    await scene.announce(3, HASH, 4000);
    const result = await scene.ask(['announce', HEX, '--port', '5000', '--seed', '--json']);
    expect([result.code, result.stderr]).toEqual([0, '']);
    const { nodes, nodesAnswered, ...rest } = printed(result);
    expect(rest).toMatchObject({
      ...{ infoHash: HEX, port: 5000, seed: true, peers: 1 },
      ...{ stored: 8, refused: 0, timedOut: 0 },
    });
    expect(rest).not.toHaveProperty('type');
    expect(nodes).toHaveLength(8);
    expect(nodes).toMatchObject(Array.from({ length: 8 }, () => ({ outcome: 'stored' })));
    expect(nodesAnswered).toBeGreaterThanOrEqual(8);
    // A seed is not given to who wants none.
    expect(await scene.peers(true)).toEqual([`${publicAddress(3)}:4000`]);
  });

  test('in words on a terminal', async () => {
    await using scene = await Scene.of(10);
    const argv = ['announce', HEX, '--port', '5000', '--seed'];
    const { stdout } = await scene.ask(argv, { tty: true });
    expect(stdout).toMatch(
      /^announced port 5000 of (5a)+ as a seed to 8 nodes in \d+ ms; they know 0 peers\n$/,
    );
  });

  test('--implied-port: the port that nodes see, behind a NAT', async () => {
    await using scene = await Scene.of(12);
    const host = scene.world.host('82.0.0.1', { nat: 'symmetric' });
    const argv = ['announce', HEX, '--port', '5000', '--implied-port'];
    const { code } = await scene.ask(argv, { host });
    expect(code).toBe(0);
    const seen = await scene.peers();
    expect(seen.length).toBeGreaterThan(1);
    for (const peer of seen) expect(peer).toMatch(/^82\.0\.0\.1:\d+$/);
    const straight = await scene.ask(['announce', HEX, '--port', '5000', '--implied-port']);
    expect(straight.code).toBe(0);
    expect(await scene.peers()).toContain(`${US}:5000`);
  });

  test('refusals are told, and are failures when all refuse', async () => {
    await using scene = await Scene.of(1);
    const host = scene.world.host('90.0.0.1');
    const id = new Uint8Array(20).fill(0x5b);
    const socket = await host.runtime.network.bindDatagrams({ port: 6881, signal: scene.signal });
    socket.receive((query, from) => {
      const text = Buffer.from(query);
      const at = text.indexOf('1:t4:') + 5;
      const t = query.slice(at, at + 4);
      const isWrite = text.includes('announce_peer');
      const answer = isWrite
        ? { e: [203, 'bad token\u0007'], t, y: 'e' }
        : { r: { id, token: 'xy', nodes: '' }, t, y: 'r' };
      socket.send(encode(answer), from);
    });
    const argv = ['announce', HEX, '--port', '5000', '--bootstrap', '90.0.0.1:6881', '--verbose'];
    const { code, stdout, stderr } = await scene.run(argv);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('90.0.0.1:6881 refused, error 203: bad token');
    expect(stderr).toMatch(/^error: no node took the announce: 1 refused \(203 bad token.*\)$/m);
    expect(stderr).not.toContain('\u0007');
  });

  test('nobody there: exit code 1', async () => {
    await using scene = new Scene();
    const argv = ['announce', HEX, '--port', '1', '--bootstrap', '90.0.0.1:1', '--json'];
    const result = await scene.run(argv);
    expect([result.code, result.stdout]).toEqual([1, '']);
    expect(printedError(result).code).toBe('BIP_DHT_SILENT');
  });

  test.each([
    [['announce', HEX], "required option '--port <n>' not specified"],
    [['announce', HEX, '--port', '0'], '--port: `0` is no whole number from 1 to 65535'],
    [['announce', HEX, '--port', '1', '--limit', '2'], '--limit is about --watch'],
    [['announce', HEX, '--port', '1', '--interval', '5m'], '--interval is about --watch'],
    [['announce', HEX, '--port', '1', '--watch', '--interval', '5s'], 'shorter than 1m 00s'],
  ])('usage: %j', async (argv, message) => {
    await using scene = new Scene();
    const { code, stderr } = await scene.run(argv);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });
});

describe('announce --watch', () => {
  const WATCH = ['announce', HEX, '--port', '5000', '--watch', '--json'];

  test('again at the interval, so that the peer stays', async () => {
    await using scene = await Scene.of(10);
    const started = scene.world.now;
    const result = await scene.ask([...WATCH, '--limit', '5']);
    expect(result.code).toBe(0);
    const lines = printedLines(result);
    expect(lines.map(({ type }) => type)).toEqual([...Array(5).fill('announced'), 'end']);
    expect(lines[0]).toMatchObject({ stored: 8, nextMs: 900_000 });
    expect(lines[4]).not.toHaveProperty('nextMs');
    expect(lines[5]).toMatchObject({ announces: 5, failures: 0 });
    expect(scene.world.now - started).toBeGreaterThan(4 * 900_000);
    expect(scene.world.now - started).toBeLessThan(4 * 900_000 + 120_000);
    expect(await scene.peers()).toEqual([`${US}:5000`]);
  });

  test('goes on after failures, sooner', async () => {
    await using scene = await Scene.of(10);
    const hosts = scene.members.map(({ host }) => host);
    const heal = scene.world.partition([scene.us], hosts);
    scene.world.timeline.after(60_000, heal);
    const result = await scene.ask([...WATCH, '--limit', '4']);
    expect(result.code).toBe(0);
    const lines = printedLines(result);
    expect(lines.slice(0, 2)).toMatchObject([
      { type: 'failure', infoHash: HEX, error: { code: 'BIP_DHT_SILENT' }, nextMs: 30_000 },
      { type: 'failure', nextMs: 60_000 },
    ]);
    expect(lines.at(-1)).toMatchObject({ type: 'end', announces: 2, failures: 2 });
  });

  test('exit code 1 when the last one failed, 130 after Ctrl-C', async () => {
    await using scene = await Scene.of(10);
    const interrupt = new AbortController();
    const onWrite = (): void => {
      scene.world.timeline.after(1000, () => interrupt.abort(new Interrupted('SIGINT')));
    };
    const stopped = await scene.ask(WATCH, { signal: interrupt.signal, onWrite });
    expect(stopped.code).toBe(130);
    expect(printedLines(stopped).map(({ type }) => type)).toEqual(['announced', 'end']);
    scene.world.partition(
      [scene.us],
      scene.members.map(({ host }) => host),
    );
    const failed = await scene.ask([...WATCH, '--limit', '1']);
    expect(failed.code).toBe(1);
    expect(printedLines(failed).map(({ type }) => type)).toEqual(['failure', 'end']);
  });

  test('tells on a terminal what it waits for', async () => {
    await using scene = await Scene.of(10);
    const argv = ['announce', HEX, '--port', '5000', '--watch', '--limit', '2'];
    const { stdout, stderr } = await scene.ask(argv, { tty: true });
    expect(stderr).toContain('next in 15m 00s; Ctrl-C ends\n');
    expect(stdout.split('\n')[2]).toContain('2 announces in 15m');
  });
});

describe('scrape', () => {
  test('estimates of seeders and leechers', async () => {
    await using scene = await Scene.of(25);
    for (let at = 0; at < 12; at++) await scene.announce(at, HASH, 5000, at < 4);
    const result = await scene.ask(['scrape', HEX, '--json']);
    expect([result.code, result.stderr]).toEqual([0, '']);
    const { nodes, ...rest } = printed(result);
    expect(rest).toMatchObject({ infoHash: HEX, seeders: 4, leechers: 8 });
    expect(nodes).toBeGreaterThanOrEqual(8);
    const plain = await scene.ask(['scrape', HEX]);
    expect(plain.stdout).toMatch(new RegExp(`^${HEX}\t4\t8\t\\d+\n$`));
    const { stdout } = await scene.ask(['scrape', HEX, '--color', 'never'], { tty: true });
    expect(stdout).toMatch(
      /^(5a)+\n {2}4 seeders, 8 leechers {2}by filters of \d+ nodes; \d+ of \d+ answered in \d+ ms\n$/,
    );
  });

  test('several torrents in their order; what nobody knows counts 0', async () => {
    await using scene = await Scene.of(10);
    await scene.announce(2, HASH, 5000, true);
    const link = `magnet:?xt=urn:btih:${HEX}&dn=film`;
    const result = await scene.ask(['scrape', OTHER, link, '--json']);
    expect(result.code).toBe(0);
    expect(printedLines(result)).toMatchObject([
      { infoHash: OTHER, seeders: 0, leechers: 0 },
      { infoHash: HEX, name: 'film', seeders: 1, leechers: 0 },
    ]);
  });

  test('failures: nobody there, too late', async () => {
    await using scene = await Scene.of(10);
    const late = await scene.ask(['scrape', HEX, '--timeout', '70ms', '--json']);
    expect([late.code, late.stdout]).toEqual([6, '']);
    expect(printedError(late)).toEqual({
      code: 'BIP_LIMIT',
      message: `${HEX} was not counted within the --timeout of 0.1s`,
    });
    const silent = await scene.run(['scrape', HEX, OTHER, '--bootstrap', '90.0.0.1:1']);
    expect([silent.code, silent.stdout]).toEqual([1, '']);
    expect(silent.stderr.match(/no node of the DHT answered/g)).toHaveLength(2);
  });
});
