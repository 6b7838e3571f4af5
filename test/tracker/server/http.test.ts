import npmBencode from 'bencode';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeUtf8Lossy } from '../../../src/base/bytes.ts';
import { encodeCompact, formatEndpoint } from '../../../src/base/endpoint.ts';
import { parseNetwork } from '../../../src/base/ip-network.ts';
import { decode } from '../../../src/bencode/index.ts';
import { RateLimiter } from '../../../src/runtime/rate-limiter.ts';
import { SeededRandom } from '../../../src/runtime/sim/index.ts';
import type { SwarmFigures } from '../../../src/tracker/scraping.ts';
import { Access } from '../../../src/tracker/server/access.ts';
import { MAX_LISTED } from '../../../src/tracker/server/full-scrape.ts';
import { InfoHashSet, type InfoHashSetHandle } from '../../../src/tracker/server/info-hash-set.ts';
import { createAnswer, type RemoteAnswer } from '../../../src/tracker/server/model.ts';
import { NetworkSet } from '../../../src/tracker/server/network-set.ts';
import {
  announceTarget,
  CLIENT,
  Desk,
  hashOf,
  ip,
  type Parameters,
  peerIdOf,
  scrapeTarget,
} from './desk.ts';

const OTHER = '8.8.8.8';
const SIX = '2001:db8::7';

