import { describe, expect, test } from 'vitest';
import { decodeUtf8Lossy } from '../../../src/base/bytes.ts';
import type { Datagrams } from '../../../src/runtime/ports.ts';
import { parseDenyList, parsePasskeys } from '../../../src/tracker/server/index.ts';
import { InfoHashSet } from '../../../src/tracker/server/info-hash-set.ts';
import { failureOf, NEVER } from '../world.ts';
import {
  ANSWERS,
  CLIENT_FOUR,
  CLIENT_SIX,
  infoHashOf,
  LIFETIME_SECONDS,
  type Over,
  openService,
  peersOf,
  ServiceWorld,
  STATS_PORT,
  TRACKER,
  urlOf,
} from './service-world.ts';
import { announcePacket, connectPacket } from './udp-desk.ts';

const OTHER = '203.0.113.2';
const EVERY_WAY: readonly Over[] = ['http4', 'http6', 'udp4', 'udp6'];

async function nextPacket(socket: Datagrams): Promise<Uint8Array> {
  const { promise, resolve } = Promise.withResolvers<Uint8Array>();
  socket.receive((bytes) => resolve(bytes.slice()));
  return promise;
}

describe('one port for all', () => {
  test('peers of both protocols and families learn of each other', async () => {
    const { scene, service, client } = await openService();
    const other = scene.client(OTHER, { addresses: ['2001:db8::2'] });
    await scene.play(async () => {
      expect(service.announceUrls).toEqual([
        urlOf('http4', '/announce'),
        urlOf('udp4', '/announce'),
      ]);
      for (const [at, over] of EVERY_WAY.entries()) await other.announce(over, { port: 1000 + at });
      const all = [
        '203.0.113.2:1000',
        '203.0.113.2:1002',
        '[2001:db8::2]:1001',
        '[2001:db8::2]:1003',
      ];
      expect(peersOf(await client.announce('http4'))).toEqual(all);
      expect(peersOf(await client.announce('http6'))).toEqual([`${CLIENT_FOUR}:6881`, ...all]);
      const four = await client.announce('udp4');
      expect(peersOf(four)).toEqual(all.slice(0, 2));
      expect(four).toMatchObject({ seeders: 0, leechers: 6, intervalSeconds: 1800 });
      expect(peersOf(await client.announce('udp6'))).toEqual(all.slice(2));
      for (const over of EVERY_WAY) {
        const [file] = await client.scrape(over, infoHashOf(1));
        expect(file).toMatchObject({ seeders: 0, leechers: 6, completed: 0 });
      }
      expect(service.numbers.counters).toMatchObject({
        announcesHttp4: 2,
        announcesHttp6: 2,
        announcesUdp4: 2,
        announcesUdp6: 2,
        scrapes: 4,
      });
      await service[Symbol.asyncDispose]();
    });
  });

  test('whoever says over UDP that it is done has said so over HTTP', async () => {
    const { scene, service, client } = await openService();
    await scene.play(async () => {
      await client.announce('http4', { event: 'started' });
      await client.announce('udp4', { event: 'completed', left: 0 });
      const [done] = await client.scrape('http4', infoHashOf(1));
      expect(done).toMatchObject({ seeders: 1, leechers: 0, completed: 1 });
      // A packet that was sent twice is one download.
      await client.announce('udp4', { event: 'completed', left: 0 });
      const stopped = await client.announce('http4', { event: 'stopped', left: 0 });
      expect(stopped).toMatchObject({ seeders: 0, leechers: 0, peers: [] });
      const [gone] = await client.scrape('udp4', infoHashOf(1));
      expect(gone).toMatchObject({ seeders: 0, leechers: 0, completed: 1 });
      expect(service.numbers).toMatchObject({
        totals: { swarms: 1, peers4: 0, seeders: 0, completed: 1 },
        counters: { completedEvents: 2, stoppedEvents: 1 },
      });
      await service[Symbol.asyncDispose]();
    });
  });

  test.each([
    ['HTTP alone', { http: true, udp: false }, ['http://198.51.100.1:6969/announce']],
    ['UDP alone', { http: false, udp: true }, ['udp://198.51.100.1:6969/announce']],
  ])('%s', async (_, kinds, urls) => {
    const { scene, service, client } = await openService({
      places: { port: TRACKER.port, ...kinds },
    });
    await scene.play(async () => {
      expect(service.announceUrls).toEqual(urls);
      await client.announce(kinds.http ? 'http4' : 'udp4');
      await failureOf(client.announce(kinds.http ? 'udp4' : 'http4'));
      expect(service.numbers.totals.peers4).toBe(1);
      await service[Symbol.asyncDispose]();
    });
  });

  test('port 0: any, and the same for both', async () => {
    const { scene, service } = await openService({ places: { port: 0, http: true, udp: true } });
    const ports = service.announceUrls.map((url) => new URL(url).port);
    expect(new Set(ports).size).toBe(1);
    expect(Number(ports[0])).toBeGreaterThan(0);
    await scene.play(() => service[Symbol.asyncDispose]());
  });

  test('port 0: what is free for HTTP may be taken for UDP', async () => {
    const scene = new ServiceWorld();
    await scene.play(async () => {
      const { network } = scene.host.runtime;
      await using first = await network.bindDatagrams({ signal: NEVER });
      const taken = Array.from({ length: 5 }, (_, at) =>
        network.bindDatagrams({ port: first.local.port + 1 + at, signal: NEVER }),
      );
      const service = await scene.serve({ places: { port: 0, http: true, udp: true } });
      expect(new URL(service.announceUrls[0] ?? '').port).toBe(String(first.local.port + 6));
      for (const socket of await Promise.all(taken)) await socket[Symbol.asyncDispose]();
      await service[Symbol.asyncDispose]();
    });
  });

  test.each(['TCP', 'UDP', 'stats'] as const)(
    'a port that is taken (%s): nothing stays open',
    async (which) => {
      const scene = new ServiceWorld();
      await scene.play(async () => {
        const { network } = scene.host.runtime;
        const port = which === 'stats' ? STATS_PORT : TRACKER.port;
        const other = await (which === 'UDP'
          ? network.bindDatagrams({ port, signal: NEVER })
          : network.listen(() => undefined, { port, signal: NEVER }));
        const opening = scene.serve({ stats: { host: TRACKER.four, port: STATS_PORT } });
        expect(await failureOf(opening)).toMatchObject({
          code: 'BIP_PORT_IN_USE',
          message: expect.stringContaining(String(port)),
        });
        await other[Symbol.asyncDispose]();
        scene.world.assertClosed();
        const service = await scene.serve({ stats: { host: TRACKER.four, port: STATS_PORT } });
        await service[Symbol.asyncDispose]();
      });
    },
  );
});

