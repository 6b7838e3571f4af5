/** What every stream of bytes must do. @module */

import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { formatEndpoint } from '../../src/base/endpoint.ts';
import type { ByteStream } from '../../src/runtime/ports.ts';
import { disposalQuartet } from './disposal.ts';
import type { Place, Scene } from './place.ts';
import { connected, pattern, Recorder, record } from './recorder.ts';

const KIB = 1024;

export function streamsCompliance(place: Place): void {
  transfer(place);
  flowControl(place);
  ending(place);
  connecting(place);
}

function transfer(place: Place): void {
  test('both ends know both endpoints', () =>
    place.run(async (scene) => {
      await using pair = await connected(scene);
      expect(pair.client.remote).toEqual(pair.listener.local);
      expect(pair.server.local).toEqual(pair.listener.local);
      expect(pair.server.remote).toEqual(pair.client.local);
      expect(pair.client.local.port).toBeGreaterThan(0);
    }));

  test('what is sent comes back, in order, however it is cut', () =>
    place.run(async (scene) => {
      await using pair = await connected(scene);
      pair.server.open({
        data: (bytes) => pair.server.write(bytes.slice()),
        drain: () => undefined,
        closed: () => undefined,
      });
      const seen = record(pair.client);
      const sent = pattern(100_000);
      for (let at = 0, size = 1; at < sent.length; at += size, size = (size * 7 + 3) % 4099) {
        pair.client.write(sent.subarray(at, at + size));
        if (size % 5 === 0) await scene.there.hashers.digest('sha1', []);
      }
      await seen.until(() => seen.length >= sent.length);
      expect(Buffer.compare(seen.bytes, sent)).toBe(0);
    }));

  test('an empty write is nothing', () =>
    place.run(async (scene) => {
      await using pair = await connected(scene);
      const seen = record(pair.server);
      pair.client.write(new Uint8Array(0));
      pair.client.write(pattern(3));
      await seen.until(() => seen.length === 3);
      expect(seen.chunks.every((chunk) => chunk.length > 0)).toBe(true);
    }));

  test('what comes before the stream is opened waits for it', () =>
    place.run(async (scene) => {
      await using pair = await connected(scene);
      pair.server.write(pattern(5000));
      pair.client.write(pattern(5000, 1));
      await scene.settle();
      const [client, server] = [record(pair.client), record(pair.server)];
      await client.until(() => client.length === 5000);
      await server.until(() => server.length === 5000);
      expect(client.bytes).toEqual(pattern(5000));
      expect(server.bytes).toEqual(pattern(5000, 1));
    }));
}

function flowControl(place: Place): void {
  test('a big transfer keeps within the back-pressure of its sender', () =>
    place.run(async (scene) => {
      await using pair = await connected(scene);
      const limit = 512 * KIB;
      const piece = pattern(64 * KIB);
      const hash = createHash('sha1');
      let received = 0;
      const done = Promise.withResolvers<void>();
      pair.client.open({
        data(bytes) {
          hash.update(bytes);
          received += bytes.length;
          if (received === scene.much) done.resolve();
        },
        drain: () => undefined,
        closed: () => undefined,
      });
      const most = await sendAll(pair.server, piece, { total: scene.much, limit });
      await done.promise;
      expect(most).toBeLessThanOrEqual(limit + piece.length);
      const expected = createHash('sha1');
      for (let at = 0; at < scene.much; at += piece.length) expected.update(piece);
      expect(hash.digest('hex')).toBe(expected.digest('hex'));
    }));

  test('every burst of writes ends in a drain, with nothing queued', () =>
    place.run(async (scene) => {
      await using pair = await connected(scene);
      record(pair.server);
      const seen = record(pair.client);
      for (let burst = 1; burst <= 3; burst++) {
        pair.client.write(pattern(1000));
        pair.client.write(pattern(1000));
        expect(pair.client.queuedBytes).toBe(2000);
        await seen.until(() => seen.drains === burst);
        expect(pair.client.queuedBytes).toBe(0);
      }
      await scene.settle();
      expect(seen.drains).toBe(3);
    }));

  test('a paused stream holds data back, and its sender queues', () =>
    place.run(async (scene) => {
      await using pair = await connected(scene);
      const seen = record(pair.client);
      pair.client.pause();
      const sent = pattern(Math.min(scene.much, 24 * 1024 * KIB));
      pair.server.write(sent);
      record(pair.server);
      await scene.settle();
      expect(seen.length).toBe(0);
      expect(pair.server.queuedBytes).toBeGreaterThan(0);
      pair.client.resume();
      await seen.until(() => seen.length === sent.length);
      expect(Buffer.compare(seen.bytes, sent)).toBe(0);
    }));

  test('pause before open holds', () =>
    place.run(async (scene) => {
      await using pair = await connected(scene);
      for (const [to, from] of [
        [pair.client, pair.server],
        [pair.server, pair.client],
      ] as const) {
        to.pause();
        const seen = record(to);
        from.write(pattern(100));
        await scene.settle();
        expect(seen.length).toBe(0);
        to.resume();
        await seen.until(() => seen.length === 100);
      }
    }));

  test('pause within a delivery: at most one more comes', () =>
    place.run(async (scene) => {
      await using pair = await connected(scene);
      for (const [to, from] of [
        [pair.client, pair.server],
        [pair.server, pair.client],
      ] as const) {
        const seen = new Recorder();
        seen.onData = () => to.pause();
        to.open(seen);
        const sent = pattern(600_000);
        from.write(sent);
        while (seen.length < sent.length) {
          const before = seen.chunks.length;
          await seen.until(() => seen.chunks.length > before);
          await scene.settle();
          expect(seen.chunks.length).toBeLessThanOrEqual(before + 2);
          to.resume();
        }
        expect(Buffer.compare(seen.bytes, sent)).toBe(0);
      }
    }));
}

