/** `bip dht sample` in the simulated world. */

import { describe, expect, test } from 'vitest';
import { Interrupted } from '../../commands/cli/context.ts';
import { formatHex } from '../../src/base/bytes.ts';
import { encode } from '../../src/bencode/index.ts';
import { DhtScene, printedError, printedLines } from './dht-scene.ts';

/** Infohashes that are far apart. */
const HASHES = Array.from({ length: 12 }, (_, at) => new Uint8Array(20).fill(20 * at + 7));

class Scene extends DhtScene {
  /** A few nodes, and torrents in them. */
  static async of(count: number, torrents = HASHES.length): Promise<Scene> {
    const scene = new Scene();
    await scene.populate(count);
    for (const hash of HASHES.slice(0, torrents)) await scene.announce(1, hash, 5000);
    return scene;
  }
  /** A node that answers every question with this. */
  async answerer(address: string, answer: object): Promise<string> {
    const host = this.world.host(address);
    const socket = await host.runtime.network.bindDatagrams({ port: 6881, signal: this.signal });
    socket.receive((query, from) => {
      const at = Buffer.from(query).indexOf('1:t4:') + 5;
      socket.send(encode({ ...answer, t: query.slice(at, at + 4) }), from);
    });
    return `${address}:6881`;
  }
}

describe('one node', () => {
  test('a line for each infohash', async () => {
    await using scene = await Scene.of(8);
    const { code, stdout, stderr } = await scene.run(['sample', scene.nodeAt(3)]);
    expect([code, stderr]).toEqual([0, '']);
    const lines = stdout.trimEnd().split('\n').toSorted();
    // Eight nodes hold all of twelve.
    expect(lines).toEqual(
      HASHES.map((hash) => `${formatHex(hash)}\t${scene.nodeAt(3)}`).toSorted(),
    );
  });

  test('JSON: samples, what the node says of itself, and a sum', async () => {
    await using scene = await Scene.of(8, 2);
    const result = await scene.run(['sample', scene.nodeAt(3), '--json']);
    expect([result.code, result.stderr]).toEqual([0, '']);
    const [node, ...rest] = printedLines(result);
    expect(node).toEqual({
      ...{ type: 'node', address: scene.nodeAt(3), nodeId: scene.idOf(3), rttMs: 80 },
      ...{ samples: 2, total: 2, interval: 600 },
    });
    const done = rest.at(-1);
    expect(new Set(rest.slice(0, -1).map(({ infoHash }) => infoHash))).toEqual(
      new Set(HASHES.slice(0, 2).map(formatHex)),
    );
    expect(rest[0]).toMatchObject({ type: 'sample', from: scene.nodeAt(3) });
    expect(done).toEqual({
      ...{ type: 'done', samples: 2, nodesQueried: 1, nodesAnswered: 1, nodesSampled: 1 },
      ...{ elapsedMs: 80, complete: true },
    });
  });

  test('that knows no torrent: an answer, too', async () => {
    await using scene = await Scene.of(3, 0);
    const { code, stdout } = await scene.run(['sample', scene.nodeAt(1), '--color', 'never'], {
      tty: { stdout: true },
    });
    expect(code).toBe(0);
    expect(stdout).toBe('0 infohashes; 1 of 1 node answered, 1 gave samples, in 80 ms\n');
  });

  test('--limit', async () => {
    await using scene = await Scene.of(8);
    const result = await scene.run(['sample', scene.nodeAt(3), '--limit', '5', '--json']);
    expect(result.code).toBe(0);
    expect(printedLines(result).at(-1)).toMatchObject({ samples: 5, complete: false });
    expect(printedLines(result)).toHaveLength(7);
  });

  test('failures: silent, refused, or an answer without samples', async () => {
    await using scene = new Scene();
    const silent = await scene.run(['sample', '90.0.0.9:6881', '--json']);
    expect([silent.code, silent.stdout]).toEqual([1, '']);
    expect(printedError(silent).code).toBe('BIP_TIMEOUT');
    const refuses = await scene.answerer('90.0.0.1', { e: [204, 'Method Unknown'], y: 'e' });
    const refused = await scene.run(['sample', refuses, '--json']);
    expect(refused.code).toBe(1);
    expect(printedError(refused).message).toBe(
      `${refuses} answered with error 204: Method Unknown`,
    );
    const old = await scene.answerer('90.0.0.2', { r: { id: new Uint8Array(20) }, y: 'r' });
    const without = await scene.run(['sample', old, '--json']);
    expect(without.code).toBe(1);
    expect(printedError(without)).toEqual({
      code: 'BIP_DHT_NO_SAMPLES',
      message: 'no node gives samples (BEP 51): 1 of 1 node answered',
    });
  });
});

