/** `bip tracker scrape` in the simulated world. */

import { describe, expect, test } from 'vitest';
import { encode } from '../../src/bencode/index.ts';
import { parseMetainfo } from '../../src/metainfo/index.ts';
import type { World } from '../../src/runtime/sim/index.ts';
import { makeWorld } from '../sim/world.ts';
import { INFO_HASH } from '../tracker/samples.ts';
import { serveTracker, type TrackerHost } from '../tracker/world.ts';
import { type BipResult, bip, runBip, type SimulatedRun } from './harness.ts';

const HASH = INFO_HASH.hex;
const OTHER = 'ab'.repeat(20);
const SCRAPE = ['tracker', 'scrape'] as const;

class Scene {
  readonly world: World = makeWorld();

  /** A tracker that counts one seed of {@link HASH}. */
  async serve(address = '10.0.1.1'): Promise<TrackerHost> {
    const tracker = await serveTracker(this.world, this.world.host(address));
    const endpoint = { host: '10.0.9.9', port: 9 };
    tracker.tiny.swarms.set(HASH, new Map([['x', { endpoint, seed: true }]]));
    return tracker;
  }
  run(argv: readonly string[], rest: Partial<SimulatedRun> = {}): Promise<BipResult> {
    return runBip({ world: this.world, argv: [...SCRAPE, ...argv], ...rest });
  }
}

/** A .torrent with these trackers. */
function torrent(name: string, ...trackers: string[]): Uint8Array {
  return encode({
    'announce-list': trackers.map((tracker) => [tracker]),
    info: { length: 3, name, 'piece length': 16_384, pieces: new Uint8Array(20) },
  });
}

function hashOf(bytes: Uint8Array): string {
  return parseMetainfo(bytes, {}).infoHash?.hex ?? '';
}

