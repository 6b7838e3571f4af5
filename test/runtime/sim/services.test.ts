import { expect, test } from 'vitest';
import type { HttpResponse } from '../../../src/runtime/ports.ts';
import type { SimHost } from '../../../src/runtime/sim/index.ts';
import { makeWorld } from '../../sim/world.ts';
import { pattern } from '../recorder.ts';

const { signal } = new AbortController();

function get(host: SimHost, url: string): Promise<HttpResponse> {
  return host.runtime.http.get({ url, maxBytes: 1_000_000 }, { signal });
}

test('names of the world lead to hosts', async () => {
  const world = makeWorld();
  const [client, server] = [world.host('10.0.0.1'), world.host('10.0.0.2')];
  world.names.set('Tracker.Example', ['10.0.0.2', '2001:db8::2']);
  const { lookup } = client.runtime;
  const ask = (family?: 4 | 6): Promise<readonly string[]> =>
    world.run(
      lookup.addresses('tracker.example', { signal, ...(family === undefined ? {} : { family }) }),
    );
  expect(await ask()).toEqual(['10.0.0.2', '2001:db8::2']);
  expect(await ask(6)).toEqual(['2001:db8::2']);
  server.serveHttp(80, ({ target }) => ({ body: target }));
  const { body, remote } = await world.run(get(client, 'http://tracker.example/a?b'));
  expect([new TextDecoder().decode(body), remote]).toEqual([
    '/a?b',
    { host: '10.0.0.2', port: 80 },
  ]);
  world.names.set('tracker.example', []);
  await expect(ask()).rejects.toMatchObject({ code: 'BIP_DNS' });
});

test('a silent name server is waited for', async () => {
  const world = makeWorld();
  const client = world.host('10.0.0.1');
  world.names.silent = true;
  await expect(world.run(get(client, 'http://tracker.example/'))).rejects.toMatchObject({
    code: 'BIP_DNS',
    message: expect.stringContaining('does not answer'),
  });
  expect(world.now).toBeGreaterThanOrEqual(5000);
});

test('HTTP takes time: the way, the thinking, the line', async () => {
  const world = makeWorld();
  const client = world.host('10.0.0.1', { latencyMs: 25 });
  const server = world.host('10.0.0.2', { latencyMs: 25, upload: 100_000 });
  server.serveHttp(80, () => ({ body: pattern(100_000), delayMs: 300 }));
  const { body } = await world.run(get(client, 'http://10.0.0.2/'));
  expect(body).toEqual(pattern(100_000));
  // Two round trips of 100 ms, 300 ms of thought, a second of transfer.
  expect(world.now).toBeGreaterThan(1500);
  expect(world.now).toBeLessThan(1700);
});

test.each([
  ['expired', 'expired'],
  ['self-signed', 'signed by itself'],
  ['wrong-name', 'another name'],
] as const)('a certificate that is %s is refused', async (certificate, words) => {
  const world = makeWorld();
  const [client, server] = [world.host('10.0.0.1'), world.host('10.0.0.2')];
  server.serveHttp(443, () => ({ body: 'secret' }), { certificate });
  await expect(world.run(get(client, 'https://10.0.0.2/'))).rejects.toMatchObject({
    code: 'BIP_TLS',
    message: expect.stringContaining(words),
  });
});

test('https to a good certificate works, http to it does not', async () => {
  const world = makeWorld();
  const [client, server] = [world.host('10.0.0.1'), world.host('10.0.0.2')];
  server.serveHttp(443, () => ({ body: 'secret' }), { certificate: 'good' });
  const { status, timing } = await world.run(get(client, 'https://10.0.0.2/'));
  expect(status).toBe(200);
  // Two round trips of 40 ms before the request: of TCP, and of TLS 1.3.
  expect(timing.connectMs).toBeCloseTo(80, 0);
  expect(timing.answerMs).toBeCloseTo(40, 0);
  await expect(world.run(get(client, 'http://10.0.0.2:443/'))).rejects.toMatchObject({
    code: 'BIP_HTTP',
  });
});

test('a server that is stopped refuses; one that is cut off is silent', async () => {
  const world = makeWorld({ tcp: { connectMs: 5000 } });
  const [client, server] = [world.host('10.0.0.1'), world.host('10.0.0.2')];
  const stop = server.serveHttp(80, () => ({}));
  world.assertClosed();
  server.offline = true;
  await expect(world.run(get(client, 'http://10.0.0.2/'))).rejects.toMatchObject({
    code: 'BIP_NETWORK_TIMEOUT',
  });
  server.offline = false;
  expect((await world.run(get(client, 'http://10.0.0.2/'))).status).toBe(200);
  stop();
  await expect(world.run(get(client, 'http://10.0.0.2/'))).rejects.toMatchObject({
    code: 'BIP_REFUSED',
  });
});

test('a tracker made of a plain stream is understood: chunks, and bodies that end with the stream', async () => {
  const world = makeWorld();
  const [client, server] = [world.host('10.0.0.1'), world.host('10.0.0.2')];
  const answers = [
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n6;x=y\r\nsix456\r\n0\r\n\r\n',
    'HTTP/1.0 200 OK\nX: y\n\nfoursix456',
  ];
  const run = async (): Promise<void> => {
    for (const [at, answer] of answers.entries()) {
      await using listener = await server.runtime.network.listen(
        (stream) => {
          let asked = false;
          stream.open({
            data() {
              // The request may come in pieces.
              if (!asked) stream.write(new TextEncoder().encode(answer));
              asked = true;
            },
            drain: () => void stream[Symbol.asyncDispose](),
            closed: () => undefined,
          });
        },
        { port: 8000 + at, signal },
      );
      const { body } = await get(client, `http://10.0.0.2:${listener.local.port}/`);
      expect(new TextDecoder().decode(body)).toBe('foursix456');
    }
  };
  await world.run(run());
  await world.runToRest();
  world.assertClosed();
});

test('a host speaks to itself under 127.0.0.1', async () => {
  const world = makeWorld();
  const host = world.host('10.0.0.1');
  host.serveHttp(80, () => ({ body: 'me' }));
  const { body } = await world.run(get(host, 'http://127.0.0.1/'));
  expect(new TextDecoder().decode(body)).toBe('me');
  expect(world.now).toBeLessThan(1);
});

test('a host of two families is reached by both, and answers by the same', async () => {
  const world = makeWorld();
  const options = { addresses: ['2001:db8::1'] };
  const a = world.host('10.0.0.1', options);
  const b = world.host('10.0.0.2', { addresses: ['2001:DB8:0::2'] });
  b.serveHttp(80, ({ from }) => ({ body: from.host }));
  for (const [url, own] of [
    ['http://10.0.0.2/', '10.0.0.1'],
    ['http://[2001:db8::2]/', '2001:db8::1'],
  ] as const) {
    const { body } = await world.run(get(a, url));
    expect(new TextDecoder().decode(body)).toBe(own);
  }
});
