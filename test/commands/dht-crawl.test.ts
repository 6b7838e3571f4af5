/** `bip dht crawl` in the simulated world. */

import { describe, expect, test } from 'vitest';
import { Interrupted } from '../../commands/cli/context.ts';
import { formatHex } from '../../src/base/bytes.ts';
import { publicAddress6 } from '../dht/dht-world.ts';
import { DhtScene, type Printed, printedError, printedLines } from './dht-scene.ts';
import { type BipResult } from './harness.ts';

const HASHES = Array.from({ length: 6 }, (_, at) => new Uint8Array(20).fill(40 * at + 7));

async function sceneOf(count: number): Promise<DhtScene> {
  const scene = new DhtScene();
  await scene.populate(count);
  for (const hash of HASHES) await scene.announce(1, hash, 5000);
  return scene;
}

function nodesIn(result: BipResult): readonly Printed[] {
  return printedLines(result).filter(({ type }) => type === 'node');
}

function addressesIn({ stdout }: BipResult): readonly string[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t')[0] ?? '');
}

describe('a crawl', () => {
  test('JSON: all nodes, and a sum with an estimate', async () => {
    await using scene = await sceneOf(20);
    const result = await scene.ask(['crawl', '--json']);
    expect([result.code, result.stderr]).toEqual([0, '']);
    const nodes = nodesIn(result);
    expect(nodes.map(({ address }) => String(address)).toSorted()).toEqual(
      scene.members.map((_, at) => scene.nodeAt(at)).toSorted(),
    );
    const third = nodes.find(({ address }) => address === scene.nodeAt(3));
    expect(third).toEqual({
      ...{ type: 'node', address: scene.nodeAt(3), family: 4, nodeId: scene.idOf(3) },
      ...{ version: 'BP\\x00\\x01', client: 'bip', rttMs: 80, secure: true },
      ...{ samples: third?.['total'], total: third?.['total'], interval: third?.['interval'] },
    });
    const done = printedLines(result).at(-1);
    expect(done).toMatchObject({ type: 'done', nodes: 20, complete: true });
    expect(done?.['families']).toEqual([
      expect.objectContaining({
        ...{ family: 4, zones: 1, zonesDone: 1, nodesAnswered: 20, nodesSilent: 0 },
        estimate: { nodes: 20, low: 20, high: 20, method: 'zones', sample: 1, suspect: 0 },
        versions: [{ version: 'BP\\x00\\x01', client: 'bip', nodes: 20 }],
        ...{ nodesSecure: 20, nodesSampled: 20 },
      }),
    ]);
  });

  test('a pipe: a line for each node; with --samples one for each infohash', async () => {
    await using scene = await sceneOf(12);
    const nodes = await scene.ask(['crawl']);
    expect([nodes.code, nodes.stderr]).toEqual([0, 'IPv4: 12 nodes\n']);
    expect(nodes.stdout).toMatch(
      new RegExp(`^${scene.nodeAt(3)}\t${scene.idOf(3)}\tbip\t80\tsecure\t\\d+$`, 'm'),
    );
    expect(addressesIn(nodes)).toHaveLength(12);
    const samples = await scene.ask(['crawl', '--samples', '--quiet']);
    expect([samples.code, samples.stderr]).toEqual([0, '']);
    expect(addressesIn(samples).toSorted()).toEqual(HASHES.map(formatHex).toSorted());
    const json = await scene.ask(['crawl', '--samples', '--json']);
    const sample = printedLines(json).find(({ type }) => type === 'sample');
    expect(sample?.['from']).toMatch(/^80\.0\.\d+\.1:6881$/);
    expect(printedLines(json).at(-1)).toMatchObject({ infoHashes: 6, nodes: 12 });
  });

  test('a terminal: a picture while it goes on, and a report', async () => {
    await using scene = await sceneOf(12);
    const { code, stdout, stderr } = await scene.ask(['crawl', '--color', 'never'], { tty: true });
    expect(code).toBe(0);
    expect(stderr).toContain('IPv4: looking around, 0 of 0 answered');
    expect(stderr).toMatch(/at most 25 queries a second, \d+ on their way/);
    expect(stdout.split('\n').map((line) => line.trim())).toEqual([
      'IPv4: 12 nodes',
      'zones  1 of 1 asked',
      'asked  █',
      expect.stringMatching(/^answered {2}12 of 12, 100 % \(\d+ queries\)$/),
      'BEP 42  12 of 12, 100 % have ids that follow from their addresses',
      expect.stringMatching(/^BEP 51 {2}12 of 12, 100 % gave \d+ of \d+ infohashes$/),
      'clients  12 of 12, 100 %  bip',
      '',
      expect.stringMatching(/^12 nodes found in /),
      '',
    ]);
  });

  test('--limit, --timeout and Ctrl-C end it, and the sum is told', async () => {
    await using scene = await sceneOf(30);
    const limited = await scene.ask(['crawl', '--limit', '5', '--json']);
    expect([limited.code, nodesIn(limited).length]).toEqual([0, 5]);
    expect(printedLines(limited).at(-1)).toMatchObject({ nodes: 5, complete: false });
    const late = await scene.ask(['crawl', '--timeout', '12s', '--rate', '2', '--json']);
    expect(late.code).toBe(6);
    expect(printedLines(late).some(({ type }) => type === 'progress')).toBe(true);
    expect(printedLines(late).at(-1)).toMatchObject({ type: 'done', complete: false });
    const interrupt = new AbortController();
    const onWrite = (): void => interrupt.abort(new Interrupted('SIGINT'));
    const stopped = await scene.ask(['crawl', '--json'], { signal: interrupt.signal, onWrite });
    expect(stopped.code).toBe(130);
    expect(printedLines(stopped).at(-1)).toMatchObject({ type: 'done' });
  });

  test('asks no more queries a second than it may', async () => {
    await using scene = await sceneOf(20);
    const started = scene.world.now;
    const result = await scene.ask(['crawl', '--rate', '4', '--json']);
    const queries = Number(
      /"queries":(\d+)/.exec(result.stdout.trimEnd().split('\n').at(-1) ?? '')?.[1],
    );
    const seconds = (scene.world.now - started) / 1000;
    expect(queries / seconds).toBeLessThan(4.2);
    expect(queries / seconds).toBeGreaterThan(2);
  });

  test('the DHT of IPv6', async () => {
    await using scene = new DhtScene();
    for (let at = 0; at < 12; at++) {
      const member = await scene.open(publicAddress6(at + 1));
      scene.members.push(member);
      await scene.world.run(member.node.join());
    }
    await scene.world.runFor(90_000);
    const host = scene.world.host('2001:db8:ffff::1');
    const argv = ['crawl', '-6', '--json', '--state', 'crawl.state'];
    const result = await scene.ask(argv, { host });
    expect([result.code, result.stderr]).toEqual([0, '']);
    expect(
      nodesIn(result)
        .map(({ address }) => String(address))
        .toSorted(),
    ).toEqual(scene.members.map((_, at) => scene.nodeAt(at)).toSorted());
    const again = await scene.ask(argv, { host });
    expect(printedLines(again)).toEqual([
      expect.objectContaining({
        nodes: 0,
        families: [expect.objectContaining({ family: 6, zonesDone: 1, nodesAnswered: 12 })],
      }),
    ]);
  });

  test('nobody there: exit code 1', async () => {
    await using scene = new DhtScene();
    const result = await scene.run(['crawl', '--bootstrap', '90.0.0.1:1', '--json']);
    expect([result.code, result.stdout]).toEqual([1, '']);
    expect(printedError(result).code).toBe('BIP_DHT_SILENT');
  });
});

