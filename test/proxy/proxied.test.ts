/** Streams, packets, web requests and WebSockets through a proxy, in both worlds. */

import { describe, expect, test } from 'vitest';
import { decodeUtf8 } from '../../src/base/bytes.ts';
import { type Endpoint, formatEndpoint } from '../../src/base/endpoint.ts';
import { parseProxyUrl, proxied } from '../../src/proxy/index.ts';
import type { ByteStream, Runtime } from '../../src/runtime/ports.ts';
import { PLACES, type Place, type Scene } from '../runtime/place.ts';
import { pattern, record } from '../runtime/recorder.ts';
import { makeWorld } from '../sim/world.ts';
import { ProxyServer, type ProxyServerOptions } from './proxy-server.ts';

const SCHEMES = ['socks5', 'http'] as const;
type Scheme = (typeof SCHEMES)[number];

interface Stage {
  readonly scene: Scene;
  readonly proxy: ProxyServer;
  /** The ports behind the proxy. */
  readonly behind: Omit<Runtime, 'files' | 'hashers'>;
}

async function behindProxy(
  place: Place,
  scheme: Scheme,
  story: (stage: Stage) => Promise<void>,
  {
    login = '',
    ...options
  }: Omit<Partial<ProxyServerOptions>, 'login'> & { readonly login?: string } = {},
): Promise<void> {
  await place.run(async (scene) => {
    const [user, password] = login.split(':');
    await using proxy = await ProxyServer.start(scene.there, {
      host: scene.thereHost,
      ...options,
      ...(user === undefined || password === undefined ? {} : { login: [user, password] }),
    });
    const at = login === '' ? '' : `${login}@`;
    const url = parseProxyUrl(`${scheme}://${at}${formatEndpoint(proxy.local)}`);
    await story({ scene, proxy, behind: { ...scene.here, ...proxied(scene.here, url) } });
  });
}

/** Sends back all that it gets. */
async function echoServer(
  { there, thereHost, signal }: Scene,
  greeting?: Uint8Array,
): Promise<AsyncDisposable & { readonly local: Endpoint }> {
  return await there.network.listen(
    (stream: ByteStream) => {
      stream.open({
        data: (bytes) => stream.write(bytes.slice()),
        drain: () => undefined,
        closed: () => void stream[Symbol.asyncDispose](),
      });
      if (greeting !== undefined) stream.write(greeting);
    },
    { host: thereHost, signal },
  );
}

