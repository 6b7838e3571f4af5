/** WebSocket trackers in the simulated world. */

import { describe, expect, test } from 'vitest';
import { InfoHash } from '../../../src/base/ids.ts';
import type { WebSocketLink } from '../../../src/runtime/ports.ts';
import type { SimHost, World } from '../../../src/runtime/sim/index.ts';
import {
  type AnnounceOptions,
  type AnnounceResponse,
  announce,
  type ScrapeResponse,
  scrape,
  TrackerRefusal,
} from '../../../src/tracker/index.ts';
import { makeWorld } from '../../sim/world.ts';
import { INFO_HASH, REQUEST } from '../samples.ts';
import { failureOf, NEVER } from '../world.ts';

const HASH = Buffer.from(INFO_HASH.bytes).toString('latin1');
const ANSWER = { action: 'announce', info_hash: HASH, interval: 120, complete: 3, incomplete: 4 };
const URL_OF_SERVER = 'ws://t.example:8000/announce?passkey=secret';

type Answer = (message: Record<string, unknown>, link: WebSocketLink) => readonly unknown[];

/** A tracker that says to each message what `answer` gives: JSON, or text as it is. */
class Scene {
  readonly world: World = makeWorld();
  readonly server: SimHost = this.world.host('10.0.1.1');
  readonly client: SimHost = this.world.host('10.0.0.1');
  readonly targets: string[] = [];
  readonly messages: Record<string, unknown>[] = [];

  constructor(answer: Answer = () => [ANSWER], options: { readonly secure?: boolean } = {}) {
    this.world.names.set('t.example', ['10.0.1.1']);
    const serving = options.secure === true ? ({ certificate: 'good' } as const) : {};
    this.server.serveWebSockets(
      8000,
      (link, target) => {
        this.targets.push(target);
        link.open({
          message: (text) => {
            const message: Record<string, unknown> = JSON.parse(text);
            this.messages.push(message);
            for (const said of answer(message, link)) {
              link.send(typeof said === 'string' ? said : JSON.stringify(said));
            }
          },
          closed: () => undefined,
        });
      },
      serving,
    );
  }

  announce(url = URL_OF_SERVER, options: Partial<AnnounceOptions> = {}): Promise<AnnounceResponse> {
    const { runtime } = this.client;
    return this.world.run(announce(runtime, url, REQUEST, { signal: NEVER, ...options }));
  }
  scrape(infoHashes: readonly InfoHash[]): Promise<ScrapeResponse> {
    const { runtime } = this.client;
    return this.world.run(scrape(runtime, URL_OF_SERVER, infoHashes, { signal: NEVER }));
  }
  async end(): Promise<void> {
    await this.world.runToRest();
    this.world.assertClosed();
  }
}

test('an announce: counts and no peers', async () => {
  const scene = new Scene();
  const { exchange, rttMs, ...said } = await scene.announce();
  expect(said).toEqual({
    intervalSeconds: 120,
    seeders: 3,
    leechers: 4,
    peers: [],
    remote: { host: '10.0.1.1', port: 8000 },
  });
  expect(rttMs).toBeGreaterThan(39);
  expect(exchange).toMatchObject({ transport: 'ws', family: 4, redirects: [] });
  expect(exchange.connectRttMs).toBeGreaterThan(79);
  expect(scene.targets).toEqual(['/announce?passkey=secret']);
  expect(scene.messages).toMatchObject([{ action: 'announce', info_hash: HASH, offers: [] }]);
  await scene.end();
});

test('what is for others is not taken for the answer', async () => {
  const other = '\u0001'.repeat(20);
  const scene = new Scene(() => [
    { ...ANSWER, info_hash: other, complete: 99 },
    { action: 'announce', info_hash: HASH, offer: {}, peer_id: other },
    { action: 'announce', info_hash: other, 'failure reason': 'not you' },
    { action: 'scrape', files: {} },
    ANSWER,
  ]);
  const { seeders, exchange } = await scene.announce(URL_OF_SERVER, { keepRaw: true });
  expect(seeders).toBe(3);
  expect(exchange.raw?.received).toHaveLength(5);
  expect(exchange.raw?.sent).toHaveLength(1);
  await scene.end();
});