describe('--state', () => {
  test('goes on where it was stopped, and asks and lists nobody again', async () => {
    await using scene = await sceneOf(40);
    const argv = ['crawl', '--samples', '--json', '--state', 'crawl.state'];
    const interrupt = new AbortController();
    let lines = 0;
    const onWrite = (): void => {
      if (++lines === 15) interrupt.abort(new Interrupted('SIGINT'));
    };
    const first = await scene.ask(argv, { signal: interrupt.signal, onWrite });
    expect(first.code).toBe(130);
    const second = await scene.ask(argv);
    expect(second.code).toBe(0);
    const found = [...nodesIn(first), ...nodesIn(second)].map(({ address }) => address);
    expect(found).toHaveLength(40);
    expect(new Set(found).size).toBe(40);
    const listed = [first, second].flatMap((result) =>
      printedLines(result).flatMap(({ infoHash }) => infoHash ?? []),
    );
    expect(listed.map(String).toSorted()).toEqual(HASHES.map(formatHex).toSorted());
    expect(printedLines(second).at(-1)).toMatchObject({
      ...{ nodes: nodesIn(second).length, complete: true },
      families: [{ nodesAnswered: 40, estimate: { nodes: 40 } }],
    });
    const third = await scene.ask(argv);
    expect([third.code, printedLines(third).length]).toEqual([0, 1]);
    expect(printedLines(third)[0]).toMatchObject({ nodes: 0, families: [{ nodesAnswered: 40 }] });
  });

  test('is written now and then', async () => {
    await using scene = await sceneOf(60);
    const { files } = scene.us.runtime;
    let during = 0;
    const onWrite = (): void => {
      void files.stat('crawl.state').then((there) => {
        during = Math.max(during, there?.size ?? 0);
      });
    };
    const argv = ['crawl', '--state', 'crawl.state', '--rate', '2', '--timeout', '70s'];
    expect((await scene.ask(argv, { onWrite })).code).toBe(6);
    expect(during).toBeGreaterThan(200);
  });

  test('a damaged file, one of something else, and one that cannot be: said, and left alone', async () => {
    await using scene = await sceneOf(10);
    const { files } = scene.us.runtime;
    await scene.ask(['crawl', '--state', 'crawl.state']);
    const good = await files.readFile('crawl.state', { maxBytes: 1e6 });
    const damaged = good.slice();
    damaged[good.length >>> 1] = (damaged[good.length >>> 1] ?? 0) ^ 1;
    for (const [bytes, words] of [
      [damaged, 'is damaged: its content does not match its hash'],
      [new TextEncoder().encode('my notes'), 'is no state of a crawl of bip'],
    ] as const) {
      await files.writeFile('other', bytes);
      const result = await scene.ask(['crawl', '--state', 'other', '--json']);
      expect([result.code, result.stdout]).toEqual([3, '']);
      expect(printedError(result)).toEqual({
        code: 'BIP_DHT_CRAWL_STATE',
        message: `other ${words}; name another file, or remove it to begin anew`,
      });
      expect(await files.readFile('other', { maxBytes: 1e6 })).toEqual(bytes);
    }
    await files.makeDirectory('folder');
    const folder = await scene.ask(['crawl', '--state', 'folder']);
    expect([folder.code, folder.stdout]).toEqual([4, '']);
  });
});

test.each([
  [['crawl', 'x'], 'too many arguments'],
  [['crawl', '--rate', '0'], '--rate'],
  [['crawl', '--rate', '1001'], '--rate: `1001` is no whole number from 1 to 1000'],
  [['crawl', '--concurrency', '0'], '--concurrency'],
  [['crawl', '--state', '-'], '--state: a crawl goes on from a file'],
  [['crawl', '-4', '-6'], 'cannot be used with'],
])('usage: %j', async (argv, message) => {
  await using scene = new DhtScene();
  const { code, stdout, stderr } = await scene.run(argv);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain(message);
});
