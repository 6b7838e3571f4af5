/** HTTP trackers in the simulated world: time, broken connections, TLS. */

import { expect, test } from 'vitest';
import { NetworkError, TimeoutError } from '../../../src/base/errors.ts';
import type { SimHost, World } from '../../../src/runtime/sim/index.ts';
import {
  type AnnounceOptions,
  type AnnounceResponse,
  announce,
} from '../../../src/tracker/index.ts';
import { makeWorld } from '../../sim/world.ts';
import { REQUEST } from '../samples.ts';
import { TinyTracker } from '../tiny-tracker.ts';
import { failureOf, NEVER } from '../world.ts';

interface Scene {
  readonly world: World;
  readonly server: SimHost;
  readonly ask: (url: string, options?: Partial<AnnounceOptions>) => Promise<AnnounceResponse>;
}
function scene(): Scene {
  const world = makeWorld();
  const server = world.host('10.0.1.1');
  world.names.set('t.example', ['10.0.1.1']);
  const { runtime } = world.host('10.0.0.1');
  return {
    world,
    server,
    ask: (url, options = {}) => announce(runtime, url, REQUEST, { signal: NEVER, ...options }),
  };
}
function serve(server: SimHost, port: number, delayMs = 0): TinyTracker {
  const tiny = new TinyTracker();
  server.serveHttp(port, ({ target, from }) => ({ ...tiny.http(target, from), delayMs }));
  return tiny;
}

test('a slow answer counts until 30 s', async () => {
  const { world, server, ask } = scene();
  serve(server, 80, 29_000);
  expect((await world.run(ask('http://t.example/announce'))).rttMs).toBeGreaterThan(29_000);
  world.assertClosed();
});

test('a slower one does not', async () => {
  const { world, server, ask } = scene();
  serve(server, 80, 31_000);
  const started = world.now;
  expect(await world.run(failureOf(ask('http://t.example/announce')))).toBeInstanceOf(TimeoutError);
  expect(world.now - started).toBe(30_000);
  await world.runToRest();
  world.assertClosed();
});

test('a refused connection is tried again a second later', async () => {
  const { world, server, ask } = scene();
  server.runtime.clock.schedule(500, () => serve(server, 80));
  const answer = await world.run(ask('http://t.example/announce', { retries: 1 }));
  expect(answer.intervalSeconds).toBe(1800);
  expect(world.now).toBeGreaterThan(1000);
  expect(world.now).toBeLessThan(1500);
  world.assertClosed();
});

test('a refused connection is a failure without retries', async () => {
  const { world, ask } = scene();
  const error = await world.run(failureOf(ask('http://t.example/announce')));
  expect(error).toBeInstanceOf(NetworkError);
  expect(error).toMatchObject({ code: 'BIP_REFUSED' });
  expect(world.now).toBeLessThan(1000);
  world.assertClosed();
});

test('an abort during the pause between attempts', async () => {
  const { world, ask } = scene();
  const controller = new AbortController();
  const work = failureOf(
    ask('http://t.example/announce', { retries: 5, signal: controller.signal }),
  );
  await world.runFor(500);
  controller.abort(new Error('stop'));
  expect(await world.run(work)).toMatchObject({ message: 'stop' });
  world.assertClosed();
});

test('a redirect from http to https', async () => {
  const { world, server, ask } = scene();
  const tiny = new TinyTracker();
  server.serveHttp(80, ({ target }) => ({
    status: 301,
    headers: { location: `https://t.example${target}` },
  }));
  server.serveHttp(443, ({ target, from }) => tiny.http(target, from), { certificate: 'good' });
  const { remote } = await world.run(ask('http://t.example/announce'));
  expect(remote).toEqual({ host: '10.0.1.1', port: 443 });
  expect(tiny.heard).toHaveLength(1);
});

test.each(['expired', 'self-signed', 'wrong-name'] as const)(
  'a certificate that is %s',
  async (certificate) => {
    const { world, server, ask } = scene();
    const tiny = new TinyTracker();
    server.serveHttp(443, ({ target, from }) => tiny.http(target, from), { certificate });
    const error = await world.run(failureOf(ask('https://t.example/announce')));
    expect(error).toMatchObject({ code: 'BIP_TLS' });
    expect(tiny.heard).toEqual([]);
  },
);

test('a server that breaks off', async () => {
  const { world, server, ask } = scene();
  server.serveHttp(80, () => undefined);
  const error = await world.run(failureOf(ask('http://t.example/announce')));
  expect(error).toBeInstanceOf(NetworkError);
  world.assertClosed();
});

test('a body without end is cut off', async () => {
  const { world, server, ask } = scene();
  server.serveHttp(80, () => ({ body: new Uint8Array(1_048_577) }));
  const error = await world.run(failureOf(ask('http://t.example/announce')));
  expect(error).toMatchObject({ code: 'BIP_HTTP_TOO_LARGE' });
});