describe('time', () => {
  test('who is silent is gone after its lifetime, who comes again is not', async () => {
    const { scene, service, client } = await openService();
    await scene.play(async () => {
      const silent = scene.client(OTHER);
      await silent.announce('udp4', { left: 0 });
      for (let rounds = 0; rounds < 3; rounds++) {
        await client.announce('udp4');
        await scene.pass(LIFETIME_SECONDS / 3 - 1);
      }
      const before = await client.announce('http4');
      expect(before).toMatchObject({ seeders: 1, leechers: 1 });
      // A tick of time and one round of the sweep.
      await scene.pass(65);
      const after = await client.announce('http4');
      expect(after).toMatchObject({ seeders: 0, leechers: 1, peers: [] });
      await scene.pass(LIFETIME_SECONDS + 65);
      expect(service.numbers.totals).toMatchObject({ swarms: 0, peers4: 0 });
      await service[Symbol.asyncDispose]();
    });
  });

  test('a crowd that goes at once is forgotten in small steps', async () => {
    const { scene, service, client } = await openService();
    await scene.play(async () => {
      const { bytesUsed } = service.numbers.totals;
      await using socket = await client.host.runtime.network.bindDatagrams({ signal: NEVER });
      const tracker = { host: TRACKER.four, port: TRACKER.port };
      socket.send(connectPacket(), tracker);
      const connection = await nextPacket(socket);
      for (let port = 1; port <= 12_000; port++) {
        const fields = { port, infoHash: infoHashOf(port % 7).wire };
        socket.send(announcePacket(connection.slice(8, 16), fields), tracker);
      }
      await scene.pass(10);
      expect(service.numbers.totals).toMatchObject({ swarms: 7, peers4: 12_000 });
      await scene.pass(LIFETIME_SECONDS - 20);
      const counts: number[] = [];
      while (service.numbers.totals.peers4 > 0 && counts.length < 3000) {
        counts.push(service.numbers.totals.peers4);
        await scene.pass(0.1);
      }
      const steps = counts.map((count, at) => count - (counts[at + 1] ?? 0));
      expect(Math.max(...steps)).toBeLessThanOrEqual(2000);
      expect(service.numbers.totals).toMatchObject({ swarms: 0, seeders: 0, leechers: 0 });
      expect(service.numbers.totals.bytesUsed).toBe(bytesUsed);
      await service[Symbol.asyncDispose]();
    });
  });
});

