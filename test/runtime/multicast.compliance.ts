/** What every UDP socket must do with multicast groups. @module */

import { expect, test } from 'vitest';
import type { Endpoint } from '../../src/base/endpoint.ts';
import type { Datagrams } from '../../src/runtime/ports.ts';
import { disposalQuartet } from './disposal.ts';
import type { Place, Scene } from './place.ts';
import { pattern } from './recorder.ts';

/** For use within one organisation (RFC 2365 §6.3), and taken by nobody. */
const GROUP = '239.255.71.67';
const OTHER_GROUP = '239.255.71.68';

export function multicastCompliance(place: Place): void {
  test('all that hear a group get what is sent to it, from the address of who sent it', () =>
    place.run(async (scene) => {
      await using stack = new AsyncDisposableStack();
      const first = stack.use(await hearing(scene, 'there'));
      const second = stack.use(await hearing(scene, 'there', first.local.port));
      const own = stack.use(await hearing(scene, 'here', first.local.port));
      const sender = stack.use(await sending(scene));
      const heard = [first, second, own].map((socket) => collect(socket, 1));
      sender.send(pattern(40), first.local);
      for (const { arrived, all } of heard) {
        await arrived;
        expect(all).toEqual([{ bytes: pattern(40), from: sender.local }]);
      }
      expect(first.local.host).toBe(GROUP);
      expect(sender.local.host).toBe(scene.hereHost);
    }));

  test('nothing else arrives: other groups, other ports, what is sent to the machine', () =>
    place.run(async (scene) => {
      await using group = await hearing(scene, 'there');
      await using sender = await sending(scene);
      const { port } = group.local;
      const { all, arrived } = collect(group, 1);
      sender.send(pattern(1), { host: OTHER_GROUP, port });
      sender.send(pattern(2), { host: GROUP, port: port === 65_535 ? port - 1 : port + 1 });
      sender.send(pattern(3), { host: scene.thereHost, port });
      await scene.settle();
      sender.send(pattern(4), group.local);
      await arrived;
      expect(all.map(({ bytes }) => bytes.length)).toEqual([4]);
    }));

  test('a socket of a group sends nothing', () =>
    place.run(async (scene) => {
      await using group = await hearing(scene, 'there');
      await using sender = await sending(scene);
      await using target = await scene.there.network.bindDatagrams({
        host: scene.thereHost,
        signal: scene.signal,
      });
      const { all, arrived } = collect(target, 1);
      group.send(pattern(1), target.local);
      await scene.settle();
      sender.send(pattern(2), target.local);
      await arrived;
      expect(all.map(({ bytes }) => bytes.length)).toEqual([2]);
    }));

  test('of several interfaces one that is there is enough, and none is too few', () =>
    place.run(async (scene) => {
      const { there, thereInterface, signal } = scene;
      const bind = (interfaces: readonly string[]): Promise<Datagrams> =>
        there.network.bindDatagrams({ group: { address: GROUP, interfaces }, signal });
      await using group = await bind(['nowhere0', thereInterface]);
      await using sender = await sending(scene);
      const { arrived } = collect(group, 1);
      sender.send(pattern(5), group.local);
      await arrived;
      for (const interfaces of [['nowhere0'], []]) {
        await expect(bind(interfaces)).rejects.toMatchObject({
          name: 'NetworkError',
          code: 'BIP_ADDRESS',
          message: expect.stringContaining('this machine has no such interface'),
        });
      }
    }));

  test('sending by an interface that is not there is refused', () =>
    place.run(async ({ here, hereHost, signal }) => {
      const multicast = { interface: 'nowhere0', hops: 1 };
      const binding = here.network.bindDatagrams({ host: hereHost, multicast, signal });
      await expect(binding).rejects.toMatchObject({ code: 'BIP_ADDRESS' });
    }));

  test('a signal cancels', () =>
    place.run(async ({ here, hereInterface }) => {
      const signal = AbortSignal.abort(new Error('stopped'));
      const group = { address: GROUP, interfaces: [hereInterface] };
      await expect(here.network.bindDatagrams({ group, signal })).rejects.toThrow('stopped');
    }));

  disposalQuartet(place, 'a UDP socket of a group', async (scene) => {
    const group = await hearing(scene, 'there');
    const sender = await sending(scene);
    let received = 0;
    group.receive(() => received++);
    return {
      resource: group,
      async expectGone() {
        sender.send(pattern(5), group.local);
        await scene.settle();
        expect(received).toBe(0);
        await sender[Symbol.asyncDispose]();
      },
    };
  });
}

function hearing(scene: Scene, where: 'here' | 'there', port = 0): Promise<Datagrams> {
  const interfaces = [where === 'here' ? scene.hereInterface : scene.thereInterface];
  const group = { address: GROUP, interfaces };
  return scene[where].network.bindDatagrams({ group, port, signal: scene.signal });
}

function sending({ here, hereHost, hereInterface, signal }: Scene): Promise<Datagrams> {
  const multicast = { interface: hereInterface, hops: 1 };
  return here.network.bindDatagrams({ host: hereHost, multicast, signal });
}

interface Arrival {
  readonly bytes: Uint8Array;
  readonly from: Endpoint;
}

/** What arrives on `socket`; `arrived` settles with the datagram that makes it `count`. */
function collect(
  socket: Datagrams,
  count: number,
): { readonly all: readonly Arrival[]; readonly arrived: Promise<void> } {
  const all: Arrival[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.receive((bytes, from) => {
    all.push({ bytes: bytes.slice(), from });
    if (all.length === count) resolve();
  });
  return { all, arrived: promise };
}
