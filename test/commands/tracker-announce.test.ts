import { describe, expect, test } from 'vitest';
import { Interrupted } from '../../commands/cli/context.ts';
import { encode } from '../../src/bencode/index.ts';
import type { World } from '../../src/runtime/sim/index.ts';
import { makeWorld } from '../sim/world.ts';
import { INFO_HASH } from '../tracker/samples.ts';
import { serveTracker, type TrackerHost } from '../tracker/world.ts';
import { type BipResult, bip, runBip, type SimulatedRun } from './harness.ts';

const HASH = INFO_HASH.hex;
const ANNOUNCE = ['tracker', 'announce'] as const;

/** A world with a tracker at 10.0.1.1 that knows one seed. */
async function withTracker(): Promise<{ world: World; tracker: TrackerHost }> {
  const world = makeWorld();
  const tracker = await serveTracker(world, world.host('10.0.1.1'));
  const endpoint = { host: '10.0.9.9', port: 9 };
  tracker.tiny.swarms.set(HASH, new Map([['x', { endpoint, seed: true }]]));
  return { world, tracker };
}
function run(
  world: World,
  argv: readonly string[],
  rest: Partial<SimulatedRun> = {},
): Promise<BipResult> {
  return runBip({ world, argv, ...rest });
}
/** JSON Lines. */
function linesOf(stdout: string): readonly unknown[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
}
/** A .torrent of one file of 3 bytes with these trackers. */
function torrent(...tiers: string[][]): Uint8Array {
  return encode({
    'announce-list': tiers,
    info: { length: 3, name: 'a', 'piece length': 16_384, pieces: new Uint8Array(20) },
  });
}

describe('one tracker', () => {
  test.each(['udpUrl', 'httpUrl'] as const)('a line in a pipe (%s)', async (kind) => {
    const { world, tracker } = await withTracker();
    const { code, stdout, stderr } = await run(world, [...ANNOUNCE, tracker[kind], HASH]);
    expect([code, stderr]).toEqual([0, '']);
    const fields = stdout.trimEnd().split('\t');
    expect(fields.toSpliced(5, 1)).toEqual([tracker[kind], 'ok', '1', '1', '1800', '10.0.9.9:9']);
    expect(Number(fields[5])).toBeGreaterThan(39);
  });

  test('JSON', async () => {
    const { world, tracker } = await withTracker();
    tracker.tiny.extra = {
      'min interval': 900,
      'external ip': Uint8Array.of(10, 0, 0, 1),
      'warning message': 'soon closed',
    };
    const { code, stdout } = await run(world, [...ANNOUNCE, tracker.httpUrl, HASH, '--json']);
    expect(code).toBe(0);
    const document: unknown = JSON.parse(stdout);
    expect(document).toEqual({
      tracker: tracker.httpUrl,
      address: '10.0.1.1:6969',
      interval: 1800,
      minInterval: 900,
      seeders: 1,
      leechers: 1,
      peers: ['10.0.9.9:9'],
      externalIp: '10.0.0.1',
      warning: 'soon closed',
      rttMs: 40,
      transport: 'http',
      family: 4,
      connectMs: 40,
    });
    expect(stdout.split('\n')).toHaveLength(2);
  });

  test('on a terminal, in words', async () => {
    const { world, tracker } = await withTracker();
    const { stdout } = await run(world, [...ANNOUNCE, tracker.udpUrl, HASH, '--color', 'never'], {
      tty: true,
    });
    expect(stdout).toBe(
      [
        '  tracker  udp://10.0.1.1:6969/announce',
        ' answered  10.0.1.1:6969 in 40 ms',
        'connected  in 40 ms',
        '  seeders  1',
        ' leechers  1',
        ' interval  30m 00s',
        '    peers  10.0.9.9:9',
        '',
      ].join('\n'),
    );
  });

  test('all flags of an announce', async () => {
    const { world, tracker } = await withTracker();
    const flags = [
      ['--event', 'completed'],
      ['--port', '7777'],
      ['--left', '1KiB'],
      ['--numwant', '7'],
      ['--key', 'BEEF'],
      ['--peer-id', '-XX0000-123456789012'],
    ];
    await run(world, [...ANNOUNCE, tracker.udpUrl, HASH, ...flags.flat()]);
    expect(tracker.tiny.heard).toHaveLength(1);
    expect(tracker.tiny.heard[0]).toMatchObject({
      infoHash: HASH,
      event: 'completed',
      port: 7777,
      left: 1024,
      numWant: 7,
      key: 0xbeef,
      peerId: Buffer.from('-XX0000-123456789012').toString('hex'),
    });
  });

  test('what is not given: started, all of it left, a stable key, a fresh id', async () => {
    const { world, tracker } = await withTracker();
    await run(world, [...ANNOUNCE, tracker.httpUrl, HASH]);
    const [first, second] = tracker.tiny.heard;
    expect(first).toMatchObject({ event: 'started', port: 6881, left: 16_384 });
    expect(second?.key).toBe(first?.key);
    expect(Buffer.from(first?.peerId ?? '', 'hex').toString('latin1')).toMatch(/^-BP0100-/);
  });

  test('a refusal: exit code 1, nothing on stdout', async () => {
    const { world, tracker } = await withTracker();
    tracker.tiny.refusal = 'unregistered torrent';
    const words = await run(world, [...ANNOUNCE, tracker.httpUrl, HASH]);
    expect(words).toMatchObject({
      code: 1,
      stdout: '',
      stderr: 'error: http://10.0.1.1:6969 refused with: unregistered torrent\n',
    });
    const json = await run(world, [...ANNOUNCE, tracker.udpUrl, HASH, '--json'], {
      host: world.host('10.0.0.2'),
    });
    expect([json.code, json.stdout]).toEqual([1, '']);
    expect(JSON.parse(json.stderr)).toEqual({
      error: {
        code: 'BIP_TRACKER_REFUSED',
        message: 'udp://10.0.1.1:6969 refused with: unregistered torrent',
      },
    });
  });

  test('nobody there: --timeout and --retries', async () => {
    const world = makeWorld();
    const url = 'udp://10.0.1.9:1/announce';
    const { code, stderr } = await run(world, [
      ...ANNOUNCE,
      url,
      HASH,
      '--timeout',
      '3s',
      '--retries',
      '1',
    ]);
    expect(code).toBe(1);
    expect(stderr).toBe('error: udp://10.0.1.9:1 did not answer within 3 s (2 packets sent)\n');
    expect(world.now).toBe(3000);
  });
});