describe('one tracker', () => {
  test.each(['udpUrl', 'httpUrl'] as const)('a line in a pipe (%s)', async (kind) => {
    const scene = new Scene();
    const tracker = await scene.serve();
    const { code, stdout, stderr } = await scene.run([tracker[kind], HASH]);
    expect([code, stderr]).toEqual([0, '']);
    const fields = stdout.trimEnd().split('\t');
    expect(fields.slice(0, -1)).toEqual([tracker[kind], 'ok', HASH, '1', '0', '7']);
    expect(Number(fields.at(-1))).toBeGreaterThan(39);
    expect(tracker.tiny.heard).toEqual([]);
  });

  test('JSON', async () => {
    const scene = new Scene();
    const { httpUrl, tiny } = await scene.serve();
    tiny.extra = { flags: { min_request_interval: 900 } };
    const { code, stdout } = await scene.run([httpUrl, HASH, '--json']);
    expect(code).toBe(0);
    const document: unknown = JSON.parse(stdout);
    expect(document).toEqual({
      tracker: httpUrl,
      address: '10.0.1.1:6969',
      files: [{ infoHash: HASH, seeders: 1, leechers: 0, completed: 7 }],
      minRequestInterval: 900,
      rttMs: 40,
      transport: 'http',
      family: 4,
      connectMs: 40,
    });
  });

  test('on a terminal, in words', async () => {
    const scene = new Scene();
    const { udpUrl } = await scene.serve();
    const { stdout } = await scene.run([udpUrl, HASH, '--color', 'never'], { tty: true });
    expect(stdout).toBe(
      [
        '  tracker  udp://10.0.1.1:6969/announce',
        ' answered  10.0.1.1:6969 in 40 ms',
        'connected  in 40 ms',
        '  seeders  1',
        ' leechers  0',
        'completed  7',
        '',
      ].join('\n'),
    );
  });

  test('several torrents, one of which it does not know', async () => {
    const scene = new Scene();
    const { httpUrl, tiny } = await scene.serve();
    const plain = await scene.run([httpUrl, OTHER, HASH, HASH]);
    expect(plain.code).toBe(0);
    expect(plain.stdout.split('\n').map((line) => line.split('\t').slice(1, 6))).toEqual([
      ['unknown', OTHER, '', '', ''],
      ['ok', HASH, '1', '0', '7'],
      [],
    ]);
    // Each torrent is asked about once.
    expect(tiny.scrapes).toEqual([2]);
    const { stdout } = await scene.run([httpUrl, OTHER, HASH, '--color', 'never'], {
      host: scene.world.host('10.0.0.2'),
      tty: true,
    });
    expect(stdout).toContain(
      `torrent  ${OTHER}\n    known  no\n  torrent  ${HASH}\n  seeders  1\n`,
    );
  });

  test('more torrents than fit into a packet', async () => {
    const scene = new Scene();
    const { udpUrl, tiny } = await scene.serve();
    const hashes = Array.from({ length: 150 }, (_, at) => at.toString(16).padStart(40, '0'));
    const { stdout } = await scene.run([udpUrl, ...hashes]);
    expect(stdout.trimEnd().split('\n')).toHaveLength(150);
    expect(tiny.scrapes).toEqual([70, 70, 10]);
  });

  test('the URL of scrapes is as good as that of announces', async () => {
    const scene = new Scene();
    await scene.serve();
    const url = 'http://10.0.1.1:6969/scrape.php?a=/scrape';
    const { stdout, code } = await scene.run([url, HASH, '--raw', '--json']);
    expect(code).toBe(0);
    const document: { tracker: string; raw: { sent: string[] } } = JSON.parse(stdout);
    expect(document.tracker).toBe(url);
    const [sent = ''] = document.raw.sent;
    expect(Buffer.from(sent, 'hex').toString()).toMatch(/^\/scrape\.php\?a=\/scrape&info_hash=/);
  });

  test('a URL that leads to no scrape', async () => {
    const { code, stdout, stderr } = await new Scene().run(['http://10.0.1.1:6969/x', HASH]);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('cannot be scraped: the last part of its path');
  });

  test('a refusal, and nobody there', async () => {
    const scene = new Scene();
    const { udpUrl, tiny } = await scene.serve();
    tiny.refusal = 'not here';
    const refused = await scene.run([udpUrl, HASH]);
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain('refused with: not here');
    const host = scene.world.host('10.0.0.2');
    const dead = await scene.run(['udp://10.0.1.9:1', HASH, '--timeout', '3s'], { host });
    expect(dead).toMatchObject({ code: 1, stdout: '' });
    expect(dead.stderr).toContain('did not answer within 3 s');
  });
});