describe('announces', () => {
  test('the answer has all that a client wants to know, in canonical bencode', async () => {
    const desk = new Desk();
    await desk.announce({ left: 0 }, OTHER);
    const { status, headers, body } = await desk.ask(announceTarget());
    expect([status, headers]).toEqual([
      undefined,
      { 'content-type': 'text/plain; charset=iso-8859-1' },
    ]);
    expect(decodeUtf8Lossy(body)).toMatch(/^d8:completei1e10:downloadedi0e11:external ip4:/);
    expect(() => decode(body)).not.toThrow();
    const peer = encodeCompact({ host: OTHER, port: 6881 });
    expect(npmBencode.decode(body)).toEqual({
      complete: 1,
      downloaded: 0,
      'external ip': ip(CLIENT),
      incomplete: 1,
      interval: 1800,
      'min interval': 900,
      peers: peer,
    });
  });

  test('peers find each other, over both families (BEP 7)', async () => {
    const desk = new Desk();
    await desk.announce({ port: 1 }, OTHER);
    await desk.announce({ port: 2 }, SIX);
    const answer = await desk.announce();
    expect(answer).toMatchObject({ seeders: 0, leechers: 3, externalIp: CLIENT });
    expect(peersOf(answer)).toEqual([`${OTHER}:1`, `[${SIX}]:2`]);
    expect(peersOf(await desk.announce({ port: 2 }, SIX))).toEqual([
      `${CLIENT}:6881`,
      `${OTHER}:1`,
    ]);
  });

  test('as dictionaries, with peer ids and without', async () => {
    const desk = new Desk();
    await desk.announce({ peer_id: peerIdOf('s'), left: 0 }, OTHER);
    await desk.announce({ peer_id: peerIdOf('6') }, SIX);
    const withIds = await desk.ask(announceTarget({ compact: 0 }));
    expect(entryOf(withIds.body, 'peers')).toEqual([
      { ip: bytesOf(OTHER), 'peer id': peerIdOf('s'), port: 6881 },
      { ip: bytesOf(SIX), 'peer id': peerIdOf('6'), port: 6881 },
    ]);
    expect(entryOf(withIds.body, 'peers6')).toBeUndefined();
    const without = await desk.ask(announceTarget({ compact: 0, no_peer_id: 1 }));
    expect(entryOf(without.body, 'peers')).toEqual([
      { ip: bytesOf(OTHER), port: 6881 },
      { ip: bytesOf(SIX), port: 6881 },
    ]);
    expect(() => decode(withIds.body)).not.toThrow();
  });

  test('two hundred peers of each family in dictionaries have room', async () => {
    const desk = new Desk({ tracker: { maxNumWant: 200 } });
    for (let at = 0; at < 220; at++) {
      await desk.announce({ port: 10_000 + at }, 'fe80:1111:2222:3333:4444:5555:6666:7777');
    }
    const { body } = await desk.ask(
      announceTarget({ compact: 0, numwant: 1000 }, '/announce'),
      SIX,
    );
    expect(entryOf(body, 'peers')).toHaveLength(200);
  });

  test.each([
    ['how many are wanted', { numwant: 3 }, 3],
    ['none', { numwant: 0 }, 0],
    ['the default', {}, 5],
    ['the default, said by -1', { numwant: -1 }, 5],
    ['the default, said by nothing', { numwant: '' }, 5],
    ['no more than the limit', { numwant: 4_000_000_000 }, 8],
  ] satisfies readonly [string, Parameters, number][])('%s', async (_, parameters, expected) => {
    const desk = new Desk({ tracker: { defaultNumWant: 5, maxNumWant: 8 } });
    for (let port = 1; port <= 20; port++) await desk.announce({ port }, OTHER);
    expect(peersOf(await desk.announce(parameters))).toHaveLength(expected);
  });

  test.each([
    ['nothing left: a seed', { left: 0 }, 1],
    ['many zeros', { left: '000' }, 1],
    ['something left', { left: 1 }, 0],
    ['nothing said', { left: undefined }, 0],
    ['an empty word', { left: '' }, 0],
    ['more than fits', { left: '9'.repeat(30) }, 0],
    ['less than nothing', { left: -1 }, 0],
    ['completed', { left: 1, event: 'completed' }, 1],
  ] satisfies readonly [string, Parameters, number][])('%s', async (_, parameters, seeders) => {
    expect(await new Desk().announce(parameters)).toMatchObject({ seeders });
  });

  test.each(['', 'started', 'paused', 'empty', 'update'])(
    'event %j comes to stay',
    async (event) => {
      const desk = new Desk();
      expect(await desk.announce({ event })).toMatchObject({ seeders: 0, leechers: 1 });
      expect(await desk.announce({ event: 'stopped' })).toMatchObject({ leechers: 0, peers: [] });
    },
  );

  test('seeds are not given to seeds', async () => {
    const desk = new Desk();
    await desk.announce({ left: 0 }, OTHER);
    expect(peersOf(await desk.announce({ left: 0 }))).toEqual([]);
  });

  test('the interval is stretched by chance, within its bounds', async () => {
    const desk = new Desk({
      tracker: { jitter: 0.5, intervalSeconds: 100, minIntervalSeconds: 60 },
    });
    const seen = new Set<number>();
    for (let times = 0; times < 50; times++) {
      const answer = await desk.announce();
      if (answer.type === 'announce') seen.add(answer.intervalSeconds);
    }
    expect(Math.min(...seen)).toBeGreaterThanOrEqual(100);
    expect(Math.max(...seen)).toBeLessThanOrEqual(150);
    expect(seen.size).toBeGreaterThan(20);
  });
});

