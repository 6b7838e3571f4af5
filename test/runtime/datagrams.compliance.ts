/** What every UDP socket must do. @module */

import { expect, test } from 'vitest';
import type { Endpoint } from '../../src/base/endpoint.ts';
import type { Datagrams } from '../../src/runtime/ports.ts';
import { disposalQuartet } from './disposal.ts';
import type { Place, Scene } from './place.ts';
import { pattern } from './recorder.ts';

interface Arrival {
  readonly bytes: Uint8Array;
  readonly from: Endpoint;
}

export function datagramsCompliance(place: Place): void {
  test('datagrams arrive whole, with the endpoint to answer to', () =>
    place.run(async (scene) => {
      await using pair = await bound(scene);
      const { here, there } = pair;
      there.receive((bytes, from) => there.send(bytes, from));
      for (const size of [0, 1, 500, 1400]) {
        const answer = next(here);
        here.send(pattern(size, size), there.local);
        expect(await answer).toEqual({ bytes: pattern(size, size), from: there.local });
      }
    }));

  test('a socket on all addresses hears IPv4 and is written from by IPv4', () =>
    place.run(async (scene) => {
      await using there = await scene.there.network.bindDatagrams({ signal: scene.signal });
      await using here = await scene.here.network.bindDatagrams({
        ...(place.name === 'node' ? { host: '127.0.0.1' } : {}),
        signal: scene.signal,
      });
      there.receive((bytes, from) => {
        expect(from).toEqual(here.local);
        there.send(bytes, from);
      });
      const answer = next(here);
      here.send(pattern(7), { host: scene.thereHost, port: there.local.port });
      const { from } = await answer;
      expect(from).toEqual({ host: scene.thereHost, port: there.local.port });
    }));

  test('what is sent may be changed at once', () =>
    place.run(async (scene) => {
      await using pair = await bound(scene);
      const arrival = next(pair.there);
      const bytes = pattern(100);
      pair.here.send(bytes, pair.there.local);
      bytes.fill(0);
      expect((await arrival).bytes).toEqual(pattern(100));
    }));

  test('what cannot be sent is lost without a word', () =>
    place.run(async (scene) => {
      await using pair = await bound(scene);
      const { here, there } = pair;
      const arrival = next(there);
      here.send(pattern(70_000), there.local);
      here.send(pattern(9), { host: scene.thereHost, port: 0 });
      here.send(pattern(9), { host: 'tracker.example', port: 80 });
      here.send(pattern(9), { host: '2001:db8::1', port: 80 });
      await scene.settle();
      here.send(pattern(10), there.local);
      expect((await arrival).bytes.length).toBe(10);
    }));

  test('the last receiver set is the only one', () =>
    place.run(async (scene) => {
      await using pair = await bound(scene);
      const lengths: number[] = [];
      pair.there.receive(() => lengths.push(-1));
      const arrival = next(pair.there);
      pair.here.send(pattern(3), pair.there.local);
      expect((await arrival).bytes.length).toBe(3);
      expect(lengths).toEqual([]);
    }));

  test('two sockets cannot share a port', () =>
    place.run(async (scene) => {
      await using pair = await bound(scene);
      const { host, port } = pair.there.local;
      const second = scene.there.network.bindDatagrams({ host, port, signal: scene.signal });
      await expect(second).rejects.toMatchObject({
        name: 'NetworkError',
        code: 'BIP_PORT_IN_USE',
        message: `cannot bind UDP ${host}:${port}: somebody else listens there`,
      });
    }));

  test('a signal cancels', () =>
    place.run(async (scene) => {
      const signal = AbortSignal.abort(new Error('stopped'));
      await expect(scene.here.network.bindDatagrams({ signal })).rejects.toThrow('stopped');
    }));

  disposalQuartet(place, 'a UDP socket', async (scene) => {
    const { here, there } = await bound(scene);
    let received = 0;
    here.receive(() => received++);
    return {
      resource: here,
      async expectGone() {
        there.send(pattern(5), here.local);
        here.send(pattern(5), there.local);
        await scene.settle();
        expect(received).toBe(0);
        const { host, port } = here.local;
        // The port is free again.
        const again = await scene.here.network.bindDatagrams({ host, port, signal: scene.signal });
        await again[Symbol.asyncDispose]();
        await there[Symbol.asyncDispose]();
      },
    };
  });
}

interface Pair extends AsyncDisposable {
  readonly here: Datagrams;
  readonly there: Datagrams;
}

async function bound(scene: Scene): Promise<Pair> {
  const { signal, thereHost } = scene;
  const there = await scene.there.network.bindDatagrams({ host: thereHost, signal });
  const here = await scene.here.network.bindDatagrams({ host: scene.hereHost, signal });
  return {
    here,
    there,
    async [Symbol.asyncDispose]() {
      await here[Symbol.asyncDispose]();
      await there[Symbol.asyncDispose]();
    },
  };
}

/** What arrives next on `socket`. */
function next(socket: Datagrams): Promise<Arrival> {
  return new Promise((resolve) => {
    socket.receive((bytes, from) => resolve({ bytes: bytes.slice(), from }));
  });
}
