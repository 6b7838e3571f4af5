import { expect, test } from 'vitest';
import type { Endpoint } from '../../../src/base/endpoint.ts';
import type { ByteStream, Datagrams } from '../../../src/runtime/ports.ts';
import type { SimHost } from '../../../src/runtime/sim/index.ts';
import { makeWorld } from '../../sim/world.ts';
import { pattern, type Recorder, record } from '../recorder.ts';

const { signal } = new AbortController();
const SILENCE = 120_000;

test('a packet takes the latency of both ends, a connection three of them', async () => {
  const world = makeWorld();
  const a = world.host('10.0.0.1', { latencyMs: 30 });
  const b = world.host('10.0.0.2', { latencyMs: 20 });
  const [here, there] = await bound(a, b);
  there.receive(() => expect(world.now).toBe(50));
  here.send(pattern(10), there.local);
  await world.runToRest();
  expect(world.now).toBe(50);
  await world.run(connection(a, b));
  expect(world.now).toBe(50 + 150);
});

test('a path may differ from what its ends are', async () => {
  const world = makeWorld();
  const [a, b] = [world.host('10.0.0.1'), world.host('10.0.0.2')];
  world.path(a, b, { latencyMs: 500 });
  await world.run(connection(a, b));
  expect(world.now).toBe(1500);
});

test('the upload of a host is shared among its connections, evenly', async () => {
  const world = makeWorld();
  const seeder = world.host('10.0.0.1', { upload: 1_000_000 });
  const leeches = [2, 3, 4, 5].map((last) => world.host(`10.0.0.${last}`));
  const seen = await world.run(Promise.all(leeches.map((leech) => sending(seeder, leech))));
  const from = world.now;
  await world.runFor(20_000);
  const rates = seen.map(({ length }) => length / ((world.now - from) / 1000));
  for (const rate of rates) expect(Math.abs(rate - 250_000)).toBeLessThan(25_000);
  const total = rates.reduce((before, rate) => before + rate, 0);
  // The rest is headers.
  expect(total).toBeGreaterThan(930_000);
  expect(total).toBeLessThan(1_000_000);
});

test('the download of a host limits the sum of its senders', async () => {
  const world = makeWorld();
  const leech = world.host('10.0.0.1', { download: 500_000 });
  const seeders = [2, 3, 4].map((last) => world.host(`10.0.0.${last}`, { upload: 400_000 }));
  const seen = await world.run(Promise.all(seeders.map((seeder) => sending(seeder, leech))));
  const before = sum(seen);
  await world.runFor(20_000);
  const rate = (sum(seen) - before) / 20;
  expect(rate).toBeGreaterThan(400_000);
  expect(rate).toBeLessThan(500_000);
  for (const { length } of seen) expect(length).toBeGreaterThan(1_000_000);
});

test('loss costs TCP time, never bytes', async () => {
  const times: number[] = [];
  for (const loss of [0, 0.01, 0.05]) {
    const world = makeWorld();
    const a = world.host('10.0.0.1', { loss });
    const b = world.host('10.0.0.2', { upload: 5_000_000 });
    const seen = await world.run(sending(b, a, 4_000_000));
    await world.run(seen.until(() => seen.length === 4_000_000));
    expect(Buffer.compare(seen.bytes, pattern(4_000_000))).toBe(0);
    times.push(world.now);
  }
  expect(times[1]).toBeGreaterThan(2 * (times[0] ?? 0));
  expect(times[2]).toBeGreaterThan(1.5 * (times[1] ?? 0));
});

test('datagrams are lost, doubled and overtaken as often as asked', async () => {
  const world = makeWorld({ seed: 5 });
  const a = world.host('10.0.0.1', { loss: 0.2, duplicate: 0.1, reorder: 0.3 });
  const [here, there] = await bound(a, world.host('10.0.0.2'));
  const order: number[] = [];
  there.receive(([high = 0, low = 0]) => order.push(256 * high + low));
  for (let at = 0; at < 5000; at++) {
    world.timeline.after(at, () => here.send(Uint8Array.of(at >> 8, at & 255), there.local));
  }
  await world.runToRest();
  const distinct = new Set(order).size;
  expect(Math.abs(distinct - 4000)).toBeLessThan(150);
  expect(Math.abs(order.length - distinct - 400)).toBeLessThan(100);
  const overtaken = order.filter((number, at) => number < (order[at - 1] ?? 0)).length;
  expect(overtaken).toBeGreaterThan(500);
});

