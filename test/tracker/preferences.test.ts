/** What DNS says about trackers (BEP 34). */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SimHost, World } from '../../src/runtime/sim/index.ts';
import {
  type AnnounceOptions,
  type AnnounceResponse,
  announce,
  scrape,
  TrackerPreferences,
} from '../../src/tracker/index.ts';
import { parsePreference } from '../../src/tracker/preferences.ts';
import { makeWorld } from '../sim/world.ts';
import { INFO_HASH, REQUEST } from './samples.ts';
import { failureOf, NEVER, serveTracker, type TrackerHost } from './world.ts';

describe('records', () => {
  test.each([
    ['BITTORRENT', []],
    ['BITTORRENT DENY ALL', []],
    ['BITTORRENT UDP:1337 TCP:80', ['udp:1337', 'tcp:80']],
    ['BITTORRENT TCP:80 UDP:1337', ['tcp:80', 'udp:1337']],
    ['  BITTORRENT  UDP:1337  ', ['udp:1337']],
    ['BITTORRENT udp:1 UDP:0 UDP:65536 UDP: UDP:x UDP:1:2 TCP:65535 SCTP:5', ['tcp:65535']],
    [`BITTORRENT ${'UDP:1 '.repeat(100)}`, Array.from({ length: 8 }, () => 'udp:1')],
  ])('%j', (text, services) => {
    const record = parsePreference(['v=spf1 -all', text, 'BITTORRENT TCP:9']);
    expect(record?.services.map(({ protocol, port }) => `${protocol}:${port}`)).toEqual(services);
  });

  test.each(['', 'v=spf1', 'bittorrent UDP:1', 'BITTORRENTS', 'x BITTORRENT', 'BITTORRENT,UDP:1'])(
    '%j is none',
    (text) => {
      expect(parsePreference([text])).toBeUndefined();
    },
  );

  test('arbitrary texts: a record or none, of valid ports, on one line', () => {
    const words = fc.array(fc.oneof(fc.constantFrom('UDP:1', 'TCP:99999'), fc.string()));
    const texts = fc.array(words.map((all) => ['BITTORRENT', ...all].join(' ')));
    fc.assert(
      fc.property(texts, (all) => {
        const found = parsePreference(all);
        expect(found === undefined).toBe(all.length === 0);
        for (const { port } of found?.services ?? []) expect(port).toBeLessThanOrEqual(65_535);
        expect(found?.record ?? '').not.toMatch(/[\r\n]/);
      }),
    );
  });
});

class Scene {
  readonly world: World = makeWorld({ tcp: { connectMs: 5000 } });
  readonly client: SimHost = this.world.host('10.0.0.1');
  readonly server: SimHost = this.world.host('10.0.0.9');
  readonly preferences: TrackerPreferences = new TrackerPreferences(this.client.runtime);
  readonly tracker: Promise<TrackerHost> = serveTracker(this.world, this.server);

  constructor(...texts: readonly string[]) {
    this.world.names.set('t.example', ['10.0.0.9']);
    this.world.names.setTexts('t.example', texts);
  }
  async announce(url: string, options: Partial<AnnounceOptions> = {}): Promise<AnnounceResponse> {
    await this.tracker;
    const { preferences, client } = this;
    const all = { signal: NEVER, preferences, ...options };
    return this.world.run(announce(client.runtime, url, REQUEST, all));
  }
}

