/** What every client of WebSockets must do. @module */

import { expect, test } from 'vitest';
import type { WebSocketLink } from '../../src/runtime/ports.ts';
import { disposalQuartet } from './disposal.ts';
import type { Place, Scene, SocketService } from './place.ts';

export function webSocketsCompliance(place: Place): void {
  conversations(place);
  endings(place);
  failures(place);
  disposalQuartet(place, 'a WebSocket', async (scene) => {
    const gone = Promise.withResolvers<void>();
    const url = await scene.serveWebSockets({ ...ECHO, closed: () => gone.resolve() });
    return { resource: await connect(scene, url), expectGone: () => gone.promise };
  });
}

const ECHO: SocketService = { message: (text) => [text] };

function conversations(place: Place): void {
  test('texts go out and come back in order', () =>
    place.run(async (scene) => {
      const url = await scene.serveWebSockets(ECHO);
      await using link = await connect(scene, url);
      const texts = ['hello', '', 'ä€𝄞\u0000', 'x'.repeat(70_000), '{"a":"\u00ff"}'];
      for (const text of texts) link.send(text);
      expect(await received(link, texts.length)).toEqual(texts);
    }));

  test('path and query go out as given; who answers is told', () =>
    place.run(async (scene) => {
      const base = await scene.serveWebSockets({ message: (_, target) => [target] });
      await using link = await connect(scene, `${base}/announce?passkey=%41b`);
      link.send('where?');
      expect(await received(link, 1)).toEqual(['/announce?passkey=%41b']);
      expect(link.remote).toEqual({ host: scene.thereHost, port: Number(new URL(base).port) });
      expect(link.tls).toBeUndefined();
    }));

  test('what came before it was opened is not lost', () =>
    place.run(async (scene) => {
      const greeting = ['one', 'two'];
      const url = await scene.serveWebSockets({ ...ECHO, greeting });
      await using link = await connect(scene, url);
      await scene.settle();
      expect(await received(link, 2)).toEqual(greeting);
    }));

  test('several connections at once get their own texts', () =>
    place.run(async (scene) => {
      const url = await scene.serveWebSockets(ECHO);
      const texts = ['a', 'b', 'c', 'd'];
      const work = texts.map(async (text) => {
        await using link = await connect(scene, url);
        link.send(text);
        return (await received(link, 1))[0];
      });
      expect(await Promise.all(work)).toEqual(texts);
    }));
}

function endings(place: Place): void {
  test('the other side closes: told once, without an error', () =>
    place.run(async (scene) => {
      const url = await scene.serveWebSockets({ message: () => 'close' });
      await using link = await connect(scene, url);
      const closings: unknown[] = [];
      const closed = Promise.withResolvers<void>();
      link.open({
        message: () => undefined,
        closed(error) {
          closings.push(error);
          closed.resolve();
        },
      });
      link.send('bye');
      await closed.promise;
      await scene.settle();
      link.send('too late');
      expect(closings).toEqual([undefined]);
    }));

  test('an end before it was opened is told then', () =>
    place.run(async (scene) => {
      const ended = Promise.withResolvers<void>();
      const url = await scene.serveWebSockets({
        message: () => 'close',
        closed: () => ended.resolve(),
      });
      await using link = await connect(scene, url);
      link.send('bye');
      // The simulated server does not hear of an end that it made.
      await (place.name === 'node' ? ended.promise : scene.settle());
      await scene.settle();
      await expect(received(link, 1)).rejects.toThrow('closed');
    }));

  test('nothing is told after a disposal by us', () =>
    place.run(async (scene) => {
      const url = await scene.serveWebSockets(ECHO);
      const link = await connect(scene, url);
      const told: string[] = [];
      link.open({ message: (text) => told.push(text), closed: () => told.push('closed') });
      link.send('x');
      await link[Symbol.asyncDispose]();
      await scene.settle();
      expect(told).toEqual([]);
    }));

  test('a message of just the limit passes, one more byte does not', () =>
    place.run(async (scene) => {
      const url = await scene.serveWebSockets(ECHO);
      await using link = await connect(scene, url, { maxBytes: 1000 });
      link.send('x'.repeat(1000));
      expect((await received(link, 1))[0]).toHaveLength(1000);
      link.send('x'.repeat(1001));
      await expect(received(link, 1)).rejects.toMatchObject({
        name: 'NetworkError',
        code: 'BIP_WEBSOCKET_TOO_LARGE',
        message: expect.stringContaining('1000 bytes'),
      });
    }));
}

