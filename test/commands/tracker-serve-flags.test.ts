/** Every flag of `bip tracker serve` has its effect, and flags that contradict each other are refused. */

import { describe, expect, test } from 'vitest';
import { formatEndpoint } from '../../src/base/endpoint.ts';
import { NetworkError, UsageError } from '../../src/base/errors.ts';
import { type Client, infoHashOf, TRACKER } from '../tracker/server/service-world.ts';
import { failureOf, NEVER } from '../tracker/world.ts';
import { bip, TEST_VERSION } from './harness.ts';
import { playServe, type ServeScene } from './serve-world.ts';

/** GET of the tracker or of another URL, as text. */
async function get(
  client: Pick<Client, 'host'>,
  target: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<string> {
  const base = `http://${TRACKER.four}:${TRACKER.port}`;
  const request = { url: new URL(target, base).href, headers, maxBytes: 1_000_000 };
  const { body } = await client.host.runtime.http.get(request, { signal: NEVER });
  return new TextDecoder('latin1').decode(body);
}

const ANNOUNCE = `/announce?info_hash=${'%01'.repeat(20)}&peer_id=${'p'.repeat(20)}&port=7000`;

/** Does not look at what comes. */
const NOTHING = { data: () => undefined, drain: () => undefined };

/** That many leechers of one address. */
async function fill(scene: ServeScene, peers: number): Promise<Client> {
  const client = scene.client();
  for (let port = 1; port <= peers; port++) await client.announce('udp4', { port });
  return client;
}

describe('answers', () => {
  test('--interval, and half of it at least, stretched by a tenth at most', () =>
    playServe(async (scene) => {
      const serving = await scene.serve(['--interval', '10m']);
      const { intervalSeconds, minIntervalSeconds } = await scene.client().announce('http4');
      expect(intervalSeconds).toBeGreaterThanOrEqual(600);
      expect(intervalSeconds).toBeLessThanOrEqual(660);
      expect(minIntervalSeconds).toBe(300);
      await serving.stop();
    }));

  test('--min-interval', () =>
    playServe(async (scene) => {
      const serving = await scene.serve(['--min-interval', '2m']);
      const { minIntervalSeconds } = await scene.client().announce('http4');
      expect(minIntervalSeconds).toBe(120);
      await serving.stop();
    }));

  test.each([
    [['--interval', '1m'], 150],
    [['--interval', '1m', '--peer-lifetime', '5m'], 300],
  ])('who is silent is forgotten: %s', (argv, seconds) =>
    playServe(async (scene) => {
      const serving = await scene.serve(argv);
      const client = await fill(scene, 1);
      const leechers = async (): Promise<number | undefined> =>
        (await client.scrape('udp4', infoHashOf(1)))[0]?.leechers;
      await scene.pass(seconds - 5);
      expect(await leechers()).toBe(1);
      await scene.pass(70);
      expect(await leechers()).toBe(0);
      await serving.stop();
    }),
  );

  test.each([
    [[], undefined, 50],
    [[], 100, 60],
    [['--numwant', '3'], undefined, 3],
    [['--numwant', '3'], 20, 20],
    [['--max-numwant', '4'], undefined, 4],
    [['--max-numwant', '4'], 20, 4],
  ])('%s: asked for %s there are %i peers', (argv, numWant, expected) =>
    playServe(async (scene) => {
      const serving = await scene.serve(argv);
      await fill(scene, 60);
      const { peers } = await scene.client().announce('http4', { numWant });
      expect(peers).toHaveLength(expected);
      await serving.stop();
    }),
  );

  test.each([
    [[], 'does not list all its torrents'],
    [['--full-scrape'], 'd5:filesd20:'],
  ])('a scrape of everything: %s', (argv, answer) =>
    playServe(async (scene) => {
      const serving = await scene.serve(argv);
      const client = await fill(scene, 1);
      expect(await get(client, '/scrape')).toContain(answer);
      await serving.stop();
    }),
  );
});

describe('who is who', () => {
  test.each([
    ['never', '192.168.1.1:6881', '203.0.113.1:6881'],
    ['local', '198.51.100.77:6881', '203.0.113.1:6881'],
    ['always', '198.51.100.77:6881', '198.51.100.77:6881'],
  ])('--accept-ip %s', (whose, near, far) =>
    playServe(async (scene) => {
      const serving = await scene.serve(['--accept-ip', whose]);
      const neighbour = scene.around.client('192.168.1.1');
      for (const client of [neighbour, scene.client()]) {
        await client.announce('http4', { ip: '198.51.100.77' });
        await client.announce('udp4', { ip: '198.51.100.77' });
      }
      const { peers } = await scene.client().announce('http4');
      expect(peers.map(formatEndpoint).toSorted()).toEqual([...new Set([near, far])].toSorted());
      await serving.stop();
    }),
  );

  test.each([
    ['nobody', [], {}, ['203.0.113.1']],
    ['a network', ['--trusted-proxy', '203.0.113.0/24'], {}, ['9.8.7.6']],
    [
      'two, by another header',
      ['--trusted-proxy', '::1', '--trusted-proxy', '203.0.113.1', '--proxy-header', 'X-Real-IP'],
      { 'x-real-ip': '6.7.8.9' },
      ['6.7.8.9'],
    ],
  ])('proxies that are believed: %s', (_, argv, more, expected) =>
    playServe(async (scene) => {
      const serving = await scene.serve(argv);
      await get(scene.client(), ANNOUNCE, { 'x-forwarded-for': '1.2.3.4, 9.8.7.6', ...more });
      const infoHash = infoHashOf(0x01_01_01_01);
      const { peers } = await scene.around.client('192.0.2.1').announce('udp4', { infoHash });
      expect(peers.map(({ host }) => host)).toEqual(expected);
      await serving.stop();
    }),
  );
});

describe('limits', () => {
  test.each([
    ['the default', [], 0],
    ['--rate-limit 1', ['--rate-limit', '1'], 20],
    ['--no-rate-limit', ['--no-rate-limit'], 0],
  ])('requests of one address: %s', (_, argv, refused) =>
    playServe(async (scene) => {
      const serving = await scene.serve(argv);
      const client = scene.client();
      let slowed = 0;
      for (let times = 0; times < 30; times++) {
        if ((await get(client, ANNOUNCE)).includes('slow down')) slowed++;
      }
      // Ten at once, and one more in each of the seconds that all of this takes.
      expect(slowed).toBeGreaterThanOrEqual(refused - 5);
      expect(slowed).toBeLessThanOrEqual(refused);
      await serving.stop();
    }),
  );

  test('--max-peers', () =>
    playServe(async (scene) => {
      const serving = await scene.serve(['--max-peers', '2']);
      const client = await fill(scene, 2);
      expect(await failureOf(client.announce('http4', { port: 3 }))).toMatchObject({
        message: expect.stringContaining('no room for more peers'),
        retryInSeconds: 300,
      });
      await serving.stop();
    }));

  test('--max-swarms', () =>
    playServe(async (scene) => {
      const serving = await scene.serve(['--max-swarms', '1']);
      const client = await fill(scene, 2);
      const second = { infoHash: infoHashOf(2) };
      expect(await failureOf(client.announce('http4', second))).toMatchObject({
        message: expect.stringContaining('no room'),
      });
      await serving.stop();
    }));

  test('--max-memory', () =>
    playServe(async (scene) => {
      const reserved = async (...argv: string[]): Promise<number> => {
        const serving = await scene.serve([...argv, '--stats', '81']);
        const { memory } = await statsOf(scene);
        await serving.stop();
        return memory.reservedBytes;
      };
      const little = await reserved('--max-memory', '2MiB');
      expect(little).toBeLessThan(2 * 1024 * 1024);
      expect(await reserved()).toBeGreaterThan(2 * little);
    }));

  test('--max-connections: one more takes the place of the one that was quiet for longest', () =>
    playServe(async (scene) => {
      const serving = await scene.serve(['--max-connections', '2', '--verbose']);
      const closed: number[] = [];
      await using stack = new AsyncDisposableStack();
      for (let number = 1; number <= 3; number++) {
        const { network } = scene.client().host.runtime;
        const to = { host: TRACKER.four, port: TRACKER.port };
        const stream = stack.use(await network.connect(to, { signal: NEVER }));
        stream.open({ ...NOTHING, closed: () => void closed.push(number) });
        await scene.pass(2);
      }
      expect(closed).toEqual([1]);
      expect((await serving.stop()).stderr).toContain('2 connections over HTTP at most\n');
    }));

  test('--request-timeout: half a request is not waited for', () =>
    playServe(async (scene) => {
      const serving = await scene.serve(['--request-timeout', '3s']);
      const { network } = scene.client().host.runtime;
      const to = { host: TRACKER.four, port: TRACKER.port };
      await using stream = await network.connect(to, { signal: NEVER });
      const began = scene.around.world.now;
      const ended = new Promise<number>((resolve) => {
        stream.open({ ...NOTHING, closed: () => resolve(scene.around.world.now - began) });
      });
      stream.write(new TextEncoder().encode('GET /announce'));
      const waited = await ended;
      expect(waited).toBeGreaterThanOrEqual(3000);
      expect(waited).toBeLessThan(6000);
      await serving.stop();
    }));
});

/** What `/stats` says to whoever is at the same machine. */
async function statsOf(
  scene: ServeScene,
  url = 'http://127.0.0.1:81',
): Promise<{ version: string; memory: { reservedBytes: number } }> {
  const document: { version: string; memory: { reservedBytes: number } } = JSON.parse(
    await get(scene, `${url}/stats`),
  );
  return document;
}

test.each([
  ['81', 'http://127.0.0.1:81'],
  [`${TRACKER.four}:82`, `http://${TRACKER.four}:82`],
])('--stats %s', (at, url) =>
  playServe(async (scene) => {
    const serving = await scene.serve(['--stats', at]);
    expect(await statsOf(scene, url)).toMatchObject({ version: TEST_VERSION });
    expect(await get(scene, `${url}/healthz`)).toBe('ok\n');
    await serving.stop();
  }),
);

describe('what the process gives', () => {
  test('--workers: threads, which there are none of here', () =>
    playServe(async (scene) => {
      const { ended } = scene.start(['--workers', '2']);
      expect((await ended).code).toBe(70);
    }));

  test.each([
    [new UsageError('the address of Redis does not do'), 2, '--store: the address of Redis does'],
    [new NetworkError('cannot connect to Redis', { code: 'BIP_REFUSED' }), 1, 'cannot connect to'],
  ])('--store: what is wrong with it (%s)', (fault, code, message) =>
    playServe(async (scene) => {
      const asked: string[] = [];
      const { ended } = scene.start(['--store', 'redis://h:1'], {
        process: {
          openRedis(url) {
            asked.push(url);
            return Promise.reject(fault);
          },
        },
      });
      const { code: ending, stderr } = await ended;
      expect([ending, stderr]).toEqual([code, expect.stringContaining(`error: ${message}`)]);
      expect(asked).toEqual(['redis://h:1']);
    }),
  );
});

describe('refused', () => {
  test.each([
    [['--no-http', '--no-udp'], '--no-http and --no-udp leave nothing to serve'],
    [['--interval', '5m', '--min-interval', '6m'], '--min-interval is longer than --interval'],
    [['--interval', '30m', '--peer-lifetime', '33m'], '--peer-lifetime: peers would be forgotten'],
    [['--save-every', '1m'], '--save-every needs --state'],
    [['--store-prefix', 'x:'], '--store-prefix needs --store'],
    [['--proxy-header', 'x-real-ip'], '--proxy-header needs --trusted-proxy'],
    [['--trusted-proxy', '::1', '--proxy-header', 'a b'], '--proxy-header: `a b` is no name of'],
    [['--trusted-proxy', '10.0.0.0/33'], '--trusted-proxy: `10.0.0.0/33` is no address'],
    [['--port', '81', '--stats', '0.0.0.0:81'], '--stats: the tracker itself is at port 81'],
    [['--stats', '6969', '--host', '127.0.0.1'], '--stats: the tracker itself is at port 6969'],
    [['--stats', 'localhost'], '--stats: `localhost` is no port and no ADDRESS:PORT'],
    [['--host', 'localhost'], '--host: `localhost` is no IP address'],
    [['--port', '65536'], '--port: `65536` is no whole number from 0 to 65535'],
    [['--interval', '31d'], '--interval: `31d`'],
    [['--interval', '0.5s'], '--interval: `0.5s` is shorter than 1 s'],
    [['--numwant', '201'], '--numwant: `201` is no whole number from 0 to 200'],
    [['--max-memory', '1000KiB'], '--max-memory: `1000KiB` is less than 1MiB'],
    [['--rate-limit', '0'], '--rate-limit: `0` is no whole number'],
    [['--accept-ip', 'sometimes'], '--accept-ip'],
    [['--workers', '65'], '--workers: `65` is no whole number from 1 to 64'],
    [['--stat', 's'], 'Did you mean one of --state, --stats?'],
    [['6969'], 'too many arguments'],
    [['--quiet', '--verbose'], '--quiet and --verbose contradict each other'],
  ])('%s', async (argv, message) => {
    const { code, stdout, stderr } = await bip('tracker', 'serve', '--timeout', '1', ...argv);
    expect([code, stdout, stderr]).toEqual([2, '', expect.stringContaining(message)]);
  });

  test('a store without a process to reach it', async () => {
    const { code, stderr } = await bip('tracker', 'serve', '--store', 'redis://h:1');
    expect([code, stderr]).toEqual([2, 'error: --store: there is no way to a store from here\n']);
  });
});