describe('who says where it is', () => {
  const near = '192.168.1.2';

  test.each([
    ['far away, by default', CLIENT, 'local', CLIENT],
    ['near, by default', near, 'local', '9.9.9.9'],
    ['near, when nobody may', near, 'never', near],
    ['far away, when everybody may', CLIENT, 'always', '9.9.9.9'],
  ] as const)('%s', async (_, from, ipParameter, expected) => {
    const desk = new Desk({ tracker: { ipParameter } });
    const answer = await desk.announce({ ip: '9.9.9.9' }, from);
    expect(answer).toMatchObject({ externalIp: from });
    expect(peersOf(await desk.announce({}, OTHER))).toEqual([`${expected}:6881`]);
  });

  test.each([
    ['a name', { ip: 'peer.example' }, [`${near}:6881`]],
    ['nowhere', { ip: '0.0.0.0' }, [`${near}:6881`]],
    ['IPv6 by `ip`', { ip: '2001:db8::9' }, ['[2001:db8::9]:6881']],
    ['IPv4 written as IPv6', { ip: '::ffff:9.9.9.9' }, ['9.9.9.9:6881']],
    ['the other family, too', { ipv6: '2001:db8::9' }, [`${near}:6881`, '[2001:db8::9]:6881']],
    ['with a port', { ipv6: '[2001:db8::9]:7000' }, [`${near}:6881`, '[2001:db8::9]:7000']],
    ['escaped', { ipv6: '%5B2001%3Adb8%3A%3A9%5D%3A1' }, [`${near}:6881`, '[2001:db8::9]:1']],
    ['both', { ipv4: '9.9.9.9:1', ipv6: '2001:db8::9' }, ['9.9.9.9:1', '[2001:db8::9]:6881']],
    ['the wrong family', { ipv4: '2001:db8::9', ipv6: '9.9.9.9' }, [`${near}:6881`]],
    ['a port of zero', { ipv6: '[2001:db8::9]:0' }, [`${near}:6881`]],
  ] satisfies readonly [string, Parameters, string[]][])('%s', async (_, parameters, expected) => {
    const desk = new Desk();
    const own = await desk.announce(parameters, near);
    expect(peersOf(own)).toEqual([]);
    expect(peersOf(await desk.announce({}, OTHER)).toSorted()).toEqual(expected.toSorted());
  });

  test('one download by both families is completed once, and one stop takes both away', async () => {
    const desk = new Desk();
    const both = { ipv6: '2001:db8::9', left: 0 };
    await desk.announce({ ...both, event: 'completed' }, near);
    const [file] = filesOf(await desk.scrape(scrapeTarget(hashOf(1))));
    expect(file).toMatchObject({ seeders: 2, completed: 1 });
    await desk.announce({ ...both, event: 'stopped' }, near);
    expect(filesOf(await desk.scrape(scrapeTarget(hashOf(1))))[0]).toMatchObject({ seeders: 0 });
  });

  test('the address behind a trusted proxy counts', async () => {
    const proxy = parseNetwork('127.0.0.1');
    const trustedProxies = NetworkSet.of(proxy === undefined ? [] : [proxy]);
    const desk = new Desk({ tracker: { trustedProxies } });
    const answer = await desk.announce({}, '127.0.0.1', { 'x-forwarded-for': '6.6.6.6, 7.7.7.7' });
    expect(answer).toMatchObject({ externalIp: '7.7.7.7' });
    const lost = await desk.announce({}, '127.0.0.1', { 'x-forwarded-for': 'unknown' });
    expect(lost).toMatchObject({ type: 'failure', reason: expect.stringContaining('proxy') });
    expect(desk.store.totals.peers4).toBe(1);
  });
});