function failures(place: Place): void {
  test('a signal cancels: before, and while it is under way', () =>
    place.run(async (scene) => {
      const url = await scene.serveWebSockets(ECHO);
      const before = AbortSignal.abort(new Error('before'));
      await expect(connect(scene, url, { signal: before })).rejects.toThrow('before');
      const stop = new AbortController();
      const underWay = connect(scene, url, { signal: stop.signal });
      stop.abort(new Error('under way'));
      await expect(underWay).rejects.toThrow('under way');
    }));

  test('nobody listens: refused', () =>
    place.run(async (scene) => {
      const listener = await scene.there.network.listen(() => undefined, {
        host: scene.thereHost,
        signal: scene.signal,
      });
      const { port } = listener.local;
      await listener[Symbol.asyncDispose]();
      await expect(connect(scene, `ws://${scene.thereHost}:${port}/a?b`)).rejects.toMatchObject({
        code: 'BIP_REFUSED',
        message: `cannot connect to ws://${scene.thereHost}:${port}/a: the connection was refused`,
      });
    }));

  test('a web server that knows no WebSockets', () =>
    place.run(async (scene) => {
      const base = await scene.serve(() => ({ status: 404 }));
      await expect(connect(scene, base.replace('http', 'ws'))).rejects.toMatchObject({
        code: 'BIP_WEBSOCKET',
        message: expect.stringContaining('HTTP status 404 instead of a WebSocket'),
      });
    }));

  test('a server that breaks off, and one that speaks something else', () =>
    place.run(async (scene) => {
      const base = await scene.serve(() => undefined);
      await expect(connect(scene, base.replace('http', 'ws'))).rejects.toMatchObject({
        code: 'BIP_WEBSOCKET',
        message: expect.stringContaining('does not speak WebSocket'),
      });
      await using listener = await scene.there.network.listen(
        (stream) =>
          stream.open({
            data: () => stream.write(new TextEncoder().encode('220 mail.example ESMTP\r\n\r\n')),
            drain: () => void stream[Symbol.asyncDispose](),
            closed: () => undefined,
          }),
        { host: scene.thereHost, signal: scene.signal },
      );
      const url = `ws://${scene.thereHost}:${listener.local.port}/`;
      await expect(connect(scene, url)).rejects.toMatchObject({
        code: 'BIP_WEBSOCKET',
        message: expect.stringContaining('does not speak WebSocket'),
      });
    }));

  test('wss where there is only ws', () =>
    place.run(async (scene) => {
      const base = await scene.serveWebSockets(ECHO);
      await expect(connect(scene, base.replace('ws:', 'wss:'))).rejects.toMatchObject({
        code: 'BIP_TLS',
        message: expect.stringContaining('does not speak TLS'),
      });
    }));

  test('a name that does not exist, and an address of the wrong family', () =>
    place.run(async (scene) => {
      await expect(connect(scene, 'ws://tracker.invalid/')).rejects.toMatchObject({
        name: 'NetworkError',
        code: 'BIP_DNS',
        message: expect.stringContaining('tracker.invalid'),
      });
      await expect(connect(scene, 'ws://192.0.2.1/', { family: 6 })).rejects.toMatchObject({
        code: 'BIP_DNS',
      });
    }));

  test('what is no address of a WebSocket', () =>
    place.run(async (scene) => {
      for (const url of ['http://tracker.example:80', 'nonsense', 'ws://', 'file:///etc/passwd']) {
        await expect(connect(scene, url)).rejects.toMatchObject({
          name: 'NetworkError',
          code: 'BIP_WEBSOCKET',
          message: expect.stringContaining(url),
        });
      }
    }));
}

type Options = Parameters<Scene['here']['webSockets']['connect']>[1];

function connect(
  scene: Scene,
  url: string,
  options: Partial<Options> = {},
): Promise<WebSocketLink> {
  const { signal } = scene;
  return scene.here.webSockets.connect(url, { signal, maxBytes: 100_000, ...options });
}

/** The next `count` texts. */
function received(link: WebSocketLink, count: number): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const texts: string[] = [];
    link.open({
      message(text) {
        texts.push(text);
        if (texts.length === count) resolve(texts);
      },
      closed: (error) => reject(error ?? new Error('closed')),
    });
  });
}