describe.each(PLACES)('$name', (place) => {
  describe.each(SCHEMES)('through %s', (scheme) => {
    test('a stream carries all bytes both ways, and calls its end by what was asked for', () =>
      behindProxy(place, scheme, async ({ scene, proxy, behind }) => {
        await using server = await echoServer(scene);
        await using stream = await behind.network.connect(server.local, scene);
        expect(stream.remote).toEqual(server.local);
        expect(proxy.asked).toEqual([formatEndpoint(server.local)]);
        const seen = record(stream);
        const sent = pattern(300_000);
        stream.write(sent);
        await seen.until(() => seen.length >= sent.length);
        expect(Buffer.compare(seen.bytes, sent)).toBe(0);
      }));

    test('what the other side says first waits until somebody listens', () =>
      behindProxy(place, scheme, async ({ scene, behind }) => {
        await using server = await echoServer(scene, pattern(5000));
        await using stream = await behind.network.connect(server.local, scene);
        await scene.settle();
        const seen = record(stream);
        await seen.until(() => seen.length >= 5000);
        expect(Buffer.compare(seen.bytes, pattern(5000))).toBe(0);
      }));

    test('with user and password', () =>
      behindProxy(
        place,
        scheme,
        async ({ scene, proxy, behind }) => {
          await using server = await echoServer(scene);
          await using stream = await behind.network.connect(server.local, scene);
          expect(stream.remote).toEqual(server.local);
          const other = `${scheme}://me:wrong@${formatEndpoint(proxy.local)}`;
          const wrong = proxied(scene.here, parseProxyUrl(other));
          await expect(wrong.network.connect(server.local, scene)).rejects.toMatchObject({
            code: 'BIP_PROXY_AUTH',
          });
          const none = parseProxyUrl(`${scheme}://${formatEndpoint(proxy.local)}`);
          await expect(
            proxied(scene.here, none).network.connect(server.local, scene),
          ).rejects.toMatchObject({ code: 'BIP_PROXY_AUTH' });
        },
        { login: 'me:secret' },
      ));

    test('web requests, by address and by name, which is looked up by the proxy', () =>
      behindProxy(place, scheme, async ({ scene, proxy, behind }) => {
        const base = await scene.serve(({ target }) => ({ body: `you want ${target}` }));
        const { port } = new URL(base);
        const named = `http://localhost:${port}/announce?x=%00`;
        for (const url of [`${base}/announce?x=%00`, named]) {
          const answer = await behind.http.get({ url, maxBytes: 100 }, scene);
          expect(decodeUtf8(answer.body)).toBe('you want /announce?x=%00');
          expect(answer.remote).toEqual({ host: new URL(url).hostname, port: Number(port) });
          expect(answer.timing.connectMs).toBeGreaterThanOrEqual(0);
        }
        expect(proxy.asked).toEqual([`${scene.thereHost}:${port}`, `localhost:${port}`]);
      }));

    test('a large answer', () =>
      behindProxy(place, scheme, async ({ scene, behind }) => {
        const large = pattern(1_000_000);
        const base = await scene.serve(() => ({ body: large }));
        const { body } = await behind.http.get({ url: base, maxBytes: 1_000_000 }, scene);
        expect(Buffer.compare(body, large)).toBe(0);
      }));

    test('WebSockets', () =>
      behindProxy(place, scheme, async ({ scene, proxy, behind }) => {
        const url = await scene.serveWebSockets({ message: (text) => [`${text}!`] });
        await using link = await behind.webSockets.connect(url, { ...scene, maxBytes: 100_000 });
        const { promise, resolve } = Promise.withResolvers<string>();
        link.open({ message: resolve, closed: () => undefined });
        link.send('x'.repeat(50_000));
        expect(await promise).toBe(`${'x'.repeat(50_000)}!`);
        expect(link.remote).toEqual({ host: scene.thereHost, port: Number(new URL(url).port) });
        expect(proxy.asked).toHaveLength(1);
      }));

    test('a target that refuses is an error that names it', () =>
      behindProxy(place, scheme, async ({ scene, behind }) => {
        const { local } = await echoServer(scene).then(async (server) => {
          await server[Symbol.asyncDispose]();
          return server;
        });
        const refused = behind.network.connect(local, scene);
        await expect(refused).rejects.toMatchObject({
          name: 'NetworkError',
          message: expect.stringContaining(`did not connect to ${formatEndpoint(local)}`),
        });
        const url = `http://${formatEndpoint(local)}/`;
        await expect(behind.http.get({ url, maxBytes: 1 }, scene)).rejects.toMatchObject({
          name: 'NetworkError',
          message: expect.stringContaining('did not connect to'),
        });
      }));

    test('a proxy that says no', () =>
      behindProxy(
        place,
        scheme,
        async ({ scene, behind }) => {
          const to = { host: scene.thereHost, port: 9 };
          await expect(behind.network.connect(to, scene)).rejects.toMatchObject({
            code: 'BIP_PROXY_REFUSED',
          });
        },
        { refuse: 2 },
      ));

    test('a proxy that is not there', () =>
      place.run(async (scene) => {
        await using gone = await echoServer(scene);
        const { local } = gone;
        await gone[Symbol.asyncDispose]();
        const proxy = parseProxyUrl(`${scheme}://${formatEndpoint(local)}`);
        await expect(
          proxied(scene.here, proxy).network.connect(local, scene),
        ).rejects.toMatchObject({
          code: 'BIP_PROXY_UNREACHABLE',
          message: expect.stringContaining('cannot be reached: '),
        });
      }));

    test('what is no proxy', () =>
      place.run(async (scene) => {
        await using echo = await echoServer(scene);
        const proxy = parseProxyUrl(`${scheme}://${formatEndpoint(echo.local)}`);
        await expect(
          proxied(scene.here, proxy).network.connect(echo.local, scene),
        ).rejects.toMatchObject({ code: 'BIP_PROXY_ANSWER' });
      }));

    test('one that hangs up, and one that is given up', () =>
      place.run(async (scene) => {
        const streams: ByteStream[] = [];
        await using silent = await scene.there.network.listen(
          (stream) => {
            streams.push(stream);
            stream.open({
              data: () => undefined,
              drain: () => undefined,
              closed: () => void stream[Symbol.asyncDispose](),
            });
          },
          { host: scene.thereHost, signal: scene.signal },
        );
        const proxy = parseProxyUrl(`${scheme}://${formatEndpoint(silent.local)}`);
        const { network } = proxied(scene.here, proxy);
        const hungUp = network.connect(silent.local, scene);
        hungUp.catch(() => undefined);
        await scene.settle();
        await streams[0]?.[Symbol.asyncDispose]();
        await expect(hungUp).rejects.toMatchObject({
          code: 'BIP_PROXY_ANSWER',
          message: expect.stringContaining('hung up'),
        });
        const controller = new AbortController();
        const givenUp = network.connect(silent.local, { signal: controller.signal });
        givenUp.catch(() => undefined);
        await scene.settle();
        controller.abort(new Error('enough'));
        await expect(givenUp).rejects.toThrow('enough');
      }));
  });

  test('packets through SOCKS5, to addresses and to names', () =>
    behindProxy(place, 'socks5', async ({ scene, proxy, behind }) => {
      const { signal } = scene;
      await using echo = await scene.there.network.bindDatagrams({
        host: scene.thereHost,
        signal,
      });
      const senders = new Set<number>();
      echo.receive((bytes, from) => {
        senders.add(from.port);
        echo.send(bytes.slice(), from);
      });
      await using socket = await behind.network.bindDatagrams({ host: '0.0.0.0', signal });
      const { promise, resolve } = Promise.withResolvers<void>();
      const seen: [number, string][] = [];
      socket.receive((bytes, from) => {
        seen.push([bytes.length, formatEndpoint(from)]);
        if (seen.length === 2) resolve();
      });
      socket.send(pattern(1000), echo.local);
      socket.send(pattern(3), { host: 'localhost', port: echo.local.port });
      await promise;
      expect(seen.map(([length]) => length).toSorted((a, b) => a - b)).toEqual([3, 1000]);
      expect(seen.every(([, from]) => from === formatEndpoint(echo.local))).toBe(true);
      expect(senders.has(socket.local.port)).toBe(false);
      const { port } = echo.local;
      expect(proxy.relayed).toEqual([`${scene.thereHost}:${port}`, `localhost:${port}`]);
    }));

  test('an HTTP proxy carries no packets, and says so', () =>
    behindProxy(place, 'http', async ({ scene, behind }) => {
      await expect(behind.network.bindDatagrams(scene)).rejects.toMatchObject({
        code: 'BIP_PROXY_UDP',
        message: expect.stringContaining('cannot carry UDP'),
      });
    }));

  test('no proxy carries multicast, and nothing goes around it', () =>
    behindProxy(place, 'socks5', async ({ scene: { signal }, behind }) => {
      const group = { address: '239.192.152.143', interfaces: ['lan0'] };
      const multicast = { interface: 'lan0', hops: 1 };
      for (const how of [{ group }, { multicast }]) {
        await expect(behind.network.bindDatagrams({ ...how, signal })).rejects.toMatchObject({
          code: 'BIP_PROXY_MULTICAST',
        });
      }
      expect(behind.lookup.interfaces()).toEqual([]);
    }));

  test('a proxy that relays no packets says so at once', () =>
    behindProxy(
      place,
      'socks5',
      async ({ scene, behind }) => {
        await expect(behind.network.bindDatagrams(scene)).rejects.toMatchObject({
          code: 'BIP_PROXY_REFUSED',
          message: expect.stringContaining('does not relay UDP'),
        });
      },
      { refuse: 7 },
    ));

  test('names are handed on, DNS is asked for nothing, and nobody is told who we are', () =>
    behindProxy(place, 'socks5', async ({ scene: { signal }, behind: { lookup } }) => {
      expect(await lookup.addresses('no.such.name.invalid', { signal })).toEqual([
        'no.such.name.invalid',
      ]);
      expect(await lookup.addresses('::1', { signal, family: 6 })).toEqual(['::1']);
      await expect(lookup.addresses('::1', { signal, family: 4 })).rejects.toThrow('IPv4');
      await expect(lookup.addresses('a.example', { signal, family: 6 })).rejects.toMatchObject({
        code: 'BIP_PROXY_FAMILY',
      });
      expect(await lookup.texts('a.example', { signal })).toEqual([]);
      expect(lookup.localAddresses()).toEqual([]);
    }));

  test('nobody is listened to', () =>
    behindProxy(place, 'socks5', async ({ scene: { signal }, behind }) => {
      await using listener = await behind.network.listen(() => undefined, { signal, port: 6881 });
      expect(listener.local.port).toBe(0);
      await expect(behind.http.serve(() => ({ body: '' }), { signal })).rejects.toMatchObject({
        code: 'BIP_PROXY_LISTEN',
      });
    }));
});

