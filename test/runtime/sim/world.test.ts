import { expect, test } from 'vitest';
import type { Runtime } from '../../../src/runtime/ports.ts';
import type { World } from '../../../src/runtime/sim/index.ts';
import { makeWorld } from '../../sim/world.ts';
import { pattern, Recorder, record } from '../recorder.ts';

const { signal } = new AbortController();

/** A busy scene: datagrams with every fault, two transfers, HTTP, files. */
async function busy(world: World): Promise<void> {
  const options = { jitterMs: 8, loss: 0.02, duplicate: 0.05, reorder: 0.1, upload: 400_000 };
  const hosts = ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map((host) => world.host(host, options));
  const [a, b, c] = hosts;
  if (a === undefined || b === undefined || c === undefined) return;
  c.serveHttp(80, () => ({ body: 'ok', delayMs: 5 }));
  await world.run(
    Promise.all([chatter(a.runtime, b.address), transfer(b.runtime, c.runtime), web(a.runtime)]),
  );
  await world.runToRest();
  world.assertClosed();
}

async function chatter(runtime: Runtime, to: string): Promise<void> {
  await using socket = await runtime.network.bindDatagrams({ signal });
  for (let round = 0; round < 200; round++) {
    socket.send(runtime.random.bytes(20), { host: to, port: 9 });
    await new Promise<void>((resolve) => {
      runtime.clock.schedule(runtime.clock.now() + (runtime.random.uint32() % 20), resolve);
    });
  }
}

async function transfer(from: Runtime, to: Runtime): Promise<void> {
  await using listener = await to.network.listen(
    (stream) => {
      stream.write(pattern(300_000));
      record(stream);
    },
    { port: 6881, signal },
  );
  await using stream = await from.network.connect(listener.local, { signal });
  const seen = record(stream);
  await seen.until(() => seen.length === 300_000);
  await from.files.writeFile('/x', seen.bytes);
}

async function web(runtime: Runtime): Promise<void> {
  await runtime.http.get({ url: 'http://10.0.0.3/', maxBytes: 100 }, { signal });
}

test('one seed gives one trace, another seed another', async () => {
  const traces = [];
  for (const seed of [3, 3, 4]) {
    const world = makeWorld({ seed, keepLines: true });
    await busy(world);
    traces.push({ hash: world.trace.hash, lines: world.trace.lines, length: world.trace.length });
  }
  expect(traces[0]?.length).toBeGreaterThan(500);
  expect(traces[1]).toEqual(traces[0]);
  expect(traces[2]?.hash).not.toBe(traces[0]?.hash);
});

test('the trace sees a single changed byte', async () => {
  const hashes = [];
  for (const byte of [1, 1, 2]) {
    const world = makeWorld();
    const [a, b] = [world.host('10.0.0.1'), world.host('10.0.0.2')];
    await using socket = await a.runtime.network.bindDatagrams({ signal });
    socket.send(Uint8Array.of(9, byte), { host: b.address, port: 1 });
    await world.runToRest();
    hashes.push(world.trace.hash);
  }
  expect(hashes[1]).toBe(hashes[0]);
  expect(hashes[2]).not.toBe(hashes[0]);
});

test('nothing left to happen is a deadlock that names what is open', async () => {
  const world = makeWorld();
  const host = world.host('10.0.0.1');
  const waiting = host.runtime.network
    .bindDatagrams({ port: 5000, signal })
    .then((socket) => new Promise((resolve) => socket.receive(resolve)));
  await expect(world.run(waiting)).rejects.toThrow(/deadlock.*UDP socket 10\.0\.0\.1:5000/);
});

test('going round for ever is found out', async () => {
  const world = makeWorld({ maxEvents: 1000 });
  const { clock } = world.host('10.0.0.1').runtime;
  const again = (): void => void clock.schedule(clock.now(), again);
  again();
  await expect(world.run(new Promise(() => undefined))).rejects.toThrow(/loop/);
});

test('what a callback throws ends the run', async () => {
  const world = makeWorld();
  const { clock } = world.host('10.0.0.1').runtime;
  clock.schedule(5, () => {
    throw new RangeError('from a timer');
  });
  await expect(world.run(new Promise(() => undefined))).rejects.toThrow('from a timer');
});

test('what is not disposed is named', async () => {
  const world = makeWorld();
  const { network, files, clock } = world.host('10.0.0.1').runtime;
  await network.listen(() => undefined, { port: 6881, signal });
  await files.open('/a', 'create');
  const cancel = clock.schedule(10_000, () => undefined);
  expect(() => world.assertClosed()).toThrow(
    /TCP listener 10\.0\.0\.1:6881[^]*file \/a[^]*1 timers/,
  );
  cancel();
  expect(world.open).toHaveLength(2);
});

test('time runs to a point, or to rest, without anybody waiting', async () => {
  const world = makeWorld();
  const { clock } = world.host('10.0.0.1').runtime;
  const seen: number[] = [];
  for (const at of [10, 20, 30]) clock.schedule(at, () => seen.push(clock.now()));
  await world.runFor(20);
  expect([seen, world.now]).toEqual([[10, 20], 20]);
  await world.runFor(5);
  expect(world.now).toBe(25);
  await world.runToRest();
  expect(seen).toEqual([10, 20, 30]);
});

test('promises settle before time goes on', async () => {
  const world = makeWorld();
  const { clock } = world.host('10.0.0.1').runtime;
  const times: number[] = [];
  clock.schedule(10, () => undefined);
  clock.schedule(20, () => undefined);
  const chain = async (): Promise<void> => {
    await new Promise<void>((resolve) => {
      clock.schedule(10, resolve);
    });
    for (let turn = 0; turn < 500; turn++) await Promise.resolve();
    times.push(clock.now());
  };
  await world.run(chain());
  expect(times).toEqual([10]);
});

test('a view that is kept after its call is spoiled', async () => {
  const world = makeWorld();
  const [a, b] = [world.host('10.0.0.1'), world.host('10.0.0.2')];
  let kept: Uint8Array | undefined;
  await world.run(
    (async () => {
      await using there = await b.runtime.network.bindDatagrams({ signal });
      await using here = await a.runtime.network.bindDatagrams({ signal });
      await new Promise<void>((resolve) => {
        there.receive((bytes) => {
          kept = bytes;
          resolve();
        });
        here.send(pattern(10), there.local);
      });
    })(),
  );
  expect(kept).toEqual(new Uint8Array(10).fill(0xdd));
});

test('parsers see odd cuts', async () => {
  const world = makeWorld();
  const [a, b] = [world.host('10.0.0.1'), world.host('10.0.0.2')];
  const seen = new Recorder();
  await world.run(
    (async () => {
      await using listener = await b.runtime.network.listen(
        (stream) => {
          stream.write(pattern(1_500_000));
          record(stream);
        },
        { signal },
      );
      await using stream = await a.runtime.network.connect(listener.local, { signal });
      stream.open(seen);
      await seen.until(() => seen.length === 1_500_000);
    })(),
  );
  const sizes = seen.chunks.map(({ length }) => length);
  expect(sizes.some((size) => size <= 16)).toBe(true);
  expect(sizes.some((size) => size > 5000)).toBe(true);
  expect(Buffer.compare(seen.bytes, pattern(1_500_000))).toBe(0);
});