describe('announces', () => {
  test('by UDP where a torrent says HTTP, with its path', async () => {
    const scene = new Scene('BITTORRENT UDP:6969 TCP:80');
    const { exchange } = await scene.announce('http://t.example/announce?k=v');
    expect(exchange).toMatchObject({
      transport: 'udp',
      preference: {
        record: 'BITTORRENT UDP:6969 TCP:80',
        asked: 'udp://t.example:6969',
      },
    });
    expect((await scene.tracker).tiny.heard).toMatchObject([
      { over: 'udp', target: '/announce?k=v' },
    ]);
  });

  test('by HTTP where a torrent says UDP without a path', async () => {
    const scene = new Scene('BITTORRENT TCP:6969');
    const { exchange } = await scene.announce('udp://t.example:1234');
    expect(exchange).toMatchObject({ transport: 'http' });
    expect((await scene.tracker).tiny.heard).toMatchObject([{ over: 'http', target: '/announce' }]);
  });

  test('the next one when the first gives no answer, each with its share of the time', async () => {
    const scene = new Scene('BITTORRENT TCP:81 UDP:1 UDP:6969');
    const started = scene.world.now;
    const { exchange } = await scene.announce('http://t.example/announce', { timeoutMs: 9000 });
    expect(exchange.preference?.asked).toBe('udp://t.example:6969');
    expect(scene.world.now - started).toBeGreaterThan(4000);
    expect(scene.world.now - started).toBeLessThan(6000);
  });

  test('without a limit, a silent one is given up after a minute when there are others', async () => {
    const scene = new Scene('BITTORRENT UDP:1 TCP:6969');
    await scene.announce('http://t.example/announce');
    expect(scene.world.now).toBeGreaterThan(60_000);
    expect(scene.world.now).toBeLessThan(61_000);
  });

  test('a refusal is an answer: the next one is not asked', async () => {
    const scene = new Scene('BITTORRENT UDP:6969 TCP:6969');
    (await scene.tracker).tiny.refusal = 'no';
    const error = await failureOf(scene.announce('http://t.example/announce'));
    expect(error).toMatchObject({
      code: 'BIP_TRACKER_REFUSED',
      message: expect.stringMatching(/^udp:/),
    });
    expect((await scene.tracker).packets).toHaveLength(2);
  });

  test.each([
    'udp://t.example:6969',
    'http://t.example:6969/announce',
    'https://t.example/announce',
    'wss://t.example',
  ])('%s is left alone when its host runs no tracker', async (url) => {
    const scene = new Scene('BITTORRENT DENY ALL');
    const error = await failureOf(scene.announce(url));
    expect(error).toMatchObject({
      code: 'BIP_TRACKER_DNS_DENIES',
      message:
        't.example says by DNS that it runs no tracker (its TXT record is `BITTORRENT DENY ALL`)',
    });
    expect((await scene.tracker).packets).toHaveLength(0);
  });

  test('what is encrypted stays so', async () => {
    const scene = new Scene('BITTORRENT UDP:6969 TCP:80');
    const body = new TextEncoder().encode('d8:intervali9ee');
    scene.server.serveHttp(443, () => ({ body }), { certificate: 'good' });
    const { exchange } = await scene.announce('https://t.example/announce');
    expect(exchange).toMatchObject({
      transport: 'https',
      preference: { asked: 'https://t.example:443' },
    });
  });

  test('credentials stay with the port that they are for', async () => {
    const scene = new Scene('BITTORRENT TCP:81 TCP:80');
    const seen: (string | undefined)[] = [];
    for (const port of [80, 81]) {
      scene.server.serveHttp(port, ({ headers }) => {
        seen.push(headers['authorization']);
        return port === 81 ? undefined : { body: 'd8:intervali9ee' };
      });
    }
    await scene.announce('http://me:pw@t.example/announce');
    expect(seen).toEqual([undefined, 'Basic bWU6cHc=']);
  });

  test('without a record nothing changes', async () => {
    const scene = new Scene('v=spf1 -all');
    const { exchange } = await scene.announce('udp://t.example:6969');
    expect(exchange).not.toHaveProperty('preference');
  });

  test('a scrape, too', async () => {
    const scene = new Scene('BITTORRENT TCP:6969');
    await scene.tracker;
    const { preferences, client } = scene;
    const { exchange } = await scene.world.run(
      scrape(client.runtime, 'udp://t.example:1', [INFO_HASH], { signal: NEVER, preferences }),
    );
    expect(exchange.preference?.asked).toBe('http://t.example:6969');
  });
});

describe('the name server', () => {
  test('is asked once an hour', async () => {
    const scene = new Scene('BITTORRENT UDP:6969');
    await scene.announce('http://t.example/announce');
    scene.world.names.setTexts('t.example', ['BITTORRENT']);
    await scene.announce('http://t.example/announce');
    await scene.world.runFor(3_600_000);
    const error = await failureOf(scene.announce('http://t.example/announce'));
    expect(error).toMatchObject({ code: 'BIP_TRACKER_DNS_DENIES' });
  });

  test('that is silent is waited for two seconds, and again five minutes later', async () => {
    const { world, preferences } = new Scene('BITTORRENT');
    const waited = async (): Promise<number> => {
      const started = world.now;
      expect(await world.run(preferences.of('t.example', { signal: NEVER }))).toBeUndefined();
      return world.now - started;
    };
    world.names.silent = true;
    expect(await waited()).toBe(2000);
    expect(await waited()).toBe(0);
    await world.runFor(300_000);
    expect(await waited()).toBe(2000);
    const limited = preferences.of('other.example', { signal: NEVER, limitMs: 50 });
    const started = world.now;
    await world.run(limited);
    expect(world.now - started).toBe(50);
  });

  test.each([
    '192.0.2.1',
    '2001:db8::1',
    'localhost',
    'nas',
    'nas.local',
    'x.LOCALHOST',
    'a.onion',
    'b.i2p.',
  ])('is not asked about %s', async (host) => {
    const { world, preferences } = new Scene();
    world.names.silent = true;
    expect(await world.run(preferences.of(host, { signal: NEVER }))).toBeUndefined();
    expect(world.now).toBe(0);
  });

  test('an abort is not taken for a silent one', async () => {
    const { world, preferences } = new Scene();
    const controller = new AbortController();
    const asked = failureOf(preferences.of('t.example', { signal: controller.signal }));
    controller.abort(new Error('enough'));
    expect(await world.run(asked)).toMatchObject({ message: 'enough' });
  });

  test('no more than a thousand hosts are remembered', async () => {
    const { world, preferences } = new Scene('BITTORRENT');
    const ask = (host: string): Promise<unknown> =>
      world.run(preferences.of(host, { signal: NEVER }));
    await ask('t.example');
    for (let at = 0; at < 999; at++) await ask(`${at}.example`);
    const now = world.now;
    await ask('t.example');
    expect(world.now).toBe(now);
    await ask('one-more.example');
    const later = world.now;
    await ask('t.example');
    expect(world.now).toBeGreaterThan(later);
  });
});