function ending(place: Place): void {
  test('the other side ends: closed once, without error, after all data', () =>
    place.run(async (scene) => {
      await using pair = await connected(scene);
      const seen = record(pair.client);
      const other = record(pair.server);
      pair.server.write(pattern(200_000));
      await other.until(() => other.drains === 1);
      await pair.server[Symbol.asyncDispose]();
      await seen.until(() => seen.ends.length > 0);
      expect(seen.length).toBe(200_000);
      await scene.settle();
      expect(seen.ends).toEqual([undefined]);
      expect(other.ends).toEqual([]);
    }));

  test('an end before the stream is opened is told after what came before it', () =>
    place.run(async (scene) => {
      await using pair = await connected(scene);
      pair.server.write(pattern(1000));
      await scene.settle();
      await pair.server[Symbol.asyncDispose]();
      await scene.settle();
      const seen = record(pair.client);
      expect(seen.ends).toEqual([]);
      await seen.until(() => seen.ends.length > 0);
      expect(seen.bytes).toEqual(pattern(1000));
    }));

  test('a paused stream does not hear of the end before it has its data', () =>
    place.run(async (scene) => {
      await using pair = await connected(scene);
      const seen = record(pair.client);
      pair.client.pause();
      pair.server.write(pattern(1000));
      await scene.settle();
      await pair.server[Symbol.asyncDispose]();
      await scene.settle();
      expect([seen.length, seen.ends.length]).toEqual([0, 0]);
      pair.client.resume();
      await seen.until(() => seen.ends.length > 0);
      expect(seen.length).toBe(1000);
    }));

  test('the other side throws our data away: closed with an error that names it', () =>
    place.run(async (scene) => {
      await using pair = await connected(scene);
      const seen = record(pair.client);
      pair.client.write(pattern(1000));
      await scene.settle();
      await pair.server[Symbol.asyncDispose]();
      await seen.until(() => seen.ends.length > 0);
      expect(seen.ends[0]).toMatchObject({ code: 'BIP_RESET' });
      expect(seen.ends[0]?.message).toContain(formatEndpoint(pair.client.remote));
    }));

  test('writing to a closed stream does nothing', () =>
    place.run(async (scene) => {
      await using pair = await connected(scene);
      const seen = record(pair.client);
      record(pair.server);
      await pair.server[Symbol.asyncDispose]();
      pair.server.write(pattern(10));
      await seen.until(() => seen.ends.length > 0);
      pair.client.write(pattern(10));
      await scene.settle();
      expect([pair.client.queuedBytes, pair.server.queuedBytes]).toEqual([0, 0]);
      expect(seen.ends).toEqual([undefined]);
    }));

  test('nothing is told after a disposal by us', () =>
    place.run(async (scene) => {
      await using pair = await connected(scene);
      const seen = new Recorder();
      seen.onData = () => void pair.client[Symbol.asyncDispose]();
      pair.client.open(seen);
      record(pair.server);
      pair.server.write(pattern(1_000_000));
      await seen.until(() => seen.chunks.length > 0);
      await scene.settle();
      expect([seen.chunks.length, seen.ends.length, seen.drains]).toEqual([1, 0, 0]);
    }));

  test('what was written in the turn of the disposal still goes out', () =>
    place.run(async (scene) => {
      await using pair = await connected(scene);
      const seen = record(pair.client);
      pair.server.write(pattern(500));
      await pair.server[Symbol.asyncDispose]();
      await seen.until(() => seen.ends.length > 0);
      expect(seen.bytes).toEqual(pattern(500));
    }));

  disposalQuartet(place, 'a stream', async (scene) => {
    const { client, server, listener } = await connected(scene);
    const seen = record(server);
    return {
      resource: client,
      async expectGone() {
        await seen.until(() => seen.ends.length > 0);
        expect(seen.ends).toEqual([undefined]);
        client.write(pattern(10));
        expect(client.queuedBytes).toBe(0);
        await listener[Symbol.asyncDispose]();
      },
    };
  });
}