describe('bad requests', () => {
  test.each([
    ['info_hash is missing', { info_hash: undefined }],
    ['info_hash is missing', { info_hash: '' }],
    ['info_hash has 19 bytes', { info_hash: 'a'.repeat(19) }],
    ['info_hash has more than 20 bytes', { info_hash: 'a'.repeat(40) }],
    ['info_hash has a broken percent-escape', { info_hash: '%zz' }],
    ['peer_id is missing', { peer_id: undefined }],
    ['peer_id has more than 20 bytes', { peer_id: 'a'.repeat(21) }],
    ['port is missing', { port: undefined }],
    ['port is no number', { port: 0 }],
    ['port is no number', { port: 65_536 }],
    ['port is no number', { port: -1 }],
    ['port is no number', { port: '6881x' }],
    ['left is no number', { left: 'all' }],
    ['numwant is no number', { numwant: '1e3' }],
  ] satisfies readonly [string, Parameters][])('%s: %o', async (reason, parameters) => {
    const desk = new Desk();
    expect(await desk.announce(parameters)).toEqual({
      type: 'failure',
      reason: expect.stringContaining(reason),
    });
    expect(desk.counters).toMatchObject({ badRequests: 1, errorsSent: 1, announcesHttp4: 0 });
    expect(desk.store.totals.swarms).toBe(0);
  });

  test('what is no address of the tracker', async () => {
    const desk = new Desk();
    expect((await desk.ask('/')).body.length).toBeGreaterThan(0);
    for (const target of ['/announce/', '/announce.php', '/a/b/announce', '//announce', '/x', '']) {
      expect(await desk.ask(target)).toMatchObject({ status: 404 });
    }
  });

  test('whatever is asked, there is an answer', async () => {
    const desk = new Desk({ fullScrape: true });
    const name = fc.constantFrom(
      'info_hash',
      'peer_id',
      'port',
      'left',
      'ip',
      'ipv6',
      'event',
      'x',
    );
    const value = fc.oneof(fc.string({ maxLength: 30 }), fc.webQueryParameters());
    const pairs = fc.array(fc.tuple(name, value).map(([key, text]) => `${key}=${text}`));
    const path = fc.constantFrom('/announce', '/scrape', '/key/announce', '/', '');
    await fc.assert(
      fc.asyncProperty(path, pairs, async (where, query) => {
        const { status = 200, body } = await desk.ask(`${where}?${query.join('&')}`);
        if (status === 200 && where.length > 1) expect(decode(body).kind).toBe('dictionary');
      }),
      { numRuns: 500 },
    );
  });
});

describe('scrapes (BEP 48)', () => {
  test('each infohash once, in order, zeros for unknown ones', async () => {
    const desk = new Desk();
    await desk.announce({ info_hash: hashOf(2), left: 0 }, OTHER);
    await desk.announce({ info_hash: hashOf(2), event: 'completed' });
    await desk.announce({ info_hash: hashOf(1) });
    const target = scrapeTarget(hashOf(2), hashOf(3), hashOf(1), hashOf(2));
    const answer = await desk.scrape(target);
    expect(answer).toMatchObject({ minRequestIntervalSeconds: 900 });
    expect(
      filesOf(answer).map(({ seeders, leechers, completed }) => [seeders, leechers, completed]),
    ).toEqual([
      [0, 1, 0],
      [2, 0, 1],
      [0, 0, 0],
    ]);
    expect(answer.type === 'scrape' ? answer.swarms.size : 0).toBe(3);
    expect(desk.counters.scrapes).toBe(1);
  });

  test('two hundred, and no more', async () => {
    const desk = new Desk();
    const many = Array.from({ length: 201 }, (_, at) => Uint8Array.from(hashOf(1)).fill(at, 0, 3));
    expect(filesOf(await desk.scrape(scrapeTarget(...many.slice(1))))).toHaveLength(200);
    expect(await desk.scrape(scrapeTarget(...many))).toMatchObject({
      type: 'failure',
      reason: expect.stringContaining('200 times'),
    });
  });

  test('everything, only where that is allowed', async () => {
    const strict = new Desk();
    expect(await strict.scrape('/scrape')).toMatchObject({ type: 'failure' });
    const open = new Desk({ fullScrape: true, access: { deny: setOf(hashOf(2)) } });
    for (const seed of [3, 1]) await open.announce({ info_hash: hashOf(seed) });
    expect(filesOf(await open.scrape('/scrape'))).toHaveLength(2);
    open.tracker.access = new Access({ deny: setOf(hashOf(2), hashOf(3)) });
    expect(filesOf(await open.scrape('/scrape'))).toHaveLength(1);
  });

  test('everything: all who ask within a minute share one body', async () => {
    const desk = new Desk({ fullScrape: true });
    await desk.announce();
    const request = {
      method: 'GET',
      target: '/scrape',
      headers: {},
      from: { host: CLIENT, port: 1 },
    };
    const [first, second] = await Promise.all([
      desk.http.handle(request),
      desk.http.handle(request),
    ]);
    expect(first).toMatchObject({ lasting: true });
    expect(second.body).toBe(first.body);
    const before = first.body.slice();
    await desk.scrape(scrapeTarget(hashOf(5)));
    expect(first.body).toEqual(before);
  });

  test('everything is looked up once a minute, and not at all when it is too much', async () => {
    let swarms = 10;
    let looks = 0;
    const desk = new Desk({
      *allSwarms() {
        looks++;
        for (let at = 0; at < swarms; at++) {
          const infoHash = Uint8Array.of(at >> 16, at >> 8, at, ...new Uint8Array(17));
          yield { infoHash, seeders: at, leechers: 0, completed: 0 };
        }
      },
    });
    const [first, second] = await Promise.all([desk.scrape('/scrape'), desk.scrape('/scrape')]);
    expect([filesOf(first).length, filesOf(second).length, looks]).toEqual([10, 10, 1]);
    swarms = MAX_LISTED;
    desk.clock.at += 60_000;
    expect((await desk.ask('/scrape')).body.length).toBeGreaterThan(MAX_LISTED * 60);
    swarms++;
    desk.clock.at += 60_000;
    expect(await desk.scrape('/scrape')).toMatchObject({
      type: 'failure',
      reason: expect.stringContaining('too many torrents'),
    });
    expect(looks).toBe(3);
  });
});

