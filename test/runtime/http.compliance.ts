/** What every HTTP client must do. @module */

import { expect, test } from 'vitest';
import { decodeUtf8 } from '../../src/base/bytes.ts';
import type { Place, Scene, WebRequest } from './place.ts';
import { pattern } from './recorder.ts';

export function httpCompliance(place: Place): void {
  answers(place);
  limits(place);
  failures(place);
}

function answers(place: Place): void {
  test('status, headers, body and who answered', () =>
    place.run(async (scene) => {
      const base = await scene.serve(() => ({
        status: 200,
        headers: { 'Content-Type': 'text/plain', 'X-Odd': 'a  b' },
        body: 'hello',
      }));
      const answer = await get(scene, `${base}/x`);
      expect(answer.status).toBe(200);
      expect(decodeUtf8(answer.body)).toBe('hello');
      expect(answer.headers).toMatchObject({ 'content-type': 'text/plain', 'x-odd': 'a  b' });
      expect(answer.remote).toEqual({ host: scene.thereHost, port: Number(new URL(base).port) });
    }));

  test('path, query and headers go out as given', () =>
    place.run(async (scene) => {
      const seen: WebRequest[] = [];
      const base = await scene.serve((request) => {
        seen.push(request);
        return {};
      });
      // An infohash in a query must keep its own escapes.
      const target = '/announce?info_hash=%124Vx%9a%BC&left=0&x=';
      await get(scene, base + target, { headers: { range: 'bytes=3-9', 'user-agent': 'me/1' } });
      await get(scene, base);
      expect(seen[0]).toMatchObject({
        target,
        headers: { range: 'bytes=3-9', 'user-agent': 'me/1', host: new URL(base).host },
      });
      expect(seen[1]).toMatchObject({ target: '/', headers: { 'user-agent': 'bip' } });
    }));

  test('redirects and failures are answers like others', () =>
    place.run(async (scene) => {
      const base = await scene.serve(({ target }) =>
        target === '/gone' ? { status: 410 } : { status: 302, headers: { location: '/gone' } },
      );
      const moved = await get(scene, `${base}/`);
      expect([moved.status, moved.headers['location']]).toEqual([302, '/gone']);
      expect((await get(scene, `${base}/gone`)).status).toBe(410);
    }));

  test('an empty answer, and a large one', () =>
    place.run(async (scene) => {
      const large = pattern(1_000_000);
      const base = await scene.serve(({ target }) => (target === '/large' ? { body: large } : {}));
      expect((await get(scene, `${base}/`)).body.length).toBe(0);
      const { body } = await get(scene, `${base}/large`, { maxBytes: 1_000_000 });
      expect(Buffer.compare(body, large)).toBe(0);
    }));

  test('many requests at once get their own answers', () =>
    place.run(async (scene) => {
      const base = await scene.serve(({ target }) => ({ body: target }));
      const paths = Array.from({ length: 20 }, (_, at) => `/${at}`);
      const bodies = await Promise.all(paths.map((path) => get(scene, base + path)));
      expect(bodies.map(({ body }) => decodeUtf8(body))).toEqual(paths);
    }));
}

function limits(place: Place): void {
  test('a body of just the limit passes, one more byte does not', () =>
    place.run(async (scene) => {
      const base = await scene.serve(() => ({ body: pattern(1000) }));
      expect((await get(scene, base, { maxBytes: 1000 })).body.length).toBe(1000);
      await expect(get(scene, base, { maxBytes: 999 })).rejects.toMatchObject({
        name: 'NetworkError',
        code: 'BIP_HTTP_TOO_LARGE',
        message: expect.stringContaining('999 bytes'),
      });
    }));

  test('a signal cancels: before, and while it is under way', () =>
    place.run(async (scene) => {
      const stop = new AbortController();
      const base = await scene.serve(() => ({ body: 'late' }));
      const before = AbortSignal.abort(new Error('before'));
      const options = { url: base, maxBytes: 100 };
      await expect(scene.here.http.get(options, { signal: before })).rejects.toThrow('before');
      const underWay = scene.here.http.get(options, { signal: stop.signal });
      stop.abort(new Error('under way'));
      await expect(underWay).rejects.toThrow('under way');
    }));
}

function failures(place: Place): void {
  test('nobody listens: refused', () =>
    place.run(async (scene) => {
      const listener = await scene.there.network.listen(() => undefined, {
        host: scene.thereHost,
        signal: scene.signal,
      });
      const { port } = listener.local;
      await listener[Symbol.asyncDispose]();
      await expect(get(scene, `http://${scene.thereHost}:${port}/a`)).rejects.toMatchObject({
        code: 'BIP_REFUSED',
        message: `cannot get http://${scene.thereHost}:${port}/a: the connection was refused`,
      });
    }));

  test('a server that breaks off', () =>
    place.run(async (scene) => {
      const base = await scene.serve(() => undefined);
      await expect(get(scene, base)).rejects.toMatchObject({ code: 'BIP_HTTP' });
    }));

  test('a server that speaks something else', () =>
    place.run(async (scene) => {
      await using listener = await scene.there.network.listen(
        (stream) =>
          stream.open({
            data: () => stream.write(new TextEncoder().encode('220 mail.example ESMTP\r\n\r\n')),
            drain: () => void stream[Symbol.asyncDispose](),
            closed: () => undefined,
          }),
        { host: scene.thereHost, signal: scene.signal },
      );
      const url = `http://${scene.thereHost}:${listener.local.port}/`;
      await expect(get(scene, url)).rejects.toMatchObject({
        code: 'BIP_HTTP',
        message: expect.stringContaining('does not speak HTTP'),
      });
    }));

  test('https where there is only http', () =>
    place.run(async (scene) => {
      const base = await scene.serve(() => ({ body: 'plain' }));
      await expect(get(scene, base.replace('http:', 'https:'))).rejects.toMatchObject({
        code: 'BIP_TLS',
        message: expect.stringContaining('does not speak TLS'),
      });
    }));

  test('a name that does not exist', () =>
    place.run(async (scene) => {
      await expect(get(scene, 'http://tracker.invalid/')).rejects.toMatchObject({
        name: 'NetworkError',
        code: 'BIP_DNS',
        message: expect.stringContaining('tracker.invalid'),
      });
    }));

  test('an address of the wrong family', () =>
    place.run(async (scene) => {
      await expect(get(scene, 'http://192.0.2.1/', { family: 6 })).rejects.toMatchObject({
        code: 'BIP_DNS',
      });
    }));

  test('what is no address of the web', () =>
    place.run(async (scene) => {
      for (const url of ['udp://tracker.example:80', 'nonsense', 'http://', 'file:///etc/passwd']) {
        await expect(get(scene, url)).rejects.toMatchObject({
          name: 'NetworkError',
          code: 'BIP_HTTP',
          message: expect.stringContaining(url),
        });
      }
    }));
}

type Request = Parameters<Scene['here']['http']['get']>[0];

function get(
  scene: Scene,
  url: string,
  options: Partial<Request> = {},
): ReturnType<Scene['here']['http']['get']> {
  return scene.here.http.get({ url, maxBytes: 100_000, ...options }, { signal: scene.signal });
}