describe('politeness', () => {
  test.each([
    [[], ['started', 'stopped']],
    [
      ['--event', 'none'],
      [undefined, 'stopped'],
    ],
    [['--no-stop'], ['started']],
    [['--event', 'stopped'], ['stopped']],
    [['--event', 'completed'], ['completed']],
  ])('%j says %j', async (flags, events) => {
    const { world, tracker } = await withTracker();
    const { code } = await run(world, [...ANNOUNCE, tracker.udpUrl, HASH, ...flags]);
    expect(code).toBe(0);
    expect(tracker.tiny.heard.map(({ event }) => event)).toEqual(events);
    expect(tracker.tiny.connects).toBe(1);
    expect(world.open).toEqual(['10.0.1.1: UDP socket 10.0.1.1:6969']);
  });

  test('a tracker that does not hear `stopped` costs 5 s and a word with --verbose', async () => {
    const { world, tracker } = await withTracker();
    const { code, stderr, stdout } = await run(
      world,
      [...ANNOUNCE, tracker.udpUrl, HASH, '--verbose'],
      {
        onWrite: () => {
          tracker.deaf = true;
        },
      },
    );
    expect(stdout).toContain('\tok\t');
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /^udp:\/\/10\.0\.1\.1:6969\/announce did not hear `stopped`: .* within 5 s/,
    );
    expect(world.now).toBe(5080);
  });

  test('Ctrl-C: what is known is printed, `stopped` is sent, exit code 130', async () => {
    const { world, tracker } = await withTracker();
    const controller = new AbortController();
    const host = world.host('10.0.0.1');
    host.runtime.clock.schedule(10_000, () => controller.abort(new Interrupted('SIGINT')));
    const { code, stdout } = await run(
      world,
      [...ANNOUNCE, 'udp://10.0.1.9:1', tracker.udpUrl, HASH],
      { host, signal: controller.signal },
    );
    expect(code).toBe(130);
    expect(stdout).toMatch(/^udp:\/\/10\.0\.1\.1:6969\/announce\tok\t/);
    expect(tracker.tiny.heard.at(-1)?.event).toBe('stopped');
    expect(world.now).toBe(10_000);
  });
});

