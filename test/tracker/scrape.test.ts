/** Scrapes of HTTP and UDP trackers in the simulated world, and what is told of exchanges. */

import { describe, expect, test } from 'vitest';
import { InfoHash } from '../../src/base/ids.ts';
import type { World } from '../../src/runtime/sim/index.ts';
import {
  type AnnounceOptions,
  type AnnounceResponse,
  announce,
  type ScrapeResponse,
  scrape,
  TrackerRefusal,
  UdpTrackers,
} from '../../src/tracker/index.ts';
import { makeWorld } from '../sim/world.ts';
import { INFO_HASH, REQUEST } from './samples.ts';
import { COMPLETED } from './tiny-tracker.ts';
import { failureOf, NEVER, serveTracker, type TrackerHost } from './world.ts';

/** Torrents whose first byte counts up. */
function torrents(count: number): InfoHash[] {
  return Array.from({ length: count }, (_, at) => {
    const bytes = new Uint8Array(20).fill(0xab);
    new DataView(bytes.buffer).setUint32(0, at);
    return new InfoHash(bytes);
  });
}

class Scene {
  readonly world: World = makeWorld();
  readonly #client = this.world.host('10.0.0.1', { addresses: ['2001:db8::1'] });
  serve(address = '10.0.0.9'): Promise<TrackerHost> {
    return serveTracker(this.world, this.world.host(address));
  }
  scrape(
    url: string,
    infoHashes: readonly InfoHash[],
    options: Partial<AnnounceOptions> = {},
  ): Promise<ScrapeResponse> {
    const { runtime } = this.#client;
    return this.world.run(scrape(runtime, url, infoHashes, { signal: NEVER, ...options }));
  }
  announce(url: string, options: Partial<AnnounceOptions> = {}): Promise<AnnounceResponse> {
    const { runtime } = this.#client;
    return this.world.run(announce(runtime, url, REQUEST, { signal: NEVER, ...options }));
  }
}

describe.each(['udp', 'http'] as const)('over %s', (over) => {
  const urlOf = ({ udpUrl, httpUrl }: TrackerHost): string => (over === 'udp' ? udpUrl : httpUrl);

  test('counts of a torrent', async () => {
    const scene = new Scene();
    const tracker = await scene.serve();
    await scene.announce(urlOf(tracker));
    const { files, remote, rttMs, exchange } = await scene.scrape(urlOf(tracker), [INFO_HASH]);
    expect(files).toEqual([{ infoHash: INFO_HASH, seeders: 0, leechers: 1, completed: COMPLETED }]);
    expect(remote).toEqual({ host: '10.0.0.9', port: 6969 });
    expect(rttMs).toBeGreaterThan(39);
    expect(exchange).toMatchObject({ transport: over, family: 4, redirects: [] });
    expect(exchange).not.toHaveProperty('raw');
  });

  test('a v2 torrent goes by its first 20 bytes, and comes back as it was asked for', async () => {
    const scene = new Scene();
    const tracker = await scene.serve();
    const long = new InfoHash(new Uint8Array(32).fill(7));
    await scene.world.run(
      announce(
        scene.world.host('10.0.0.2').runtime,
        urlOf(tracker),
        { ...REQUEST, infoHash: long },
        {
          signal: NEVER,
        },
      ),
    );
    expect((await scene.scrape(urlOf(tracker), [long])).files).toMatchObject([
      { infoHash: long, leechers: 1 },
    ]);
  });

  test('many torrents take several requests, and stay in order', async () => {
    const scene = new Scene();
    const tracker = await scene.serve();
    const all = torrents(160);
    for (const { hex } of all) tracker.tiny.swarms.set(hex, new Map());
    const { files, exchange } = await scene.scrape(urlOf(tracker), all, { keepRaw: true });
    expect(files.map(({ infoHash }) => infoHash.hex)).toEqual(all.map(({ hex }) => hex));
    expect(tracker.tiny.scrapes).toEqual(over === 'udp' ? [70, 70, 20] : [50, 50, 50, 10]);
    // Over UDP, the connection id is asked for once.
    const packets = 4;
    expect([exchange.raw?.sent.length, exchange.raw?.received.length]).toEqual([packets, packets]);
    expect(exchange.connectRttMs).toBeGreaterThan(39);
  });

  test('a refusal', async () => {
    const scene = new Scene();
    const tracker = await scene.serve();
    tracker.tiny.refusal = 'no scrapes here';
    const error = await failureOf(scene.scrape(urlOf(tracker), [INFO_HASH], { keepRaw: true }));
    expect(error).toBeInstanceOf(TrackerRefusal);
    expect(error).toMatchObject({
      reason: 'no scrapes here',
      exchange: { transport: over, family: 4, raw: { received: expect.anything() } },
    });
  });

  test('one limit of time for all requests', async () => {
    const scene = new Scene();
    const tracker = await scene.serve();
    const client = scene.world.host('10.0.0.3', { latencyMs: 100 });
    const started = scene.world.now;
    // Each request takes 220 ms, and one over UDP a connection before.
    const error = await scene.world.run(
      failureOf(
        scrape(client.runtime, urlOf(tracker), torrents(1000), { signal: NEVER, timeoutMs: 2000 }),
      ),
    );
    expect(error).toMatchObject({ code: 'BIP_TRACKER_TIMEOUT' });
    expect(scene.world.now - started).toBeCloseTo(2000, 0);
  });
});

