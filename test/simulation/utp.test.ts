/** What uTP is for: it fills a line that is idle, and makes room for others. */

import { describe, expect, test } from 'vitest';
import type { ByteStream } from '../../src/runtime/ports.ts';
import { makeWorld } from '../sim/world.ts';
import { pour, Sink, Source, UTP_PORT, utpHost } from '../utp/pair.ts';
import { type Peer, SwarmWorld } from './swarm-world.ts';

const signal = new AbortController().signal;
/** Bytes a second of a line of 100 Mbit/s. */
const FAST = 12_500_000;
const ENDLESS = 1e9;

interface Line {
  readonly oneWayMs: number;
  readonly upload: number;
  readonly queueMs: number;
}

/** Megabytes a second of each second, of uTP and of TCP, which comes and goes. */
async function rates(
  { oneWayMs, upload, queueMs }: Line,
  {
    seconds,
    tcp,
  }: { readonly seconds: number; readonly tcp?: { readonly from: number; readonly bytes: number } },
): Promise<{ readonly utp: readonly number[]; readonly tcp: readonly number[] }> {
  const world = makeWorld();
  const from = world.host('10.0.0.1', { latencyMs: oneWayMs / 2, upload, queueMs });
  const to = world.host('10.0.0.2', { latencyMs: oneWayMs / 2 });
  const rated: { readonly utp: number[]; readonly tcp: number[] } = { utp: [], tcp: [] };
  const story = async (): Promise<void> => {
    await using sender = await utpHost(from);
    await using receiver = await utpHost(to);
    await using stack = new AsyncDisposableStack();
    const accepted = Promise.withResolvers<ByteStream>();
    receiver.onAccept = accepted.resolve;
    const call = await sender.socket.connect({ host: to.address, port: UTP_PORT }, { signal });
    pour(call, new Source(), ENDLESS);
    const sink = new Sink(await accepted.promise, new Source(), ENDLESS);
    let other: Sink | undefined;
    for (let second = 0; second < seconds; second++) {
      if (second === tcp?.from) {
        const answered = Promise.withResolvers<ByteStream>();
        stack.use(await to.runtime.network.listen(answered.resolve, { port: 9, signal }));
        const way = stack.use(
          await from.runtime.network.connect({ host: to.address, port: 9 }, { signal }),
        );
        other = new Sink(stack.use(await answered.promise), new Source(), ENDLESS);
        pour(way, new Source(), tcp.bytes);
      }
      const before = [sink.received, other?.received ?? 0] as const;
      await from.sleep(1000);
      rated.utp.push((sink.received - before[0]) / 1e6);
      rated.tcp.push(((other?.received ?? 0) - before[1]) / 1e6);
    }
    expect(sink.wrongAt).toBeUndefined();
  };
  await world.run(story());
  await world.runToRest();
  world.assertClosed();
  return rated;
}

function least(values: readonly number[]): number {
  return Math.min(...values);
}

describe('a line that is idle', () => {
  test.for([
    {
      what: '100 Mbit/s, 100 ms there and back',
      line: { oneWayMs: 50, upload: FAST, queueMs: 250 },
    },
    {
      what: '100 Mbit/s, 100 ms, a small buffer',
      line: { oneWayMs: 50, upload: FAST, queueMs: 50 },
    },
    {
      what: '100 Mbit/s, 200 ms there and back',
      line: { oneWayMs: 100, upload: FAST, queueMs: 250 },
    },
    {
      what: '10 Mbit/s, 20 ms, two seconds of buffer',
      line: { oneWayMs: 10, upload: FAST / 10, queueMs: 2000 },
    },
  ])('is filled to 90 in a hundred: $what', async ({ line }) => {
    const { utp } = await rates(line, { seconds: 9 });
    expect(least(utp.slice(5))).toBeGreaterThan((0.9 * line.upload) / 1e6);
  });
});

describe('a line that TCP uses', () => {
  test.for([
    { what: '10 Mbit/s', upload: FAST / 10 },
    { what: '40 Mbit/s', upload: FAST / 2.5 },
  ])('is left to it, and taken again afterwards: $what', async ({ upload }) => {
    const line = { oneWayMs: 20, upload, queueMs: 500 };
    const bytes = 10 * upload;
    const seen = await rates(line, { seconds: 24, tcp: { from: 5, bytes } });
    const whole = upload / 1e6;
    expect(least(seen.utp.slice(2, 5))).toBeGreaterThan(0.9 * whole);
    // While both are there, TCP has nearly all of it.
    expect(least(seen.tcp.slice(9, 14))).toBeGreaterThan(0.85 * whole);
    expect(Math.max(...seen.utp.slice(9, 14))).toBeLessThan(0.1 * whole);
    expect(seen.tcp.at(-1)).toBe(0);
    expect(seen.utp.at(-1)).toBeGreaterThan(0.6 * whole);
  });
});