describe('lists', () => {
  test('are replaced while it runs: what is denied now is forgotten', async () => {
    const { scene, service, client } = await openService();
    await scene.play(async () => {
      for (let torrent = 1; torrent <= 20; torrent++) {
        await client.announce('udp4', { infoHash: infoHashOf(torrent), left: torrent % 2 });
      }
      const denied = [3, 4, 4, 400].map((seed) => infoHashOf(seed).hex);
      const text = `${denied.join('  # no more\n')}\n203.0.113.2/32\n`;
      const { infoHashes, networks } = parseDenyList(text);
      service.replaceAccess({ deny: infoHashes.handle, denyNetworks: networks.handle });
      expect(service.numbers.totals).toMatchObject({ swarms: 18, peers4: 18, seeders: 9 });
      for (const over of EVERY_WAY) {
        const refused = await failureOf(client.announce(over, { infoHash: infoHashOf(3) }));
        expect(refused).toMatchObject({
          name: 'TrackerRefusal',
          reason: expect.stringContaining('not served'),
        });
      }
      const other = scene.client(OTHER);
      expect(await failureOf(other.announce('http4'))).toMatchObject({ retryInSeconds: 'never' });
      expect(await failureOf(other.announce('udp4'))).toMatchObject({ name: 'TrackerRefusal' });
      service.replaceAccess({ allow: InfoHashSet.of([infoHashOf(5).wire]).handle });
      expect(service.numbers.totals).toMatchObject({ swarms: 1, peers4: 1, seeders: 0 });
      await other.announce('udp4', { infoHash: infoHashOf(5) });
      service.replaceAccess({});
      await other.announce('udp4', { infoHash: infoHashOf(3) });
      expect(service.numbers.totals).toMatchObject({ swarms: 2, peers4: 3 });
      await service[Symbol.asyncDispose]();
    });
  });

  test('passkeys, over HTTP in the path or the query, over UDP in the URL data', async () => {
    const passkey = 'member-0123456789';
    const access = { passkeys: parsePasskeys(`${passkey} alice\nanother-member-of-it\n`) };
    const { scene, service, client } = await openService({ access });
    await scene.play(async () => {
      const paths = [`/${passkey}/announce`, `/announce?passkey=${passkey}`];
      for (const over of EVERY_WAY) {
        for (const path of paths) await client.announce(over, {}, path);
        for (const path of ['/announce', `/${passkey}x/announce`, '/announce?passkey=']) {
          const refused = await failureOf(client.announce(over, {}, path));
          expect(refused).toMatchObject({ reason: expect.stringContaining('passkey') });
        }
      }
      expect(service.numbers).toMatchObject({
        totals: { peers4: 1, peers6: 1 },
        counters: { refusedPasskey: 12, announcesUdp4: 2, announcesHttp6: 2 },
      });
      service.replaceAccess({ passkeys: new Set(['another-member-of-it']) });
      expect(await failureOf(client.announce('udp4', {}, paths[0]))).toMatchObject({
        name: 'TrackerRefusal',
      });
      await service[Symbol.asyncDispose]();
    });
  });
});

describe('limits', () => {
  test('of peers: one more is refused, those that are there are served', async () => {
    const limits = { maxSwarms: 100, maxPeers: 3, maxBytes: 1024 * 1024 };
    const { scene, service, client } = await openService({ limits });
    await scene.play(async () => {
      for (const port of [1, 2, 3]) await client.announce('udp4', { port });
      for (const over of EVERY_WAY) {
        const refused = await failureOf(client.announce(over, { port: 4 }));
        expect(refused).toMatchObject({ reason: expect.stringContaining('no room') });
      }
      expect(await failureOf(client.announce('http4', { port: 4 }))).toMatchObject({
        retryInSeconds: 300,
      });
      expect(await client.announce('udp4', { port: 2, left: 0, event: 'completed' })).toMatchObject(
        { seeders: 1, leechers: 2 },
      );
      await client.announce('http4', { port: 1, event: 'stopped' });
      await client.announce('udp4', { port: 4, infoHash: infoHashOf(9) });
      expect(service.numbers).toMatchObject({
        totals: { swarms: 2, peers4: 3 },
        counters: { refusedFull: 5 },
      });
      await service[Symbol.asyncDispose]();
    });
  });

  test('of swarms: those without peers make room, those with peers stay', async () => {
    const limits = { maxSwarms: 2, maxPeers: 100, maxBytes: 1024 * 1024 };
    const { scene, service, client } = await openService({ limits });
    const infoHash = infoHashOf;
    await scene.play(async () => {
      await client.announce('udp4', { infoHash: infoHash(1) });
      await client.announce('udp4', { infoHash: infoHash(2), event: 'completed', left: 0 });
      const third = { infoHash: infoHash(3) };
      expect(await failureOf(client.announce('udp4', third))).toMatchObject({
        reason: expect.stringContaining('no room'),
      });
      expect((await client.announce('udp4', { infoHash: infoHash(1), port: 2 })).leechers).toBe(2);
      await client.announce('udp4', { infoHash: infoHash(2), event: 'stopped', left: 0 });
      await client.announce('udp4', third);
      const files = await client.scrape('udp4', infoHash(1), infoHash(2), infoHash(3));
      expect(files.map(({ leechers, completed }) => [leechers, completed])).toEqual([
        [2, 0],
        [0, 0],
        [1, 0],
      ]);
      await service[Symbol.asyncDispose]();
    });
  });
});