describe('over http', () => {
  test('a torrent that the tracker does not know is left out', async () => {
    const scene = new Scene();
    const tracker = await scene.serve();
    await scene.announce(tracker.httpUrl);
    const [other] = torrents(1);
    const { files } = await scene.scrape(tracker.httpUrl, [other ?? INFO_HASH, INFO_HASH]);
    expect(files.map(({ infoHash }) => infoHash)).toEqual([INFO_HASH]);
  });

  test('how long to wait before the next one', async () => {
    const scene = new Scene();
    const tracker = await scene.serve();
    tracker.tiny.extra = { flags: { min_request_interval: 900 } };
    const { minRequestIntervalSeconds } = await scene.scrape(tracker.httpUrl, [INFO_HASH]);
    expect(minRequestIntervalSeconds).toBe(900);
  });

  test('a URL that leads to no scrape', async () => {
    const scene = new Scene();
    const url = 'http://10.0.0.9/0123secret/tracker.php';
    const error = await failureOf(scene.scrape(url, [INFO_HASH]));
    expect(error).toMatchObject({
      code: 'BIP_TRACKER_NO_SCRAPE',
      message: expect.stringContaining('http://10.0.0.9:80 cannot be scraped'),
    });
    expect(String(error)).not.toContain('secret');
  });

  test('/scrape on this machine may be asked for a torrent', async () => {
    const scene = new Scene();
    const host = scene.world.host('10.0.0.5');
    await serveTracker(scene.world, host);
    const asked = scrape(host.runtime, 'http://127.0.0.1:6969/announce', [INFO_HASH], {
      signal: NEVER,
    });
    expect((await scene.world.run(asked)).files).toEqual([]);
  });

  test('TLS is described', async () => {
    const scene = new Scene();
    const host = scene.world.host('10.0.0.5');
    const body = new TextEncoder().encode('d8:intervali9ee');
    host.serveHttp(443, () => ({ body }), { certificate: 'good' });
    const { exchange } = await scene.announce('https://10.0.0.5/announce');
    expect(exchange).toMatchObject({ transport: 'https', tls: { protocol: 'TLSv1.3' } });
  });
});

describe('over udp', () => {
  test('an answer with nothing is no answer', async () => {
    const scene = new Scene();
    const host = scene.world.host('10.0.0.5');
    const socket = await host.runtime.network.bindDatagrams({ port: 6969, signal: NEVER });
    socket.receive((bytes, from) => {
      const answer =
        bytes.length === 16 ? new Uint8Array(16) : Uint8Array.of(0, 0, 0, 2, 0, 0, 0, 0);
      answer.set(bytes.subarray(12, 16), 4);
      socket.send(answer, from);
    });
    const error = await failureOf(scene.scrape('udp://10.0.0.5:6969', [INFO_HASH]));
    expect(error).toMatchObject({
      code: 'BIP_TRACKER_ANSWER',
      message: 'udp://10.0.0.5:6969 answered the scrape with nothing',
    });
  });

  test('fewer torrents than asked for are those at the beginning', async () => {
    const scene = new Scene();
    const host = scene.world.host('10.0.0.5');
    const socket = await host.runtime.network.bindDatagrams({ port: 6969, signal: NEVER });
    socket.receive((bytes, from) => {
      const answer = bytes.length === 16 ? new Uint8Array(16) : new Uint8Array(20).fill(1, 8);
      if (bytes.length > 16) answer[3] = 2;
      answer.set(bytes.subarray(12, 16), 4);
      socket.send(answer, from);
    });
    const [first = INFO_HASH, second = INFO_HASH] = torrents(2);
    const { files } = await scene.scrape('udp://10.0.0.5:6969', [first, second]);
    expect(files).toMatchObject([{ infoHash: first, seeders: 0x01010101 }]);
  });

  test('retransmissions, the connection and the family are told', async () => {
    const scene = new Scene();
    const tracker = await scene.serve('2001:db8::9');
    tracker.deaf = true;
    scene.world.timeline.after(20_000, () => {
      tracker.deaf = false;
    });
    const { exchange } = await scene.announce(tracker.udpUrl, { keepRaw: true });
    // At 0, 15 and 45 s; the announce goes through at once.
    expect(exchange).toMatchObject({ transport: 'udp', family: 6, retransmissions: 2 });
    expect(exchange.connectRttMs).toBeCloseTo(40, 0);
    expect(exchange.raw?.sent.map(({ length }) => length)).toEqual([16, 16, 16, 109]);
    expect(exchange.raw?.received.map(({ length }) => length)).toEqual([16, 20]);
  });

  test('a second question of a session needs no connection', async () => {
    const { world } = new Scene();
    const tracker = await serveTracker(world, world.host('10.0.0.9'));
    const { runtime } = world.host('10.0.0.5');
    const udp = new UdpTrackers(runtime);
    const ask = (): Promise<ScrapeResponse> =>
      world.run(scrape(runtime, tracker.udpUrl, [INFO_HASH], { signal: NEVER, udp }));
    expect((await ask()).exchange).toMatchObject({
      retransmissions: 0,
      connectRttMs: expect.anything(),
    });
    expect((await ask()).exchange).not.toHaveProperty('connectRttMs');
    await udp[Symbol.asyncDispose]();
  });
});