describe('a queue of ten seconds', () => {
  test('is kept nearly empty: a packet of somebody else hardly waits', async () => {
    const world = makeWorld();
    const from = world.host('10.0.0.1', { upload: 50_000, queueMs: 10_000 });
    const to = world.host('10.0.0.2');
    await world.run(
      (async () => {
        await using sender = await utpHost(from);
        await using receiver = await utpHost(to);
        const accepted = Promise.withResolvers<ByteStream>();
        receiver.onAccept = accepted.resolve;
        const call = await sender.socket.connect({ host: to.address, port: UTP_PORT }, { signal });
        pour(call, new Source(), ENDLESS);
        const sink = new Sink(await accepted.promise, new Source(), ENDLESS);
        await from.sleep(15_000);
        const waits: number[] = [];
        for (let probe = 0; probe < 20; probe++) {
          await from.sleep(500);
          waits.push(from.up.backlog(world.now));
        }
        expect(Math.max(...waits)).toBeLessThan(200);
        expect(sink.received / 25).toBeGreaterThan(0.85 * 50_000);
      })(),
    );
  });
});

/** Who met whom, and by what. */
function meetings(peer: Peer): readonly string[] {
  return peer.events.flatMap((event) =>
    event.type === 'note' && /^(?:connected to|called by)/.test(event.message)
      ? [event.message]
      : [],
  );
}

const LINE = { latencyMs: 20, upload: 500_000, download: 2_000_000 };

describe('sessions', () => {
  test.for([
    { transport: 'utp', over: / over uTP,/ },
    { transport: 'tcp', over: /-, with an encrypted/ },
    { transport: 'both', over: /-, with an encrypted/ },
  ] as const)('with $transport: every byte', async ({ transport, over }) => {
    const swarm = new SwarmWorld();
    swarm.session = { transport };
    await swarm.world.run(
      (async () => {
        const seed = await swarm.seed(LINE);
        const leecher = await swarm.start(swarm.host(LINE), { peers: [seed.endpoint] });
        await leecher.torrent.completed;
        expect(await swarm.digests(leecher.host)).toEqual(swarm.expected);
        for (const peer of [seed, leecher]) {
          expect(meetings(peer)).toEqual([expect.stringMatching(over)]);
        }
        await leecher[Symbol.asyncDispose]();
        await seed[Symbol.asyncDispose]();
        swarm.world.assertClosed();
      })(),
    );
  });

  test('whoever speaks only uTP is reached by those who try both', async () => {
    const swarm = new SwarmWorld();
    await swarm.world.run(
      (async () => {
        swarm.session = { transport: 'utp' };
        const seed = await swarm.seed({ ...LINE, loss: 0.01 });
        swarm.session = { transport: 'both' };
        const leecher = await swarm.start(swarm.host(LINE), { peers: [seed.endpoint] });
        await leecher.torrent.completed;
        expect(await swarm.digests(leecher.host)).toEqual(swarm.expected);
        expect(meetings(leecher)).toEqual([expect.stringMatching(/ over uTP,/)]);
        await leecher[Symbol.asyncDispose]();
        await seed[Symbol.asyncDispose]();
        swarm.world.assertClosed();
      })(),
    );
  });

  test('two seeds at once, one of them by TCP, and a peer that comes by uTP', async () => {
    const swarm = new SwarmWorld();
    await swarm.world.run(
      (async () => {
        swarm.session = { transport: 'utp' };
        const one = await swarm.seed(LINE);
        swarm.session = { transport: 'tcp' };
        const other = await swarm.seed(LINE);
        swarm.session = { transport: 'both' };
        const leecher = await swarm.start(swarm.host(LINE), {
          peers: [one.endpoint, other.endpoint],
        });
        await leecher.torrent.completed;
        expect(await swarm.digests(leecher.host)).toEqual(swarm.expected);
        expect(meetings(leecher)).toHaveLength(2);
        for (const seed of [one, other]) expect(seed.torrent.stats().uploaded).toBeGreaterThan(0);
        for (const peer of [leecher, one, other]) await peer[Symbol.asyncDispose]();
        swarm.world.assertClosed();
      })(),
    );
  });
});