describe('refusals', () => {
  const key = 'abcdefghijklmnop';

  test('private mode: a passkey in the path or the query (BEP 27)', async () => {
    const desk = new Desk({ access: { passkeys: new Set([key]) } });
    for (const target of [
      announceTarget({}, `/${key}/announce`),
      announceTarget({ passkey: key }),
    ]) {
      expect((await desk.ask(target)).body.length).toBeGreaterThan(100);
    }
    for (const target of [
      announceTarget(),
      announceTarget({ passkey: `${key}x` }),
      announceTarget({ passkey: key }, '/wrong/announce'),
      scrapeTarget(hashOf(1)),
    ]) {
      expect(npmBencode.decode((await desk.ask(target)).body)).toEqual({
        'failure reason': expect.anything(),
        'retry in': bytesOf('never'),
      });
    }
    expect(desk.counters).toMatchObject({ refusedPasskey: 4, announcesHttp4: 2 });
    expect(filesOf(await desk.scrape(`/${key}${scrapeTarget(hashOf(1))}`))).toHaveLength(1);
  });

  test('torrents that are not listed, and addresses that are denied', async () => {
    const network = parseNetwork('8.8.8.0/24');
    const denyNetworks = NetworkSet.of(network === undefined ? [] : [network]).handle;
    const desk = new Desk({ access: { allow: setOf(hashOf(1)), denyNetworks } });
    const never = { type: 'failure', retryInSeconds: 'never' };
    expect(await desk.announce()).toMatchObject({ type: 'announce' });
    expect(await desk.announce({ info_hash: hashOf(2) })).toMatchObject(never);
    expect(await desk.announce({}, OTHER)).toMatchObject(never);
    expect(await desk.scrape(scrapeTarget(hashOf(1)), OTHER)).toMatchObject(never);
  });

  test('a store without room: later', async () => {
    const full = { announce: () => false, scrape: () => false, time: 0 };
    const desk = new Desk({ deps: { store: full } });
    expect(await desk.announce()).toMatchObject({ type: 'failure', retryInSeconds: 300 });
  });

  test('too many requests, whatever address they name', async () => {
    const limits = { perSecond: 1, burst: 3, networkPerSecond: 10, networkBurst: 30 };
    const limiter = new RateLimiter(limits, new SeededRandom(3));
    const desk = new Desk({ deps: { limiter }, tracker: { ipParameter: 'always' } });
    for (let at = 0; at < 3; at++) {
      const taken = await desk.announce({ ip: `9.9.${at}.9` });
      expect(taken).toMatchObject({ type: 'announce' });
    }
    const refused = { type: 'failure', retryInSeconds: 60 };
    expect(await desk.announce({ ip: '9.9.8.9' })).toMatchObject(refused);
    expect(await desk.announce()).toMatchObject(refused);
    expect(await desk.announce({}, OTHER)).toMatchObject({ type: 'announce' });
    desk.clock.at += 1000;
    expect(await desk.announce()).toMatchObject({ type: 'announce' });
  });
});

