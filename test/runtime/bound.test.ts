/** Everything leaves from the one address. */

import { describe, expect, test } from 'vitest';
import { boundTo } from '../../src/runtime/bound.ts';
import { nodeRuntime } from '../../src/runtime/node/index.ts';
import type { Runtime } from '../../src/runtime/ports.ts';
import { PLACES } from './place.ts';

const { signal } = new AbortController();
/** Another address of this machine: all of 127.0.0.0/8 is its own. */
const OTHER = '127.0.0.7';

async function onLoopback(
  story: (runtime: Runtime, bound: Runtime) => Promise<void>,
): Promise<void> {
  await using runtime = nodeRuntime();
  await story(runtime, { ...runtime, ...boundTo(runtime, OTHER) });
}

describe.skipIf(process.platform !== 'linux')('on loopback', () => {
  test('connections', () =>
    onLoopback(async ({ network }, bound) => {
      const { promise, resolve } = Promise.withResolvers<string>();
      await using listener = await network.listen(
        (stream) => {
          resolve(stream.remote.host);
          void stream[Symbol.asyncDispose]();
        },
        { host: '127.0.0.1', signal },
      );
      const stream = await bound.network.connect(listener.local, { signal });
      expect(await promise).toBe(OTHER);
      await stream[Symbol.asyncDispose]();
    }));

  test.each(['0.0.0.0', undefined])('packets of sockets for %s', (host) =>
    onLoopback(async ({ network }, bound) => {
      await using there = await network.bindDatagrams({ host: '127.0.0.1', signal });
      const { promise, resolve } = Promise.withResolvers<string>();
      there.receive((_, from) => resolve(from.host));
      await using socket = await bound.network.bindDatagrams({
        ...(host === undefined ? {} : { host }),
        signal,
      });
      socket.send(new Uint8Array(3), there.local);
      expect(await promise).toBe(OTHER);
    }),
  );

  test('web requests, by name as well', () =>
    onLoopback(async (runtime, bound) => {
      await using server = await runtime.http.serve(({ from }) => ({ body: from.host }), {
        host: '127.0.0.1',
        signal,
      });
      const { port } = server.local;
      for (const host of ['127.0.0.1', 'localhost']) {
        const url = `http://${host}:${port}/`;
        const { body, remote } = await bound.http.get({ url, maxBytes: 100 }, { signal });
        expect(Buffer.from(body).toString()).toBe(OTHER);
        expect(remote).toEqual(server.local);
      }
    }));
});

describe.each(PLACES)('on $name', (place) => {
  test('what cannot leave from there is refused', () =>
    place.run(async ({ here, hereHost }) => {
      const { network, lookup } = boundTo(here, hereHost);
      await expect(network.connect({ host: '::1', port: 9 }, { signal })).rejects.toMatchObject({
        code: 'BIP_UNREACHABLE',
        message: expect.stringContaining(`cannot connect to ::1 from ${hereHost}`),
      });
      await expect(network.bindDatagrams({ host: '::', signal })).rejects.toMatchObject({
        code: 'BIP_ADDRESS',
      });
      await expect(lookup.addresses('localhost', { family: 6, signal })).rejects.toMatchObject({
        code: 'BIP_UNREACHABLE',
      });
      expect(await lookup.addresses('localhost', { signal })).toEqual(['127.0.0.1']);
    }));

  test('an address that is not ours is told of by the system', () =>
    place.run(async ({ here, thereHost }) => {
      const { network } = boundTo(here, '192.0.2.77');
      await expect(network.connect({ host: thereHost, port: 9 }, { signal })).rejects.toMatchObject(
        { code: 'BIP_ADDRESS' },
      );
    }));
});
