/** `bip tracker serve`: what it prints, for whom, and how it ends. */

import { describe, expect, test } from 'vitest';
import { statusLine } from '../../commands/tracker/serve-view.ts';
import { InfoHash } from '../../src/base/ids.ts';
import { infoHashOf, TRACKER } from '../tracker/server/service-world.ts';
import { failureOf } from '../tracker/world.ts';
import { eventsOf, playServe, type ServeScene } from './serve-world.ts';

const HASH = infoHashOf(1).hex;
const DENIED = 'ab'.repeat(20);
const URLS = [`http://${TRACKER.four}:6969/announce`, `udp://${TRACKER.four}:6969/announce`];

/** A leecher over UDP, a seed over HTTP, one who asks for what is denied, a scrape. */
async function visit(scene: ServeScene): Promise<void> {
  await scene.client().announce('udp4', { event: 'started' });
  await scene.client().announce('http4', { event: 'completed', left: 0 });
  const denied = { infoHash: new InfoHash(new Uint8Array(20).fill(0xab)) };
  await failureOf(scene.client().announce('http4', denied));
  await scene.client().scrape('udp4', infoHashOf(1));
}
const DENY = ['--deny', '/deny'];
const FILES = { '/deny': `${DENIED}\n` };

describe('in a pipe', () => {
  test('the URLs to announce to, one a line, and nothing else', () =>
    playServe(async (scene) => {
      const serving = await scene.serve(DENY, { files: FILES });
      await visit(scene);
      await scene.pass(120);
      const left = await serving.stop();
      expect(left).toMatchObject({ code: 130, stdout: `${URLS.join('\n')}\n`, stderr: '' });
    }));

  test('each announce in columns, with --log-announces', () =>
    playServe(async (scene) => {
      const serving = await scene.serve([...DENY, '--log-announces'], { files: FILES });
      await visit(scene);
      const { stdout } = await serving.stop();
      expect(stdout.split('\n').slice(URLS.length)).toEqual([
        `started\t${HASH}\t203.0.113.1:6881\tleecher\tudp`,
        `completed\t${HASH}\t203.0.113.2:6881\tseeder\thttp`,
        `announce\t${DENIED}\t203.0.113.3:6881\tnot-listed\thttp`,
        '',
      ]);
    }));

  test('only what is served: --no-udp, --no-http, --host, --port', () =>
    playServe(async (scene) => {
      const urls = async (...argv: string[]): Promise<string> =>
        (await (await scene.serve(argv)).stop()).stdout;
      expect(await urls('--no-udp')).toBe(`${URLS[0]}\n`);
      expect(await urls('--no-http')).toBe(`${URLS[1]}\n`);
      expect(await urls('--host', TRACKER.six, '--no-udp')).toBe(
        `http://[${TRACKER.six}]:6969/announce\n`,
      );
      expect(await urls('--host', '127.0.0.1', '-p', '81', '--no-udp')).toBe(
        'http://127.0.0.1:81/announce\n',
      );
      expect(await urls('--port', '0', '--host', '::1', '--no-http')).toMatch(
        /^udp:\/\/\[::1\]:[1-9]\d*\/announce\n$/,
      );
    }));

  test('private mode: where the passkey is to stand', () =>
    playServe(async (scene) => {
      const passkey = 'k'.repeat(16);
      const argv = ['--passkeys', '/passkeys'];
      const serving = await scene.serve(argv, { files: { '/passkeys': `${passkey} alice\n` } });
      const member = scene.client();
      expect(await failureOf(member.announce('udp4'))).toMatchObject({
        message: expect.stringContaining('passkey'),
      });
      await member.announce('udp4', {}, `/${passkey}/announce`);
      await member.announce('http4', {}, `/${passkey}/announce`);
      const { stdout, stderr } = await serving.stop();
      const places = URLS.map((url) => url.replace('/announce', '/PASSKEY/announce'));
      expect(stdout).toBe(`${places.join('\n')}\n`);
      expect(stderr).toBe('');
    }));
});

