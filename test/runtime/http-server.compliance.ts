/** Serving HTTP: the same stories on the real system and in the simulated world. @module */

import { describe, expect, test } from 'vitest';
import { concatBytes, decodeUtf8Lossy, encodeUtf8 } from '../../src/base/bytes.ts';
import type {
  ByteStream,
  HttpHandler,
  HttpIncoming,
  HttpServeOptions,
  Listener,
} from '../../src/runtime/ports.ts';
import { disposalQuartet } from './disposal.ts';
import type { Place, Scene } from './place.ts';
import { pattern, Recorder, record } from './recorder.ts';

export function httpServerCompliance(place: Place): void {
  describe('requests and answers', () => {
    answers(place);
  });
  describe('connections that stay', () => {
    keeping(place);
  });
  describe('whoever does not behave', () => {
    abuse(place);
  });
  describe('the end', () => {
    ends(place);
  });
}

function answers(place: Place): void {
  test('a handler sees the request, its answer arrives', () =>
    place.run(async (scene) => {
      const seen: HttpIncoming[] = [];
      await using server = await serve(scene, (request) => {
        const { method, target, headers, from } = request;
        seen.push({ method, target, headers, from });
        return { status: 203, headers: { 'x-from': 'here' }, body: 'done' };
      });
      const url = `http://${scene.thereHost}:${server.local.port}/a%20b?c=%00%ff`;
      const headers = { 'x-one': '1' };
      const { here, signal } = scene;
      const answer = await here.http.get({ url, maxBytes: 1000, headers }, { signal });
      expect(answer.status).toBe(203);
      expect(answer.headers).toMatchObject({ 'x-from': 'here', 'content-length': '4' });
      expect(decodeUtf8Lossy(answer.body)).toBe('done');
      expect(seen).toHaveLength(1);
      expect(seen[0]).toMatchObject({
        method: 'GET',
        target: '/a%20b?c=%00%ff',
        headers: { 'x-one': '1' },
        from: { host: scene.hereHost },
      });
    }));

  test.each([
    ['http://tracker.example:6969/announce?a=/b', '/announce?a=/b'],
    ['HTTPS://tracker.example?a', '/?a'],
    ['http://tracker.example', '/'],
    ['//http://a/', '//http://a/'],
    ['*', '*'],
  ])('of the target %s the handler sees %s', (target, seen) =>
    place.run(async (scene) => {
      await using server = await serve(scene, (request) => ({ body: `<${request.target}>` }));
      const text = await talk(scene, server, `GET ${target} HTTP/1.0\r\n\r\n`);
      expect(text.slice(text.indexOf('<'))).toBe(`<${seen}>`);
    }),
  );

  test('bytes of all values arrive, and may change as soon as the handler has returned', () =>
    place.run(async (scene) => {
      const body = Uint8Array.from({ length: 512 }, (_, at) => at & 0xff);
      const expected = body.slice();
      await using server = await serve(scene, () => {
        queueMicrotask(() => body.fill(1));
        return { body };
      });
      expect((await get(scene, server)).body).toEqual(expected);
    }));

  test('many get one body that lasts', () =>
    place.run(async (scene) => {
      const body = pattern(100_000);
      await using server = await serve(scene, () => ({ body, lasting: true }));
      for (const answer of await Promise.all([get(scene, server), get(scene, server)])) {
        expect(Buffer.compare(answer.body, body)).toBe(0);
      }
    }));

  test('an answer of a megabyte, and later answers of a promise', () =>
    place.run(async (scene) => {
      const body = pattern(1_000_000);
      await using server = await serve(scene, async () => {
        await Promise.resolve();
        return { body };
      });
      const answer = await get(scene, server);
      expect(Buffer.compare(answer.body, body)).toBe(0);
    }));

  test('HEAD is answered by the head alone', () =>
    place.run(async (scene) => {
      await using server = await serve(scene, () => ({ body: '12345' }));
      const text = await talk(
        scene,
        server,
        'HEAD / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n',
      );
      expect(text).toMatch(/^HTTP\/1\.1 200 /);
      expect(text.toLowerCase()).toContain('content-length: 5\r\n');
      expect(text.endsWith('\r\n\r\n')).toBe(true);
    }));

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('%s is not allowed', (method) =>
    place.run(async (scene) => {
      let asked = 0;
      await using server = await serve(scene, () => ({ body: String(asked++) }));
      const text = await talk(scene, server, `${method} / HTTP/1.1\r\nhost: a\r\n\r\n`);
      expect(text).toMatch(/^HTTP\/1\.1 405 /);
      expect(text.toLowerCase()).toContain('allow: get, head\r\n');
      expect(asked).toBe(0);
    }),
  );

  test.each([
    [
      'throws',
      () => {
        throw new Error('bad luck');
      },
    ],
    ['rejects', () => Promise.reject(new Error('bad luck'))],
  ] satisfies readonly [string, HttpHandler][])('a handler that %s: 500', (_, handler) =>
    place.run(async (scene) => {
      await using server = await serve(scene, handler);
      expect((await get(scene, server)).status).toBe(500);
    }),
  );

  test('no answer: the connection breaks', () =>
    place.run(async (scene) => {
      await using server = await serve(scene, () => undefined);
      await expect(get(scene, server)).rejects.toMatchObject({ code: 'BIP_HTTP' });
    }));
}