describe('several trackers', () => {
  test('a table: torrents, what is unknown, what failed', async () => {
    const scene = new Scene();
    const { udpUrl, httpUrl } = await scene.serve();
    const argv = [udpUrl, 'udp://10.0.1.9:1', httpUrl, HASH, OTHER];
    const { stdout, code } = await scene.run([...argv, '--timeout', '1s', '--color', 'never'], {
      tty: { stdout: true, columns: 100 },
    });
    expect(code).toBe(1);
    expect(stdout).toMatchInlineSnapshot(`
      "tracker                                 torrent           seeders  leechers  completed      time  ip
      udp://10.0.1.1:6969/announce            002025262b2d2e2…        1         0          7     40 ms   4
                                              abababababababa…        0         0          7
      udp://10.0.1.9:1                        udp://10.0.1.9:1 did not answer within 1 s (3
                                              packets sent)
      http://10.0.1.1:6969/announce           002025262b2d2e2…        1         0          7     40 ms   4
                                              abababababababa…                       unknown
      "
    `);
  });

  test('one torrent needs no column', async () => {
    const scene = new Scene();
    const { udpUrl, httpUrl } = await scene.serve();
    const { stdout } = await scene.run([udpUrl, httpUrl, HASH, '--color', 'never'], { tty: true });
    expect(stdout).toMatchInlineSnapshot(`
      "tracker                               seeders  leechers  completed      time  ip
      udp://10.0.1.1:6969/announce                1         0          7     40 ms   4
      http://10.0.1.1:6969/announce               1         0          7     40 ms   4
      "
    `);
  });

  test('each tracker hears only of the torrents that name it', async () => {
    const scene = new Scene();
    const one = await scene.serve();
    const two = await serveTracker(scene.world, scene.world.host('10.0.1.2'));
    const a = torrent('a', one.udpUrl, two.udpUrl);
    const b = torrent('b', two.udpUrl);
    const { stdout, code } = await scene.run(['/a.torrent', '/b.torrent', '--json'], {
      files: { '/a.torrent': a, '/b.torrent': b },
    });
    expect(code).toBe(0);
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    expect(lines).toMatchObject([
      { tracker: one.udpUrl, files: [{ infoHash: hashOf(a) }] },
      { tracker: two.udpUrl, files: [{ infoHash: hashOf(a) }, { infoHash: hashOf(b) }] },
    ]);
    expect([one.tiny.scrapes, two.tiny.scrapes]).toEqual([[1], [2]]);
  });

  test('a URL of a .torrent is a torrent', async () => {
    const scene = new Scene();
    const tracker = await scene.serve();
    const bytes = torrent('a', tracker.udpUrl);
    scene.world.host('10.0.2.1').serveHttp(80, () => ({ body: bytes }));
    const { stdout } = await scene.run(['http://10.0.2.1/a.torrent', HASH]);
    const hashes = stdout.split('\n').map((line) => line.split('\t')[2]);
    // The bare infohash names no tracker.
    expect(hashes).toEqual([hashOf(bytes), undefined]);
    const typed = await scene.run([tracker.udpUrl, 'http://10.0.2.1/a.torrent', HASH], {
      host: scene.world.host('10.0.0.2'),
    });
    expect(typed.stdout.trimEnd().split('\n')).toHaveLength(2);
  });

  test('a list of trackers', async () => {
    const scene = new Scene();
    const { udpUrl, httpUrl } = await scene.serve();
    const { stdout } = await scene.run(['--from', '-', HASH], { stdin: `${udpUrl}\n${httpUrl}\n` });
    expect(stdout.split('\n').map((line) => line.split('\t')[0])).toEqual([udpUrl, httpUrl, '']);
  });
});

describe('usage: exit code 2', () => {
  test.each([
    [[], 'missing required argument'],
    [[HASH], 'the torrent names no trackers; name a URL before it'],
    [[HASH, OTHER], 'the torrents name no trackers; name a URL before them'],
    [['udp://10.0.1.1:6969'], 'a torrent is missing'],
    [['http://10.0.1.1:6969/announce.php?a=b'], 'a torrent is missing'],
    [['http://10.0.1.1:6969/scrape'], 'a torrent is missing'],
    [[HASH, 'udp://10.0.1.1:6969'], 'name trackers before the torrents'],
    [['ftp://10.0.1.1/', HASH], '`ftp:` trackers are not supported'],
    [['udp://10.0.1.1:6969', '-', '-'], 'can be read only once'],
    [['udp://10.0.1.1:6969', HASH, '--interval', '0.5'], '--interval: `0.5` is shorter'],
    [['udp://10.0.1.1:6969', HASH, '--limit', '1'], '--limit is about --watch'],
    [['udp://10.0.1.1:6969', 'magnet:?xs=urn:btpk:' + 'ab'.repeat(32)], 'names a key (BEP 46)'],
  ])('%j', async (argv, sentence) => {
    const { code, stdout, stderr } = await bip(...SCRAPE, ...argv);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(sentence);
  });

  test('a torrent that is none is 3', async () => {
    const run = await new Scene().run(['udp://10.0.1.1:6969', '-'], { stdin: 'nonsense' });
    expect(run).toMatchObject({ code: 3, stdout: '' });
  });
});