describe('with --json', () => {
  test('an event a line, as it happens; the last one sums up', () =>
    playServe(async (scene) => {
      const argv = [...DENY, '--json', '--log-announces', '--log-every', '40s', '--stats', '81'];
      const serving = await scene.serve(argv, { files: FILES });
      const [listening] = eventsOf(serving);
      expect(listening).toEqual({
        type: 'listening',
        announce: URLS,
        workers: 1,
        stats: 'http://127.0.0.1:81/',
      });
      await visit(scene);
      expect(eventsOf(serving).slice(1)).toEqual([
        {
          type: 'announce',
          event: 'started',
          infoHash: HASH,
          peer: '203.0.113.1:6881',
          seeding: false,
          transport: 'udp',
        },
        {
          type: 'announce',
          event: 'completed',
          infoHash: HASH,
          peer: '203.0.113.2:6881',
          seeding: true,
          transport: 'http',
        },
        {
          type: 'announce',
          event: 'announce',
          infoHash: DENIED,
          peer: '203.0.113.3:6881',
          seeding: false,
          transport: 'http',
          refused: 'not-listed',
        },
      ]);
      await scene.pass(60);
      const counted = { swarms: 1, seeders: 1, leechers: 1, announces: 2, scrapes: 1, refused: 1 };
      const [numbers, ...more] = eventsOf(serving).slice(4);
      expect(more).toEqual([]);
      expect(numbers).toMatchObject({ type: 'numbers', ...counted, announcesPerSecond: 0 });
      expect(numbers?.['elapsedMs']).toBe(40_000);
      const left = await serving.stop('SIGTERM');
      expect(left).toMatchObject({ code: 143, stderr: '' });
      expect(eventsOf(left).slice(5)).toEqual([
        { ...numbers, type: 'end', elapsedMs: expect.any(Number) },
      ]);
    }));

  test('a reader that is too slow misses announces, and hears how many', () =>
    playServe(async (scene) => {
      const serving = await scene.serve(['--json', '--log-announces', '--log-every', '1m'], {
        queuedBytes: () => queued,
      });
      let queued = 0;
      const client = scene.client();
      await client.announce('udp4', { port: 1 });
      queued = 100_000_000;
      await client.announce('udp4', { port: 2 });
      await client.announce('udp4', { port: 3 });
      queued = 0;
      await client.announce('udp4', { port: 4 });
      await scene.pass(60);
      const told = eventsOf(await serving.stop());
      expect(told.flatMap(({ peer }) => peer ?? [])).toEqual(['203.0.113.1:1', '203.0.113.1:4']);
      expect(told.filter(({ type }) => type === 'untold')).toEqual([
        { type: 'untold', announces: 2 },
      ]);
      expect(told.at(-1)).toMatchObject({ type: 'end', announces: 4 });
    }));
});

describe('on a terminal', () => {
  test('URLs, the page, announces in columns, and the sum', () =>
    playServe(async (scene) => {
      const argv = [...DENY, '--log-announces', '--stats', '81', '--color', 'never'];
      const serving = await scene.serve(argv, { files: FILES, tty: true });
      await visit(scene);
      await scene.pass(60);
      const { code, stdout, stderr } = await serving.stop();
      expect(code).toBe(130);
      expect(stdout).toMatchInlineSnapshot(`
        "http://198.51.100.1:6969/announce
        udp://198.51.100.1:6969/announce
        status http://127.0.0.1:81/
        started   leecher udp  0100000001000000010000000100000001000000 203.0.113.1:6881
        completed seeder  http 0100000001000000010000000100000001000000 203.0.113.2:6881
        announce  leecher http abababababababababa… 203.0.113.3:6881 refused: not-listed
        2 announces and 1 scrape in 1m 00s, 1 refused
        "
      `);
      expect(stderr).toContain('1 torrent  1 seeder  1 leecher  0 announces/s  1 refused\n');
      expect(stderr.endsWith('\u001b[1A\r\u001b[Jinterrupted\n')).toBe(true);
    }));

  test.each([20, 40, 60, 80, 200])('no line of numbers wraps: %i columns', (columns) =>
    playServe(async (scene) => {
      const serving = await scene.serve(DENY, { files: FILES, tty: { stderr: true, columns } });
      await visit(scene);
      await scene.pass(5);
      const { stderr } = await serving.stop();
      const drawn = stderr.split('\n').map((line) => line.split('\u001b[J').at(-1) ?? '');
      expect(drawn.filter((line) => line.startsWith('1 torrent')).length).toBeGreaterThan(2);
      expect(drawn.filter((line) => line.length >= columns)).toEqual([]);
    }),
  );

  test.each([
    [80, HASH],
    [60, `${HASH.slice(0, 19)}…`],
    [20, `${HASH.slice(0, 8)}…`],
  ])('of an infohash there is as much as there is room for: %i columns', (columns, shown) =>
    playServe(async (scene) => {
      const tty = { stdout: true, columns };
      const serving = await scene.serve(['--log-announces', '--color', 'never'], { tty });
      await scene.client().announce('udp4', { event: 'started' });
      const { stdout } = await serving.stop();
      expect(stdout.split('\n')[URLS.length]).toBe(
        `started   leecher udp  ${shown} 203.0.113.1:6881`,
      );
    }),
  );

  test.each([
    [['--json'], false],
    [['--log-announces'], false],
    [[], true],
  ])('numbers are drawn unless a pipe prints beside them: %s', (argv, drawn) =>
    playServe(async (scene) => {
      const serving = await scene.serve(argv, { tty: { stderr: true } });
      await scene.pass(5);
      expect((await serving.stop()).stderr.includes('0 torrents')).toBe(drawn);
    }),
  );

  test('with --quiet there are URLs and announces only', () =>
    playServe(async (scene) => {
      const argv = ['--quiet', '--state', '/state', '--log-announces', '--color', 'never'];
      const serving = await scene.serve(argv, { tty: true });
      await scene.client().announce('udp4');
      await scene.pass(600);
      const { stdout, stderr } = await serving.stop();
      expect(stdout.split('\n')).toHaveLength(URLS.length + 3);
      expect(stderr).toBe('');
    }));
});