test('a datagram over the MTU of the path does not arrive, one within does', async () => {
  const world = makeWorld();
  const [here, there] = await bound(world.host('10.0.0.1'), world.host('10.0.0.2', { mtu: 1400 }));
  const sizes: number[] = [];
  there.receive(({ length }) => sizes.push(length));
  for (const size of [1372, 1373]) here.send(pattern(size), there.local);
  await world.runToRest();
  expect(sizes).toEqual([1372]);
});

test('datagrams queue in front of a slow line, and are lost when the queue is full', async () => {
  const world = makeWorld();
  const slow = world.host('10.0.0.1', { upload: 100_000, queueMs: 200 });
  const [here, there] = await bound(slow, world.host('10.0.0.2'));
  const times: number[] = [];
  there.receive(() => times.push(world.now));
  // 1000 bytes with headers: 10 ms each.
  for (let at = 0; at < 50; at++) here.send(pattern(972), there.local);
  await world.runToRest();
  expect(times).toHaveLength(21);
  expect(times[0]).toBeCloseTo(30);
  expect(times[1]).toBeCloseTo(40);
});

test('a cut network breaks connections after a while, and a short cut does not', async () => {
  const world = makeWorld();
  const [a, b] = [world.host('10.0.0.1'), world.host('10.0.0.2')];
  const { client, server } = await world.run(connection(a, b));
  const [ours, theirs] = [record(client), record(server)];
  const heal = world.partition([a], [b]);
  client.write(pattern(5000));
  await world.runFor(5000);
  expect(theirs.length).toBe(0);
  heal();
  await world.run(theirs.until(() => theirs.length === 5000));
  world.partition([a], [b]);
  const from = world.now;
  client.write(pattern(5000));
  await world.run(ours.until(() => ours.ends.length === 1));
  expect(ours.ends[0]).toMatchObject({ code: 'BIP_NETWORK_TIMEOUT' });
  expect(world.now - from).toBeGreaterThanOrEqual(SILENCE);
  // Who sends nothing does not notice.
  expect(theirs.ends).toEqual([]);
});

test('connecting into the void takes its time; to nowhere fails at once', async () => {
  const world = makeWorld();
  const [a, b] = [world.host('10.0.0.1'), world.host('10.0.0.2')];
  const heal = world.partition([a], [b]);
  const { network } = a.runtime;
  const to = { host: b.address, port: 80 };
  await expect(world.run(network.connect(to, { signal }))).rejects.toMatchObject({
    code: 'BIP_NETWORK_TIMEOUT',
  });
  expect(world.now).toBeGreaterThanOrEqual(127_000);
  heal();
  const nowhere = network.connect({ host: '10.9.9.9', port: 80 }, { signal });
  await expect(world.run(nowhere)).rejects.toMatchObject({ code: 'BIP_UNREACHABLE' });
});

test('a lost question for a connection is repeated', async () => {
  const world = makeWorld();
  const [a, b] = [world.host('10.0.0.1'), world.host('10.0.0.2')];
  const heal = world.partition([a], [b]);
  world.timeline.after(500, heal);
  await world.run(connection(a, b));
  expect(world.now).toBe(1000 + 60);
});

test('reset connections break at both ends', async () => {
  const world = makeWorld();
  const [a, b] = [world.host('10.0.0.1'), world.host('10.0.0.2')];
  const { client, server } = await world.run(connection(a, b));
  const ends = [record(client), record(server)];
  a.resetConnections();
  await world.runToRest();
  for (const seen of ends) expect(seen.ends).toMatchObject([{ code: 'BIP_RESET' }]);
});