describe('what it tells', () => {
  test('numbers and the page, on a port of their own', async () => {
    const stats = { host: TRACKER.four, port: STATS_PORT };
    const { scene, service, client } = await openService({ stats });
    const get = async (path: string): Promise<{ status: number; text: string }> => {
      const url = `http://${TRACKER.four}:${STATS_PORT}${path}`;
      const { http } = client.host.runtime;
      const { status, body } = await http.get({ url, maxBytes: 1_000_000 }, { signal: NEVER });
      return { status, text: decodeUtf8Lossy(body) };
    };
    await scene.play(async () => {
      expect(service.statsAt).toEqual(stats);
      await scene.pass(1);
      for (let port = 1; port <= 10; port++) await client.announce('udp4', { port });
      await client.announce('http6', { left: 0 });
      await scene.pass(5);
      const document: unknown = JSON.parse((await get('/stats')).text);
      expect(document).toMatchObject({
        version: '1.2.3',
        workers: 1,
        announces: 11,
        announcesPerSecond: 2.2,
        peers: 11,
        peersIpv4: 10,
        peersIpv6: 1,
        seeders: 1,
        leechers: 10,
        swarms: 1,
        counters: { connects: 10, badRequests: 0 },
        history: { swarms: [1] },
      });
      expect(service.numbers.announcesPerSecond).toBe(2.2);
      expect((await get('/metrics')).text).toMatch(/^bip_tracker_\w+\S* 10$/m);
      expect((await get('/healthz')).text).toBe('ok\n');
      expect((await get('/')).text).toMatch(/^<!doctype html>/i);
      expect((await get('/announce')).status).toBe(404);
      await service[Symbol.asyncDispose]();
    });
  });

  test('each announce, when asked for', async () => {
    const { scene, service, client } = await openService({ logAnnounces: true });
    await scene.play(async () => {
      await client.announce('udp4', { event: 'started' });
      await client.announce('http6', { event: 'completed', left: 0 });
      expect(scene.events).toEqual([
        {
          type: 'announce',
          event: 'started',
          infoHash: infoHashOf(1).hex,
          peer: `${CLIENT_FOUR}:6881`,
          seeding: false,
          transport: 'udp',
        },
        {
          type: 'announce',
          event: 'completed',
          infoHash: infoHashOf(1).hex,
          peer: `[${CLIENT_SIX}]:6881`,
          seeding: true,
          transport: 'http',
        },
      ]);
      await service[Symbol.asyncDispose]();
    });
  });
});

describe('the end', () => {
  test('twice, and at the same time: ports are free, nothing runs on', async () => {
    const { scene, service, client } = await openService({
      stats: { host: TRACKER.four, port: 0 },
    });
    await scene.play(async () => {
      await client.announce('http4');
      await Promise.all([service[Symbol.asyncDispose](), service[Symbol.asyncDispose]()]);
      await service[Symbol.asyncDispose]();
      scene.world.assertClosed();
      expect(await failureOf(client.announce('http4'))).toMatchObject({ code: 'BIP_REFUSED' });
      expect(await failureOf(client.announce('udp4'))).toMatchObject({
        code: 'BIP_TRACKER_TIMEOUT',
      });
      const { happened } = scene.world.timeline;
      await scene.pass(3600);
      expect(scene.world.timeline.happened - happened).toBe(1);
    });
  });

  test('a tracker that begins anew knows nobody, and clients reconnect', async () => {
    const { scene, service, client } = await openService({ answers: { ...ANSWERS, jitter: 0.5 } });
    await scene.play(async () => {
      await client.announce('udp4');
      await service[Symbol.asyncDispose]();
      const next = await scene.serve();
      const [file] = await client.scrape('udp4', infoHashOf(1));
      expect(file).toMatchObject({ seeders: 0, leechers: 0 });
      expect((await client.announce('udp4')).leechers).toBe(1);
      await next[Symbol.asyncDispose]();
    });
  });

  test('more threads than the place has', async () => {
    const scene = new ServiceWorld();
    await scene.play(async () => {
      expect(await failureOf(scene.serve({ workers: 2 }))).toMatchObject({ name: 'UsageError' });
      scene.world.assertClosed();
    });
  });
});