describe('several trackers', () => {
  test('in parallel, in their order; one that fails makes exit code 1', async () => {
    const { world, tracker } = await withTracker();
    const dead = 'udp://10.0.1.9:1/announce';
    const { code, stdout, stderr } = await run(world, [
      ...ANNOUNCE,
      dead,
      tracker.udpUrl,
      tracker.httpUrl,
      HASH,
      '--timeout',
      '7s',
      '--json',
    ]);
    expect([code, stderr]).toEqual([1, '']);
    expect(linesOf(stdout)).toEqual([
      { tracker: dead, error: { code: 'BIP_TRACKER_TIMEOUT', message: expect.any(String) } },
      expect.objectContaining({ tracker: tracker.udpUrl, interval: 1800 }),
      expect.objectContaining({ tracker: tracker.httpUrl, interval: 1800 }),
    ]);
    expect(world.now).toBeLessThan(7500);
  });

  test('one after the other with --concurrency 1', async () => {
    const world = makeWorld();
    const dead = ['udp://10.0.1.8:1', 'udp://10.0.1.9:1'];
    await run(world, [...ANNOUNCE, ...dead, HASH, '--timeout', '7s', '--concurrency', '1']);
    expect(world.now).toBe(14_000);
  });

  test('none answers: nothing on stdout, every reason on stderr', async () => {
    const world = makeWorld();
    const argv = [...ANNOUNCE, 'udp://10.0.1.8:1', 'http://10.0.1.9:1/announce', HASH];
    const { code, stdout, stderr } = await run(world, [...argv, '--timeout', '1s']);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('none of the 2 trackers answered: udp://10.0.1.8:1 did not answer');
    expect(stderr).toContain('http://10.0.1.9:1');
  });

  test('a table on a terminal, and the distinct peers below', async () => {
    const { world, tracker } = await withTracker();
    const argv = [...ANNOUNCE, tracker.udpUrl, 'udp://10.0.1.9:1', tracker.httpUrl, HASH];
    const { stdout, stderr, code } = await run(
      world,
      [...argv, '--timeout', '1s', '--color', 'never'],
      { tty: true },
    );
    expect(code).toBe(1);
    expect(stdout).toMatchInlineSnapshot(`
      "tracker                         seeders  leechers  peers  interval      time  ip
      udp://10.0.1.1:6969/announce          1         1      1   30m 00s     40 ms   4
      udp://10.0.1.9:1                udp://10.0.1.9:1 did not answer within
                                      1 s (3 packets sent)
      http://10.0.1.1:6969/announce         1         1      1   30m 00s     40 ms   4

      10.0.9.9:9
      "
    `);
    expect(stderr).toContain('waiting for 3 of 3 trackers');
  });

  test('BEP 31 in JSON', async () => {
    const { world, tracker } = await withTracker();
    const other = await serveTracker(world, world.host('10.0.1.2'));
    other.tiny.refusal = 'busy';
    other.tiny.extra = { 'retry in': 'never' };
    const { stdout } = await run(world, [
      ...ANNOUNCE,
      tracker.udpUrl,
      other.httpUrl,
      HASH,
      '--json',
    ]);
    expect(JSON.parse(stdout.trimEnd().split('\n')[1] ?? '')).toMatchObject({
      error: { code: 'BIP_TRACKER_REFUSED', retryIn: 'never' },
    });
  });
});