test('a crash kills all that ran, and its peers find out', async () => {
  const world = makeWorld();
  const [a, b] = [world.host('10.0.0.1'), world.host('10.0.0.2')];
  const { client, server, listener } = await world.run(connection(a, b));
  const [ours, theirs] = [record(client), record(server)];
  let woken = false;
  const old = b.runtime;
  old.clock.schedule(world.now + 100, () => {
    woken = true;
  });
  b.crash();
  old.clock.schedule(world.now + 50, () => {
    woken = true;
  });
  await world.runFor(1000);
  expect([woken, ours.ends.length, theirs.ends.length]).toEqual([false, 0, 0]);
  client.write(pattern(10));
  await world.run(ours.until(() => ours.ends.length === 1));
  expect(ours.ends[0]).toMatchObject({ code: 'BIP_RESET' });
  expect(b.runtime).not.toBe(old);
  await expect(world.run(a.runtime.network.connect(listener, { signal }))).rejects.toMatchObject({
    code: 'BIP_REFUSED',
  });
  world.assertClosed();
});

test('behind a NAT one connects out and is not connected to', async () => {
  const world = makeWorld({ tcp: { connectMs: 3000 } });
  const hidden = world.host('10.0.0.1', { nat: 'cone' });
  const open = world.host('10.0.0.2');
  await world.run(connection(hidden, open));
  await expect(world.run(connection(open, hidden))).rejects.toMatchObject({
    code: 'BIP_NETWORK_TIMEOUT',
  });
});

test('a NAT lets in answers, and for a while only', async () => {
  const world = makeWorld();
  const [here, there] = await bound(
    world.host('10.0.0.1', { nat: 'cone' }),
    world.host('10.0.0.2'),
  );
  let received = 0;
  here.receive(() => received++);
  there.send(pattern(1), here.local);
  await world.runToRest();
  expect(received).toBe(0);
  here.send(pattern(1), there.local);
  await world.runToRest();
  there.send(pattern(1), here.local);
  await world.runToRest();
  expect(received).toBe(1);
  await world.runFor(150_000);
  there.send(pattern(1), here.local);
  await world.runToRest();
  expect(received).toBe(1);
});

test.each([
  { nat: 'cone', punched: true },
  { nat: 'symmetric', punched: false },
] as const)(
  'two hosts behind $nat NATs can meet by a third: $punched',
  async ({ nat, punched }) => {
    const world = makeWorld();
    const [a, b] = await bound(world.host('10.0.0.1', { nat }), world.host('10.0.0.2', { nat }));
    const relay = await world.host('10.0.0.3').runtime.network.bindDatagrams({ port: 1, signal });
    const seen: Endpoint[] = [];
    relay.receive((_, from) => seen.push(from));
    a.send(pattern(1), relay.local);
    await world.runToRest();
    b.send(pattern(1), relay.local);
    await world.runToRest();
    const [first, second] = seen;
    if (first === undefined || second === undefined) throw new Error('the relay heard nobody');
    let met = 0;
    a.receive(() => met++);
    b.receive(() => met++);
    for (let round = 0; round < 3; round++) {
      a.send(pattern(1), second);
      b.send(pattern(1), first);
      await world.runToRest();
    }
    expect(met > 0).toBe(punched);
  },
);

async function bound(a: SimHost, b: SimHost): Promise<[Datagrams, Datagrams]> {
  const options = { port: 6881, signal };
  return [
    await a.runtime.network.bindDatagrams(options),
    await b.runtime.network.bindDatagrams(options),
  ];
}

interface Pair {
  readonly client: ByteStream;
  readonly server: ByteStream;
  readonly listener: Endpoint;
}

async function connection(from: SimHost, to: SimHost): Promise<Pair> {
  const accepted = Promise.withResolvers<ByteStream>();
  const listener = await to.runtime.network.listen(accepted.resolve, { signal });
  try {
    const client = await from.runtime.network.connect(listener.local, { signal });
    return { client, server: await accepted.promise, listener: listener.local };
  } finally {
    await listener[Symbol.asyncDispose]();
  }
}

/** `from` sends to `to` as much as goes, or `total` bytes; what `to` has got. */
async function sending(from: SimHost, to: SimHost, total = 100_000_000): Promise<Recorder> {
  const { client, server } = await connection(to, from);
  record(server);
  server.write(pattern(total));
  return record(client);
}

function sum(seen: readonly Recorder[]): number {
  return seen.reduce((before, { length }) => before + length, 0);
}