function connecting(place: Place): void {
  test('nobody listens: refused, naming the endpoint', () =>
    place.run(async (scene) => {
      const { signal, thereHost } = scene;
      const to = { host: thereHost, port: await freePort(scene) };
      const attempt = scene.here.network.connect(to, { signal });
      await expect(attempt).rejects.toMatchObject({
        name: 'NetworkError',
        code: 'BIP_REFUSED',
        message: `cannot connect to ${formatEndpoint(to)}: the connection was refused`,
      });
    }));

  test('names are not connected to', () =>
    place.run(async (scene) => {
      const attempt = scene.here.network.connect(
        { host: 'localhost', port: 80 },
        { signal: scene.signal },
      );
      await expect(attempt).rejects.toMatchObject({ name: 'InvariantError' });
    }));

  test('a signal cancels: before, and while it is under way', () =>
    place.run(async (scene) => {
      const to = { host: scene.thereHost, port: await freePort(scene) };
      const before = AbortSignal.abort(new Error('before'));
      await expect(scene.here.network.connect(to, { signal: before })).rejects.toThrow('before');
      const stop = new AbortController();
      const attempt = scene.here.network.connect(to, { signal: stop.signal });
      stop.abort(new Error('under way'));
      await expect(attempt).rejects.toThrow('under way');
    }));

  test('a signal that is aborted later does not touch the stream', () =>
    place.run(async (scene) => {
      const stop = new AbortController();
      const accepted = Promise.withResolvers<ByteStream>();
      await using listener = await scene.there.network.listen(accepted.resolve, {
        host: scene.thereHost,
        signal: stop.signal,
      });
      await using client = await scene.here.network.connect(listener.local, {
        signal: stop.signal,
      });
      await using server = await accepted.promise;
      stop.abort();
      const seen = record(client);
      server.write(pattern(10));
      await seen.until(() => seen.length === 10);
      expect(seen.ends).toEqual([]);
    }));

  test('two listeners cannot share a port', () =>
    place.run(async (scene) => {
      const options = { host: scene.thereHost, signal: scene.signal };
      await using first = await scene.there.network.listen(() => undefined, options);
      const { port } = first.local;
      const second = scene.there.network.listen(() => undefined, { ...options, port });
      await expect(second).rejects.toMatchObject({
        code: 'BIP_PORT_IN_USE',
        message: expect.stringContaining(formatEndpoint(first.local)),
      });
    }));

  test('a foreign address cannot be listened on', () =>
    place.run(async (scene) => {
      const options = { host: '192.0.2.1', signal: scene.signal };
      const attempt = scene.there.network.listen(() => undefined, options);
      await expect(attempt).rejects.toMatchObject({ name: 'NetworkError', code: 'BIP_ADDRESS' });
    }));

  test('a listener that is gone refuses, and leaves its streams alone', () =>
    place.run(async (scene) => {
      await using pair = await connected(scene);
      const seen = record(pair.client);
      await pair.listener[Symbol.asyncDispose]();
      const attempt = scene.here.network.connect(pair.listener.local, { signal: scene.signal });
      await expect(attempt).rejects.toMatchObject({ code: 'BIP_REFUSED' });
      pair.server.write(pattern(10));
      await seen.until(() => seen.length === 10);
    }));

  disposalQuartet(place, 'a listener', async (scene) => {
    const listener = await scene.there.network.listen(() => undefined, {
      host: scene.thereHost,
      signal: scene.signal,
    });
    return {
      resource: listener,
      async expectGone() {
        const attempt = scene.here.network.connect(listener.local, { signal: scene.signal });
        await expect(attempt).rejects.toMatchObject({ code: 'BIP_REFUSED' });
      },
    };
  });
}

/** Writes `total` bytes as fast as `limit` allows; the most that was ever queued. */
async function sendAll(
  stream: ByteStream,
  piece: Uint8Array,
  { total, limit }: { readonly total: number; readonly limit: number },
): Promise<number> {
  const seen = record(stream);
  let most = 0;
  for (let sent = 0; sent < total; sent += piece.length) {
    stream.write(piece);
    most = Math.max(most, stream.queuedBytes);
    if (stream.queuedBytes < limit) continue;
    const { drains } = seen;
    await seen.until(() => seen.drains > drains);
  }
  return most;
}

/** A port of `there` that was free a moment ago. */
async function freePort(scene: Scene): Promise<number> {
  await using listener = await scene.there.network.listen(() => undefined, {
    host: scene.thereHost,
    signal: scene.signal,
  });
  return listener.local.port;
}