const GET = (path: string): string => `GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`;

function keeping(place: Place): void {
  test('a connection serves one request after the other', () =>
    place.run(async (scene) => {
      await using server = await serve(scene, ({ target }) => ({ body: `<${target}>` }));
      await using client = await connect(scene, server);
      for (const path of ['/1', '/2', '/3']) {
        client.stream.write(encodeUtf8(GET(path)));
        await client.recorder.until(() => textOf(client).includes(`<${path}>`));
      }
      expect(client.recorder.ends).toEqual([]);
    }));

  test('requests that come together are answered in their order', () =>
    place.run(async (scene) => {
      await using server = await serve(scene, async ({ target }) => {
        for (let turns = target === '/1' ? 5 : 0; turns > 0; turns--) await Promise.resolve();
        return { body: `<${target}>` };
      });
      await using client = await connect(scene, server);
      client.stream.write(encodeUtf8(GET('/1') + GET('/2') + GET('/3')));
      await client.recorder.until(() => textOf(client).includes('</3>'));
      expect(textOf(client).match(/<[^>]*>/g)).toEqual(['</1>', '</2>', '</3>']);
    }));

  test('a request may come byte by byte', () =>
    place.run(async (scene) => {
      await using server = await serve(scene, ({ target }) => ({ body: `<${target}>` }));
      await using client = await connect(scene, server);
      for (const byte of encodeUtf8(GET('/slowly'))) client.stream.write(Uint8Array.of(byte));
      await client.recorder.until(() => textOf(client).includes('</slowly>'));
      expect(textOf(client)).toMatch(/^HTTP\/1\.1 200 /);
    }));

  test.each([
    ['HTTP/1.0', 'GET / HTTP/1.0\r\n\r\n'],
    ['connection: close', 'GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n'],
    ['a body', 'GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nbody'],
  ])('%s: the connection ends with the answer', (_, request) =>
    place.run(async (scene) => {
      await using server = await serve(scene, () => ({ body: 'last' }));
      const text = await talk(scene, server, request);
      expect(text).toMatch(/^HTTP\/1\.1 200 [^]*last$/);
    }),
  );

  test('a connection without a request is closed after a while', () =>
    place.run(async (scene) => {
      await using server = await serve(scene, () => ({ body: '.' }), { idleTimeoutMs: 30 });
      expect(await talk(scene, server, GET('/'))).toMatch(/^HTTP\/1\.1 200 /);
    }));
}

function abuse(place: Place): void {
  test.each([
    ['garbage', 'ehlo there\r\n\r\n', 400],
    ['another version', 'GET / HTTP/7.3\r\n\r\n', 400],
    ['a header without a colon', 'GET / HTTP/1.1\r\nhost: a\r\nnonsense\r\n\r\n', 400],
    ['a long target', GET(`/${'x'.repeat(2000)}`), 431],
    ['many headers', `GET / HTTP/1.1\r\nhost: a\r\n${'x-name: value\r\n'.repeat(500)}\r\n`, 431],
    ['headers without an end', `GET / HTTP/1.1\r\nhost: ${'a'.repeat(5000)}`, 431],
  ])('%s is refused', (_, request, status) =>
    place.run(async (scene) => {
      await using server = await serve(scene, () => ({ body: '' }), { maxRequestBytes: 1024 });
      const text = await talk(scene, server, request);
      expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
      expect((await get(scene, server)).status).toBe(200);
    }),
  );

  test.each([
    ['nothing', ''],
    ['half a line', 'GET / HT'],
    ['half a head', 'GET / HTTP/1.1\r\nhost: a\r\n'],
  ])('whoever sends %s is not waited for', (_, start) =>
    place.run(async (scene) => {
      await using server = await serve(scene, () => ({ body: 'no' }), { requestTimeoutMs: 40 });
      expect(await talk(scene, server, start)).toMatch(/^HTTP\/1\.1 408 /);
    }),
  );

  test('whoever does not read the answer loses the connection', () =>
    place.run(async (scene) => {
      const body = pattern(scene.much);
      await using server = await serve(scene, () => ({ body }), { requestTimeoutMs: 60 });
      await using client = await connect(scene, server);
      client.stream.pause();
      client.stream.write(encodeUtf8(GET('/')));
      // Disposing waits for whatever is answered: it ends although the client takes nothing.
      await scene.settle();
      await server[Symbol.asyncDispose]();
      client.stream.resume();
      await client.recorder.until(() => client.recorder.ends.length > 0);
      expect(client.recorder.length).toBeLessThan(body.length);
    }));

  test('one connection too many takes the place of the one that was quiet for longest', () =>
    place.run(async (scene) => {
      let displaced = 0;
      await using server = await serve(scene, ({ target }) => ({ body: target }), {
        maxConnections: 2,
        onDisplaced: () => {
          displaced++;
        },
      });
      const ask = async (client: Client, path: string): Promise<void> => {
        client.stream.write(encodeUtf8(GET(path)));
        await client.recorder.until(() => textOf(client).endsWith(path));
      };
      await using first = await connect(scene, server);
      await ask(first, '/1');
      await using second = await connect(scene, server);
      await ask(second, '/2');
      await ask(first, '/3');
      expect(displaced).toBe(0);
      await using third = await connect(scene, server);
      await ask(third, '/4');
      expect(displaced).toBe(1);
      await second.recorder.until(() => second.recorder.ends.length > 0);
      await ask(first, '/5');
      await using halfOpen = await connect(scene, server);
      halfOpen.stream.write(encodeUtf8('GET / HT'));
      await third.recorder.until(() => third.recorder.ends.length > 0);
      expect((await get(scene, server)).status).toBe(200);
      await first.recorder.until(() => first.recorder.ends.length > 0);
      expect(displaced).toBe(3);
    }));

  test('connections that are gone leave their places', () =>
    place.run(async (scene) => {
      await using server = await serve(scene, () => ({ body: 'in' }), { maxConnections: 2 });
      await using stays = await connect(scene, server);
      stays.stream.write(encodeUtf8(GET('/')));
      await stays.recorder.until(() => textOf(stays).endsWith('in'));
      for (let times = 0; times < 5; times++) {
        await talk(scene, server, 'GET / HTTP/1.0\r\n\r\n');
        await scene.settle();
      }
      expect(stays.recorder.ends).toEqual([]);
    }));
}