describe('a walk', () => {
  test('finds what all nodes have, each once', async () => {
    await using scene = await Scene.of(30);
    const result = await scene.ask(['sample', '--json']);
    expect([result.code, result.stderr]).toEqual([0, '']);
    const lines = printedLines(result);
    const samples = lines.filter(({ type }) => type === 'sample');
    expect(samples.map(({ infoHash }) => String(infoHash)).toSorted()).toEqual(
      HASHES.map(formatHex).toSorted(),
    );
    const nodes = lines.filter(({ type }) => type === 'node');
    expect(new Set(nodes.map(({ address }) => address)).size).toBe(nodes.length);
    expect(nodes).toHaveLength(30);
    expect(lines.at(-1)).toMatchObject({ type: 'done', samples: 12, nodesSampled: 30 });
  });

  test('asks no more nodes a second than it may', async () => {
    await using scene = await Scene.of(20);
    const started = scene.world.now;
    const result = await scene.ask(['sample', '--json', '--rate', '2']);
    expect(printedLines(result).at(-1)).toMatchObject({ nodesQueried: 20 });
    expect(scene.world.now - started).toBeGreaterThan(19 * 500);
    expect(scene.world.now - started).toBeLessThan(25 * 500);
  });

  test('goes past nodes that are gone, that refuse, and that name hosts of ours', async () => {
    await using scene = await Scene.of(12, 3);
    const { node } = scene.member(4);
    await node[Symbol.asyncDispose]();
    const local = Uint8Array.of(...Array<number>(20).fill(9), 10, 0, 0, 1, 0, 80);
    const id = new Uint8Array(20).fill(3);
    const evil = await scene.answerer('90.0.0.3', { r: { id, nodes: local, samples: '' }, y: 'r' });
    const result = await scene.run([
      ...['sample', '--json', '--bootstrap', evil, '--bootstrap', scene.nodeAt(0)],
    ]);
    expect(result.code).toBe(0);
    const lines = printedLines(result);
    expect(lines.at(-1)).toMatchObject({ samples: 3, nodesAnswered: 12 });
    expect(JSON.stringify(lines)).not.toContain('10.0.0.1');
  });

  test('--limit, --timeout and Ctrl-C end it', async () => {
    await using scene = await Scene.of(30);
    const limited = await scene.ask(['sample', '--limit', '4', '--json']);
    expect(limited.code).toBe(0);
    expect(printedLines(limited).at(-1)).toMatchObject({ samples: 4, complete: false });
    const late = await scene.ask(['sample', '--timeout', '2s', '--rate', '1', '--json']);
    expect(late.code).toBe(6);
    expect(printedLines(late).at(-1)).toMatchObject({ type: 'done', complete: false });
    const interrupt = new AbortController();
    const onWrite = (): void => interrupt.abort(new Interrupted('SIGINT'));
    const stopped = await scene.ask(['sample', '--json'], { signal: interrupt.signal, onWrite });
    expect(stopped.code).toBe(130);
    expect(printedLines(stopped).at(-1)).toMatchObject({ type: 'done' });
  });

  test('draws its progress on a terminal', async () => {
    await using scene = await Scene.of(10);
    const { stdout, stderr } = await scene.ask(['sample', '--color', 'never'], { tty: true });
    expect(stderr).toMatch(/12 infohashes; \d+ of \d+ nodes answered, \d+ are to be asked\n/);
    expect(stderr.endsWith('\u001b[1A\r\u001b[J')).toBe(true);
    expect(stdout).toMatch(/^(07){20} {2}80\.0\.\d+\.1:6881$/m);
  });

  test('nobody there: exit code 1', async () => {
    await using scene = new Scene();
    const result = await scene.run(['sample', '--bootstrap', '90.0.0.1:1', '--json']);
    expect([result.code, result.stdout]).toEqual([1, '']);
    expect(printedError(result).code).toBe('BIP_DHT_SILENT');
  });
});

test.each([
  [['sample', 'x'], '`x` is no HOST:PORT'],
  [['sample', '1.2.3.4:5', '--bootstrap', '1.2.3.4:6'], '--bootstrap is where a walk begins'],
  [['sample', '--rate', '0'], '--rate'],
  [['sample', '--limit', '1000001'], '--limit: `1000001` is no whole number from 1 to 1000000'],
])('usage: %j', async (argv, message) => {
  await using scene = new Scene();
  const { code, stdout, stderr } = await scene.run(argv);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain(message);
});