async function closed(resource: AsyncDisposable): Promise<void> {
  await resource[Symbol.asyncDispose]();
}

describe('an association that breaks', () => {
  test('is made again after a pause, and packets go on', async () => {
    const world = makeWorld();
    const here = world.host('10.0.0.1');
    const there = world.host('10.0.0.2');
    const proxy = await world.run(ProxyServer.start(there.runtime, { host: there.address }));
    const url = parseProxyUrl(`socks5://${formatEndpoint(proxy.local)}`);
    const { network } = proxied(here.runtime, url);
    const { signal } = new AbortController();
    const socket = await world.run(network.bindDatagrams({ host: '0.0.0.0', signal }));
    const echo = await world.run(
      there.runtime.network.bindDatagrams({ host: there.address, signal }),
    );
    echo.receive((bytes, from) => echo.send(bytes.slice(), from));
    let answers = 0;
    socket.receive(() => answers++);
    const ask = async (): Promise<number> => {
      socket.send(pattern(5), echo.local);
      await world.runFor(100);
      return answers;
    };
    expect(await ask()).toBe(1);
    await world.run(Promise.all(proxy.associations.map((one) => one[Symbol.asyncDispose]())));
    await world.runFor(100);
    // Lost: there is nobody to give it to.
    expect(await ask()).toBe(1);
    await world.runFor(1000);
    expect(proxy.associated).toBe(2);
    expect(await ask()).toBe(2);
    await world.run(closed(socket));
    await world.run(closed(socket));
    await world.run(Promise.all([echo, proxy].map((one) => one[Symbol.asyncDispose]())));
    world.assertClosed();
  });

  test('is given up when the proxy is gone, without end and ever more seldom, until it is closed', async () => {
    const world = makeWorld();
    const here = world.host('10.0.0.1');
    const there = world.host('10.0.0.2');
    const proxy = await world.run(ProxyServer.start(there.runtime, { host: there.address }));
    const url = parseProxyUrl(`socks5://${formatEndpoint(proxy.local)}`);
    let tries = 0;
    const network = {
      ...here.runtime.network,
      connect: (...[to, options]: Parameters<Runtime['network']['connect']>) => {
        tries++;
        return here.runtime.network.connect(to, options);
      },
    };
    const { signal } = new AbortController();
    const behind = proxied({ ...here.runtime, network }, url);
    const socket = await world.run(behind.network.bindDatagrams({ host: '0.0.0.0', signal }));
    await world.run(closed(proxy));
    await world.runFor(10 * 60_000);
    // After 1, 2, 4, 8, 16, 32 seconds, and each minute then.
    expect(tries).toBeGreaterThanOrEqual(14);
    expect(tries).toBeLessThanOrEqual(17);
    await world.run(closed(socket));
    world.assertClosed();
  });
});