test('the line of numbers has whole parts, as many as there is room for', () => {
  const numbers = {
    swarms: 1,
    seeders: 20,
    leechers: 3,
    announces: 4,
    announcesPerSecond: 5.5,
    scrapes: 0,
    refused: 6,
    elapsedMs: 1,
  };
  const full = '1 torrent  20 seeders  3 leechers  5.5 announces/s  6 refused';
  expect(statusLine(numbers, full.length + 1)).toBe(full);
  expect(statusLine(numbers, full.length)).toBe(
    '1 torrent  20 seeders  3 leechers  5.5 announces/s',
  );
  expect(statusLine(numbers, 22)).toBe('1 torrent  20 seeders');
  expect(statusLine(numbers, 21)).toBe('1 torrent');
  expect(statusLine(numbers, 5)).toBe('1 to');
  expect(statusLine({ ...numbers, refused: 0 }, 100)).not.toContain('refused');
});

describe('the end', () => {
  test.each(['pipe', 'terminal', 'json'])('--timeout: exit 6, after the sum (%s)', (how) =>
    playServe(async (scene) => {
      const argv = [
        '--timeout',
        '1m30s',
        '--color',
        'never',
        ...(how === 'json' ? ['--json'] : []),
      ];
      const serving = await scene.serve(argv, { tty: how === 'terminal' });
      const { code, stdout, stderr } = await serving.ended;
      expect(code).toBe(6);
      expect(Math.round(scene.around.world.now / 1000)).toBe(90);
      const sentence = 'stopped after the --timeout of 1m 30s';
      const last = stderr.trimEnd().split('\n').at(-1) ?? '';
      if (how !== 'json') expect(last.endsWith(`error: ${sentence}`)).toBe(true);
      else {
        expect(JSON.parse(last)).toEqual({ error: { code: 'BIP_LIMIT', message: sentence } });
        expect(eventsOf({ stdout }).at(-1)).toMatchObject({ type: 'end', elapsedMs: 90_000 });
      }
    }),
  );

  test('Ctrl-C before anything is open', () =>
    playServe(async (scene) => {
      const serving = scene.start(['--state', '/state']);
      expect(await serving.stop()).toMatchObject({ code: 130, stdout: '', stderr: '' });
    }));

  test.each(['TCP', 'UDP', 'stats'] as const)('a port that is taken: %s', (which) =>
    playServe(async (scene) => {
      const { network } = scene.host.runtime;
      const { signal } = new AbortController();
      const port = which === 'stats' ? 81 : 6969;
      await using _ = await (which === 'UDP'
        ? network.bindDatagrams({ port, signal })
        : network.listen(() => undefined, { port, signal }));
      const serving = scene.start(['--stats', '81', '--state', '/state']);
      const { code, stdout, stderr } = await serving.ended;
      expect([code, stdout]).toEqual([1, '']);
      const flag = which === 'stats' ? '--stats' : '--port';
      expect(stderr).toMatch(
        new RegExp(
          `^error: cannot (?:listen on|bind) .*\\b${port}: .*; choose another port with ${flag}\n$`,
        ),
      );
    }),
  );
});