describe('shared swarms', () => {
  test('answers come later, each its own, whatever was asked meanwhile', async () => {
    const waiting: { readonly port: number; readonly resolve: (answer: RemoteAnswer) => void }[] =
      [];
    const desk = new Desk({
      deps: {
        remote: {
          up: true,
          pending: 0,
          announce: ({ port }) =>
            new Promise((resolve) => {
              waiting.push({ port, resolve });
            }),
          scrape: async (hashes) =>
            hashes.map((_, at) => ({ seeders: at + 1, leechers: 0, completed: 0 })),
          [Symbol.asyncDispose]: async () => undefined,
        },
      },
    });
    const answers = [
      desk.announce({ port: 1 }, OTHER),
      desk.announce({ port: 2, compact: 0 }),
      desk.announce({ port: 3 }, SIX),
    ];
    expect(waiting.map(({ port }) => port)).toEqual([1, 2, 3]);
    for (const { port, resolve } of waiting.toReversed()) {
      resolve({ ...createAnswer(), seeders: port, local: port === 2 });
    }
    const [first, second, third] = await Promise.all(answers);
    expect(first).toMatchObject({ seeders: 1, externalIp: OTHER });
    expect(second).toMatchObject({
      seeders: 2,
      externalIp: CLIENT,
      warning: expect.stringContaining('away'),
    });
    expect(third).toMatchObject({ seeders: 3, externalIp: SIX });
    expect(third).not.toHaveProperty('warning');
    expect(desk.store.totals.peers4).toBe(2);
    const files = filesOf(await desk.scrape(scrapeTarget(hashOf(1), hashOf(2))));
    expect(new Set(files.map(({ seeders }) => seeders))).toEqual(new Set([1, 2]));
  });

  test('too many that wait: later', async () => {
    const remote = {
      up: true,
      pending: 10_000,
      announce: () => Promise.reject(new Error('not to be asked')),
      scrape: () => Promise.reject(new Error('not to be asked')),
      [Symbol.asyncDispose]: async () => undefined,
    };
    const desk = new Desk({ deps: { remote } });
    const busy = { type: 'failure', retryInSeconds: 60 };
    expect(await desk.announce()).toMatchObject(busy);
    expect(await desk.scrape(scrapeTarget(hashOf(1)))).toMatchObject(busy);
  });
});

test('bytes, announces and families are counted', async () => {
  const desk = new Desk();
  const target = announceTarget();
  const { body } = await desk.ask(target);
  await desk.announce({}, SIX);
  const { bytesIn, bytesOut, announcesHttp4, announcesHttp6 } = desk.counters;
  expect([bytesIn, announcesHttp4, announcesHttp6]).toEqual([2 * target.length, 1, 1]);
  expect(bytesOut).toBeGreaterThan(2 * body.length - 100);
});

function peersOf(answer: Awaited<ReturnType<Desk['announce']>>): string[] {
  return answer.type === 'announce' ? answer.peers.map(formatEndpoint).toSorted() : [];
}

function filesOf(answer: Awaited<ReturnType<Desk['scrape']>>): readonly SwarmFigures[] {
  return answer.type === 'scrape' ? [...answer.swarms.values()] : [];
}

/** One value of a bencoded dictionary. */
function entryOf(body: Uint8Array, name: string): unknown {
  const decoded: unknown = npmBencode.decode(body);
  if (typeof decoded !== 'object' || decoded === null) return undefined;
  return new Map<string, unknown>(Object.entries(decoded)).get(name);
}

function setOf(...hashes: readonly Uint8Array[]): InfoHashSetHandle {
  return InfoHashSet.of(hashes).handle;
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