function ends(place: Place): void {
  disposalQuartet(place, 'server', async (scene) => {
    const resource = await serve(scene, () => ({ body: '' }));
    return {
      resource,
      expectGone: () => expect(get(scene, resource)).rejects.toMatchObject({ code: 'BIP_REFUSED' }),
    };
  });

  test('idle connections are closed, what is under way is answered', () =>
    place.run(async (scene) => {
      const answer = Promise.withResolvers<void>();
      const asked = Promise.withResolvers<void>();
      await using server = await serve(scene, async () => {
        asked.resolve();
        await answer.promise;
        return { body: 'at last' };
      });
      await using silent = await connect(scene, server);
      await using halfOpen = await connect(scene, server);
      halfOpen.stream.write(encodeUtf8('GET / HT'));
      await scene.settle();
      await using busy = await connect(scene, server);
      busy.stream.write(encodeUtf8(GET('/')));
      await asked.promise;
      const disposed = server[Symbol.asyncDispose]();
      for (const idle of [silent, halfOpen]) {
        await idle.recorder.until(() => idle.recorder.ends.length > 0);
      }
      expect(textOf(busy)).toBe('');
      answer.resolve();
      await disposed;
      await busy.recorder.until(() => busy.recorder.ends.length > 0);
      expect(textOf(busy)).toMatch(/at last$/);
    }));

  test('a port in use', () =>
    place.run(async (scene) => {
      await using server = await serve(scene, () => ({ body: '' }));
      const { port } = server.local;
      await expect(serve(scene, () => ({ body: '' }), { port })).rejects.toMatchObject({
        name: 'NetworkError',
        code: 'BIP_PORT_IN_USE',
        message: expect.stringContaining(String(port)),
      });
    }));

  test('a signal that is aborted before', () =>
    place.run(async (scene) => {
      const signal = AbortSignal.abort(new Error('before'));
      await expect(serve(scene, () => ({ body: '' }), { signal })).rejects.toThrow('before');
    }));
}

function serve(
  scene: Scene,
  handler: HttpHandler,
  options: Partial<HttpServeOptions> = {},
): Promise<Listener> {
  const { signal, thereHost: host } = scene;
  return scene.there.http.serve(handler, { host, signal, ...options });
}

function get(scene: Scene, server: Listener): ReturnType<Scene['here']['http']['get']> {
  const { signal } = scene;
  const url = `http://${scene.thereHost}:${server.local.port}/`;
  return scene.here.http.get({ url, maxBytes: 2_000_000 }, { signal });
}

interface Client extends AsyncDisposable {
  readonly stream: ByteStream;
  readonly recorder: Recorder;
}

async function connect(scene: Scene, server: Listener): Promise<Client> {
  const { signal } = scene;
  const to = { host: scene.thereHost, port: server.local.port };
  const stream = await scene.here.network.connect(to, { signal });
  const recorder = record(stream);
  return { stream, recorder, [Symbol.asyncDispose]: () => stream[Symbol.asyncDispose]() };
}

/** Everything that the server says to `request` until it closes the connection. */
async function talk(scene: Scene, server: Listener, request: string): Promise<string> {
  await using client = await connect(scene, server);
  if (request !== '') client.stream.write(encodeUtf8(request));
  await client.recorder.until(() => client.recorder.ends.length > 0);
  return textOf(client);
}

function textOf({ recorder }: Client): string {
  return decodeUtf8Lossy(concatBytes(...recorder.chunks));
}