describe('the torrent', () => {
  test('a .torrent: its own trackers of every tier, its length left', async () => {
    const { world, tracker } = await withTracker();
    const other = await serveTracker(world, world.host('10.0.1.2'));
    const files = { '/a.torrent': torrent([tracker.udpUrl], [other.httpUrl, tracker.udpUrl]) };
    const { code, stdout } = await run(world, [...ANNOUNCE, '/a.torrent'], { files });
    expect(code).toBe(0);
    expect(stdout.split('\n').map((line) => line.split('\t')[0])).toEqual([
      tracker.udpUrl,
      other.httpUrl,
      '',
    ]);
    expect(other.tiny.heard[0]?.left).toBe(3);
  });

  test('a magnet link brings trackers, too', async () => {
    const { world, tracker } = await withTracker();
    const magnet = `magnet:?xt=urn:btih:${HASH}&tr=${encodeURIComponent(tracker.udpUrl)}`;
    expect((await run(world, [...ANNOUNCE, magnet])).stdout).toContain('\tok\t');
  });

  test('URLs replace those of the torrent', async () => {
    const { world, tracker } = await withTracker();
    const files = { '/a.torrent': torrent(['udp://10.0.1.9:1']) };
    const { stdout } = await run(world, [...ANNOUNCE, tracker.udpUrl, '/a.torrent'], { files });
    expect(stdout.split('\n')).toHaveLength(2);
  });

  test('a URL of a torrent on this machine is guarded, one that was typed is not', async () => {
    const { world } = await withTracker();
    const host = world.host('10.0.0.1');
    host.serveHttp(80, () => ({ body: encode({ interval: 9, peers: '' }) }));
    const url = 'http://127.0.0.1/tracker';
    const found = await run(world, [...ANNOUNCE, '/a.torrent'], {
      host,
      files: { '/a.torrent': torrent([url]) },
    });
    expect(found).toMatchObject({ code: 1, stdout: '' });
    expect(found.stderr).toContain('is this machine and the path does not begin with /announce');
    expect((await run(world, [...ANNOUNCE, url, HASH], { host })).code).toBe(0);
  });
});

describe('secrets', () => {
  const secret = '/0123456789abcdef0123456789abcdef/announce?passkey=sesame';

  test('are masked', async () => {
    const { world, tracker } = await withTracker();
    const url = `udp://10.0.1.1:6969${secret}`;
    const { stdout } = await run(world, [...ANNOUNCE, url, HASH, '--json']);
    expect(stdout).toContain('"udp://10.0.1.1:6969/***/announce?passkey=***"');
    expect(tracker.tiny.heard[0]?.target).toBe(secret);
  });

  test('are shown with --reveal', async () => {
    const { world } = await withTracker();
    const url = `udp://10.0.1.1:6969${secret}`;
    expect((await run(world, [...ANNOUNCE, url, HASH, '--reveal'])).stdout).toContain(url);
  });

  test('do not come out through errors', async () => {
    const { world } = await withTracker();
    for (const url of [`http://10.0.1.1:6969${secret}`, `http://10.0.1.1:1${secret}`]) {
      for (const extra of [[], ['--json']]) {
        const { code, stderr } = await run(world, [...ANNOUNCE, url, HASH, ...extra], {
          host: world.host(`10.0.${url.length}.${extra.length}`),
        });
        expect(code).toBe(1);
        expect(stderr).toContain('10.0.1.1');
        expect(stderr).not.toMatch(/sesame|0123456789abcdef/);
      }
    }
  });
});