test('wss is described', async () => {
  const scene = new Scene(() => [ANSWER], { secure: true });
  const { exchange } = await scene.announce('wss://t.example:8000/');
  expect(exchange).toMatchObject({ transport: 'wss', tls: { protocol: 'TLSv1.3' } });
  await scene.end();
});

test('a scrape, many torrents in several messages', async () => {
  const hashes = Array.from({ length: 60 }, (_, at) => new InfoHash(new Uint8Array(20).fill(at)));
  const scene = new Scene(({ info_hash: asked }) => [
    {
      action: 'scrape',
      files: Object.fromEntries(
        (Array.isArray(asked) ? asked : []).map((hash: string) => [
          hash,
          { complete: hash.charCodeAt(0), incomplete: 1, downloaded: 2 },
        ]),
      ),
    },
  ]);
  const { files } = await scene.scrape(hashes);
  expect(files).toEqual(
    hashes.map((infoHash, seeders) => ({ infoHash, seeders, leechers: 1, completed: 2 })),
  );
  expect(
    scene.messages.map(({ info_hash: asked }) => Array.isArray(asked) && asked.length),
  ).toEqual([50, 10]);
  await scene.end();
});

describe('failures', () => {
  test('a refusal', async () => {
    const scene = new Scene(() => [{ 'failure reason': 'go away' }]);
    const error = await failureOf(scene.announce());
    expect(error).toBeInstanceOf(TrackerRefusal);
    expect(error).toMatchObject({
      message: 'ws://t.example:8000 refused with: go away',
      exchange: { transport: 'ws' },
    });
    await scene.end();
  });

  test('nonsense', async () => {
    const scene = new Scene(() => ['hello']);
    expect(await failureOf(scene.announce(URL_OF_SERVER, { keepRaw: true }))).toMatchObject({
      code: 'BIP_TRACKER_ANSWER',
      message: 'ws://t.example:8000 sent a broken answer: it is no JSON',
      exchange: { raw: { received: [new TextEncoder().encode('hello')] } },
    });
    await scene.end();
  });

  test('more than is reasonable', async () => {
    const scene = new Scene(() => ['x'.repeat(262_145)]);
    expect(await failureOf(scene.announce())).toMatchObject({ code: 'BIP_WEBSOCKET_TOO_LARGE' });
    await scene.end();
  });

  test('a connection that is closed without a word', async () => {
    const scene = new Scene((_, link) => {
      void link[Symbol.asyncDispose]();
      return [];
    });
    expect(await failureOf(scene.announce())).toMatchObject({
      code: 'BIP_RESET',
      message: 'ws://t.example:8000 closed the connection without an answer',
    });
    await scene.end();
  });

  test('silence, until the limit', async () => {
    const scene = new Scene(() => []);
    const started = scene.world.now;
    const error = await failureOf(scene.announce(URL_OF_SERVER, { timeoutMs: 3000 }));
    expect(error).toMatchObject({ code: 'BIP_TRACKER_TIMEOUT' });
    expect(scene.world.now - started).toBe(3000);
    await scene.end();
  });

  test('an abort', async () => {
    const scene = new Scene(() => []);
    const controller = new AbortController();
    scene.world.timeline.after(500, () => controller.abort(new Error('enough')));
    const error = await failureOf(scene.announce(URL_OF_SERVER, { signal: controller.signal }));
    expect(error).toMatchObject({ message: 'enough' });
    await scene.end();
  });

  test('what is no WebSocket; the sentence does not name the path', async () => {
    const scene = new Scene();
    scene.server.serveHttp(80, () => ({ status: 404 }));
    const error = await failureOf(scene.announce('ws://t.example/0123secret'));
    expect(error).toMatchObject({
      code: 'BIP_WEBSOCKET',
      message:
        'cannot connect to ws://t.example: it answers with the HTTP status 404 instead of a WebSocket',
    });
    await scene.end();
  });

  test('a path on this machine that is no tracker’s is not asked for a torrent', async () => {
    const scene = new Scene();
    const error = await failureOf(scene.announce('ws://127.0.0.1:8000/admin'));
    expect(error).toMatchObject({ code: 'BIP_TRACKER_LOCAL' });
    await scene.end();
  });
});
