/** Who is on the list is not called, not let in, and not heard. */

import { expect, test } from 'vitest';
import { encodeUtf8 } from '../../src/base/bytes.ts';
import { type IpRanges, IpRangesBuilder } from '../../src/base/ip-ranges.ts';
import { Gate, parseBlocklist } from '../../src/blocklist/index.ts';
import type { ByteStream, StreamHandler } from '../../src/runtime/ports.ts';
import type { SimHost, World } from '../../src/runtime/sim/index.ts';
import { makeWorld } from '../sim/world.ts';

const { signal } = new AbortController();
const PORT = 6881;

function listOf(text: string): IpRanges {
  const builder = new IpRangesBuilder();
  parseBlocklist(encodeUtf8(text), builder);
  return builder.build();
}

interface Scene {
  readonly world: World;
  readonly gate: Gate;
  readonly here: SimHost;
  readonly good: SimHost;
  readonly bad: SimHost;
}

async function scene(story: (scene: Scene) => Promise<void>): Promise<void> {
  const world = makeWorld();
  const [here, good, bad] = [1, 2, 3].map((at) => world.host(`10.0.0.${at}`));
  if (here === undefined || good === undefined || bad === undefined) throw new Error('no host');
  const gate = new Gate(here.runtime.network, listOf('10.0.0.3'));
  await world.run(story({ world, gate, here, good, bad }));
  await world.runFor(1000);
  world.assertClosed();
}

function handlerOf(events: string[], name: string): StreamHandler {
  return {
    data: (bytes) => events.push(`${name} ${bytes.length}`),
    drain: () => undefined,
    closed: (error) => events.push(`${name} closed: ${error?.message ?? ''}`),
  };
}

async function echo(host: SimHost): Promise<AsyncDisposable> {
  return await host.runtime.network.listen(
    (stream) =>
      stream.open({
        data: (bytes) => stream.write(bytes.slice()),
        drain: () => undefined,
        closed: () => void stream[Symbol.asyncDispose](),
      }),
    { port: PORT, signal },
  );
}

test('a call to a blocked address is not made, one to another is', () =>
  scene(async ({ gate, here, good, bad }) => {
    await using stack = new AsyncDisposableStack();
    for (const host of [good, bad]) stack.use(await echo(host));
    const blocked = gate.network.connect({ host: bad.address, port: PORT }, { signal });
    await expect(blocked).rejects.toMatchObject({
      code: 'BIP_BLOCKED',
      message: '10.0.0.3:6881 is on the blocklist',
    });
    const events: string[] = [];
    await using stream = await gate.network.connect({ host: good.address, port: PORT }, { signal });
    stream.open(handlerOf(events, 'good'));
    stream.write(new Uint8Array(5));
    await pause(here, 1000);
    expect(events).toEqual(['good 5']);
    expect(gate.counts).toEqual({ outgoing: 1, incoming: 0, packets: 0 });
  }));

test('a call from a blocked address is hung up at once, one from another is taken', () =>
  scene(async ({ gate, here, good, bad }) => {
    const taken: ByteStream[] = [];
    const listener = await gate.network.listen((stream) => taken.push(stream), {
      port: PORT,
      signal,
    });
    const events: string[] = [];
    const callers: ByteStream[] = [];
    for (const [name, host] of Object.entries({ good, bad })) {
      const to = { host: here.address, port: PORT };
      const stream = await host.runtime.network.connect(to, { signal });
      stream.open(handlerOf(events, name));
      callers.push(stream);
    }
    await pause(here, 1000);
    expect(taken.map(({ remote }) => remote.host)).toEqual([good.address]);
    expect(events).toHaveLength(1);
    expect(events[0]).toMatch(/^bad closed/);
    expect(gate.counts).toEqual({ outgoing: 0, incoming: 1, packets: 0 });
    for (const one of [...callers, ...taken, listener]) await one[Symbol.asyncDispose]();
  }));

test('packets to and from blocked addresses are dropped', () =>
  scene(async ({ gate, here, good, bad }) => {
    const heard: string[] = [];
    await using socket = await gate.network.bindDatagrams({ port: PORT, signal });
    socket.receive((_, from) => heard.push(from.host));
    const seen: string[] = [];
    const others = [];
    for (const host of [good, bad]) {
      const other = await host.runtime.network.bindDatagrams({ port: PORT, signal });
      other.receive(() => seen.push(host.address));
      other.send(new Uint8Array(3), { host: here.address, port: PORT });
      socket.send(new Uint8Array(3), { host: host.address, port: PORT });
      others.push(other);
    }
    await pause(here, 1000);
    expect({ heard, seen }).toEqual({ heard: [good.address], seen: [good.address] });
    expect(gate.counts).toEqual({ outgoing: 0, incoming: 0, packets: 2 });
    for (const other of others) await other[Symbol.asyncDispose]();
  }));

test('a new list breaks off connections to who is on it, and lets in who is not', () =>
  scene(async ({ gate, here, good, bad }) => {
    await using stack = new AsyncDisposableStack();
    for (const host of [good, bad]) stack.use(await echo(host));
    const events: string[] = [];
    const stream = await gate.network.connect({ host: good.address, port: PORT }, { signal });
    stream.open(handlerOf(events, 'good'));
    const unopened = await gate.network.connect({ host: good.address, port: PORT }, { signal });
    const ended = await gate.network.connect({ host: good.address, port: PORT }, { signal });
    await ended[Symbol.asyncDispose]();
    expect(gate.replace(listOf('10.0.0.2'))).toBe(2);
    unopened.open(handlerOf(events, 'unopened'));
    expect(events).toEqual([
      'good closed: 10.0.0.2:6881 is on the blocklist',
      'unopened closed: 10.0.0.2:6881 is on the blocklist',
    ]);
    await using other = await gate.network.connect({ host: bad.address, port: PORT }, { signal });
    expect(other.remote.host).toBe(bad.address);
    for (const one of [stream, unopened]) await one[Symbol.asyncDispose]();
    expect(gate.replace(listOf(''))).toBe(0);
    await pause(here, 1000);
  }));

test('a call that is under way when its address is blocked does not come through', () =>
  scene(async ({ gate, good }) => {
    const listener = await echo(good);
    const call = gate.network.connect({ host: good.address, port: PORT }, { signal });
    gate.replace(listOf('10.0.0.2'));
    await expect(call).rejects.toMatchObject({ code: 'BIP_BLOCKED' });
    await listener[Symbol.asyncDispose]();
  }));

function pause({ runtime: { clock } }: SimHost, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.schedule(clock.now() + ms, resolve);
  });
}