describe('usage: exit code 2', () => {
  test.each([
    [[], 'missing required argument'],
    [[HASH], 'the torrent names no trackers; name a URL before it'],
    [['udp://10.0.1.1:6969/announce'], 'a torrent is missing'],
    [['http://10.0.1.1:6969/announce'], 'a torrent is missing'],
    [['ftp://10.0.1.1/', HASH], '`ftp:` trackers are not supported'],
    [['http://xn--a.example/', HASH], 'internationalised'],
    [['http://a.example/?info_hash=1', HASH], 'keys of the announce protocol'],
    [['udp://a.example:1', HASH, '--event', 'paused'], "argument 'paused' is invalid"],
    [['udp://a.example:1', HASH, '--port', '0'], '--port: `0` is no whole number from 1'],
    [['udp://a.example:1', HASH, '--left', 'x'], '--left: `x` is no size'],
    [['udp://a.example:1', HASH, '--uploaded', '-'], '--uploaded: `-` is no size'],
    [['udp://a.example:1', HASH, '--downloaded', ''], '--downloaded: `` is no size'],
    [['udp://a.example:1', HASH, '--numwant', '1.5'], '--numwant: `1.5` is no whole number'],
    [['udp://a.example:1', HASH, '--key', 'xyz'], '--key: `xyz` is no hex number'],
    [['udp://a.example:1', HASH, '--peer-id', 'short'], '--peer-id: `short` has neither'],
    [['udp://a.example:1', HASH, '--ip', 'a.example'], '--ip: `a.example` is no IPv4 or IPv6'],
    [['udp://a.example:1', HASH, '--timeout', '0'], '--timeout: `0` leaves no time'],
    [['udp://a.example:1', HASH, '--retries', '17'], '--retries: `17` is no whole number'],
    [['udp://a.example:1', HASH, '--concurrency', '0'], '--concurrency: `0` is no whole number'],
    [['udp://a.example:1', HASH, '-4', '-6'], 'cannot be used with'],
    [['udp://a.example:1', HASH, '-4', '--both-families'], 'cannot be used with'],
    [['udp://a.example:1', HASH, '--limit', '2'], '--limit is about --watch'],
    [['udp://a.example:1', HASH, '--watch', '--limit', '0'], '--limit: `0` is no whole number'],
    [['udp://a.example:1', HASH, '--watch', '--event', 'stopped'], 'they contradict each other'],
    [['udp://a.example:1', 'udp://b.example:1'], 'a torrent is missing'],
    [['wss://a.example'], 'a torrent is missing'],
    [['--from', '-', '-'], 'standard input (`-`) can be read only once'],
  ])('%j', async (argv, sentence) => {
    const { code, stdout, stderr } = await bip(...ANNOUNCE, ...argv);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(sentence);
  });
});

test('--both-families asks over each family, and literal addresses over their own', async () => {
  const world = makeWorld();
  await serveTracker(world, world.host('10.0.1.1', { addresses: ['2001:db8::1'] }));
  world.names.set('t.example', ['10.0.1.1', '2001:db8::1']);
  world.names.set('four.example', ['10.0.1.1']);
  const host = world.host('10.0.0.1', { addresses: ['2001:db8::2'] });
  const urls = ['udp://t.example:6969', 'http://10.0.1.1:6969/announce', 'udp://four.example:6969'];
  const argv = [...ANNOUNCE, ...urls, HASH, '--both-families', '--timeout', '2s', '--json'];
  const { stdout, code } = await run(world, argv, { host });
  expect(code).toBe(1);
  expect(linesOf(stdout)).toMatchObject([
    { tracker: 'udp://t.example:6969', family: 4, address: '10.0.1.1:6969' },
    { tracker: 'udp://t.example:6969', family: 6, address: '[2001:db8::1]:6969' },
    { tracker: 'http://10.0.1.1:6969/announce', family: 4, address: '10.0.1.1:6969' },
    { tracker: 'udp://four.example:6969', family: 4, address: '10.0.1.1:6969' },
    { tracker: 'udp://four.example:6969', family: 6, error: { code: 'BIP_DNS' } },
  ]);
});

test('-4 and -6 choose among the addresses of a name', async () => {
  const world = makeWorld();
  await serveTracker(world, world.host('10.0.1.1', { addresses: ['2001:db8::1'] }));
  world.names.set('t.example', ['10.0.1.1', '2001:db8::1']);
  const host = world.host('10.0.0.1', { addresses: ['2001:db8::2'] });
  const argv = [...ANNOUNCE, 'udp://t.example:6969', HASH, '--json'];
  const answered = async (flag: string): Promise<unknown> => {
    const { stdout } = await run(world, [...argv, flag], { host });
    const { address }: { address?: unknown } = JSON.parse(stdout);
    return address;
  };
  expect(await answered('-4')).toBe('10.0.1.1:6969');
  expect(await answered('-6')).toBe('[2001:db8::1]:6969');
});

test('an IPv6 --ip for a UDP tracker is warned of', async () => {
  const { world, tracker } = await withTracker();
  const { stderr } = await run(world, [...ANNOUNCE, tracker.udpUrl, HASH, '--ip', '2001:db8::1']);
  expect(stderr).toContain('UDP trackers take only an IPv4 address');
});

test('help has examples', async () => {
  const { code, stdout } = await bip(...ANNOUNCE, '--help');
  expect(code).toBe(0);
  expect(stdout).toContain('$ bip tracker announce debian.torrent');
  expect(stdout).toContain('--no-stop');
});
