/** Strangers who flood, guess, lie and fall silent. */

import { describe, expect, test } from 'vitest';
import type { ByteStream, Datagrams } from '../../src/runtime/ports.ts';
import type { SimHost, World } from '../../src/runtime/sim/index.ts';
import {
  encodeHeader,
  HEADER_LENGTH,
  PACKET,
  type PacketHeader,
  PacketReader,
} from '../../src/utp/codec.ts';
import { makeWorld } from '../sim/world.ts';
import { pour, Sink, Source, UTP_PORT, type UtpHost, utpHost } from './pair.ts';

const signal = new AbortController().signal;

/** A socket that sends what uTP would not, and keeps what it gets. */
interface Stranger extends AsyncDisposable {
  readonly host: SimHost;
  readonly got: PacketHeader[];
  /** Bytes that came. */
  bytes: number;
  send(header: Partial<PacketHeader>, payload?: Uint8Array): void;
}

async function stranger(host: SimHost, victim: SimHost): Promise<Stranger> {
  const datagrams: Datagrams = await host.runtime.network.bindDatagrams({ port: UTP_PORT, signal });
  const made: Stranger = {
    host,
    got: [],
    bytes: 0,
    send(header, payload = new Uint8Array(0)) {
      const packet = new Uint8Array(HEADER_LENGTH + payload.length);
      encodeHeader(packet, { ...NOTHING, ...header });
      packet.set(payload, HEADER_LENGTH);
      datagrams.send(packet, { host: victim.address, port: UTP_PORT });
    },
    [Symbol.asyncDispose]: () => datagrams[Symbol.asyncDispose](),
  };
  datagrams.receive((bytes) => {
    const reader = new PacketReader();
    reader.read(bytes);
    made.got.push(headerOf(reader));
    made.bytes += bytes.length;
  });
  return made;
}

function headerOf(reader: PacketReader): PacketHeader {
  const { type, connectionId, timestamp, timestampDifference, window, sequence, ack } = reader;
  return { type, connectionId, timestamp, timestampDifference, window, sequence, ack };
}

const NOTHING: PacketHeader = {
  type: PACKET.data,
  connectionId: 0,
  timestamp: 1,
  timestampDifference: 0,
  window: 1_000_000,
  sequence: 1,
  ack: 0,
};

async function story(
  run: (scene: { world: World; victim: UtpHost; other: Stranger }) => Promise<void>,
): Promise<void> {
  const world = makeWorld();
  const host = world.host('10.0.0.1');
  const far = world.host('10.0.0.9');
  await world.run(
    (async () => {
      await using victim = await utpHost(host);
      await using other = await stranger(far, host);
      await run({ world, victim, other });
    })(),
  );
  await world.runToRest();
  world.assertClosed();
}

/** A connection by hand: what the victim answered. */
async function connectByHand(other: Stranger, connectionId: number): Promise<PacketHeader> {
  other.send({ type: PACKET.syn, connectionId, sequence: 1 });
  await other.host.sleep(100);
  const answer = other.got.at(-1);
  if (answer === undefined) throw new Error('no answer');
  return answer;
}

describe('calls', () => {
  test('a flood of them costs a bounded number of entries, and no connection', () =>
    story(async ({ victim, other }) => {
      for (let id = 0; id < 20_000; id++) other.send({ type: PACKET.syn, connectionId: id });
      await other.host.sleep(1000);
      expect(victim.socket.halfOpen).toBeLessThanOrEqual(1024);
      expect(victim.socket.connections).toBe(0);
      expect(victim.accepted).toHaveLength(0);
      // No answer is longer than its call.
      expect(other.bytes).toBeLessThanOrEqual(20_000 * HEADER_LENGTH);
    }));

  test('who calls without hearing the answer gets no connection', () =>
    story(async ({ victim, other }) => {
      const answer = await connectByHand(other, 100);
      expect(answer).toMatchObject({ type: PACKET.state, connectionId: 100, ack: 1 });
      const wrong = (answer.sequence + 1000) & 0xffff;
      other.send({ connectionId: 101, sequence: 2, ack: wrong }, new Uint8Array(10));
      await other.host.sleep(100);
      expect(victim.accepted).toHaveLength(0);
      expect(other.got.at(-1)?.type).toBe(PACKET.reset);
    }));

  test('a call that is repeated gets the same answer', () =>
    story(async ({ victim, other }) => {
      const one = await connectByHand(other, 100);
      const two = await connectByHand(other, 100);
      expect(two.sequence).toBe(one.sequence);
      const ack = (one.sequence - 1) & 0xffff;
      other.send({ connectionId: 101, sequence: 2, ack }, new Uint8Array(10));
      await other.host.sleep(100);
      expect(victim.accepted).toHaveLength(1);
      other.send({ type: PACKET.reset, connectionId: 101, ack });
      await other.host.sleep(100);
      expect(victim.socket.connections).toBe(0);
    }));
});

describe('packets of no connection', () => {
  test('are answered by resets, a bounded number a second', () =>
    story(async ({ other }) => {
      for (let id = 0; id < 1000; id++) other.send({ connectionId: id }, new Uint8Array(500));
      await other.host.sleep(1000);
      expect(other.got.every(({ type }) => type === PACKET.reset)).toBe(true);
      expect(other.got.length).toBeGreaterThan(0);
      expect(other.got.length).toBeLessThanOrEqual(60);
    }));

  test('resets are not answered', () =>
    story(async ({ other }) => {
      other.send({ type: PACKET.reset, connectionId: 7 });
      await other.host.sleep(1000);
      expect(other.got).toEqual([]);
    }));
});

describe('a connection', () => {
  /** The victim sends, and the stranger has answered nothing but the call. */
  async function open(
    victim: UtpHost,
    other: Stranger,
  ): Promise<{ ack: number; stream: ByteStream }> {
    const answer = await connectByHand(other, 100);
    const ack = (answer.sequence - 1) & 0xffff;
    other.send({ connectionId: 101, sequence: 2, ack, type: PACKET.state });
    await other.host.sleep(100);
    const stream = victim.accepted[0];
    if (stream === undefined) throw new Error('nothing was accepted');
    return { ack, stream };
  }

  test('is not broken by who acknowledges what was never sent', () =>
    story(async ({ victim, other }) => {
      const { ack, stream } = await open(victim, other);
      const sink = new Sink(stream, new Source(), 10);
      for (const type of [PACKET.state, PACKET.data, PACKET.fin, PACKET.reset]) {
        other.send({ type, connectionId: 101, sequence: 2, ack: (ack + 500) & 0xffff });
      }
      await other.host.sleep(100);
      expect([sink.received, sink.ended]).toEqual([0, undefined]);
      await stream[Symbol.asyncDispose]();
    }));

  test('to somebody who falls silent ends after half a minute', () =>
    story(async ({ world, victim, other }) => {
      const { stream } = await open(victim, other);
      pour(stream, new Source(), 100_000);
      const sinkless = victim.socket;
      const before = world.now;
      while (sinkless.connections > 0 && world.now - before < 120_000) await other.host.sleep(500);
      expect(world.now - before).toBeGreaterThan(20_000);
      expect(world.now - before).toBeLessThan(60_000);
    }));

  test('with holes that are never filled holds a bounded number of bytes', () =>
    story(async ({ victim, other }) => {
      const { ack, stream } = await open(victim, other);
      const sink = new Sink(stream, new Source(), 1);
      const payload = new Uint8Array(1400);
      // Packet 2 never comes.
      for (let sequence = 3; sequence < 9000; sequence++) {
        other.send({ connectionId: 101, sequence, ack }, payload);
        if (sequence % 50 === 0) await other.host.sleep(1);
      }
      await other.host.sleep(100);
      expect(sink.received).toBe(0);
      expect(victim.socket.pool.lent).toBeLessThan(8 * 1024 * 1024);
      expect(other.got.at(-1)?.window).toBe(0);
      await stream[Symbol.asyncDispose]();
    }));

  test('without a window is asked now and then, and goes on when there is one', () =>
    story(async ({ victim, other }) => {
      const { ack, stream } = await open(victim, other);
      other.send({ type: PACKET.state, connectionId: 101, sequence: 2, ack, window: 0 });
      await other.host.sleep(100);
      const before = other.got.length;
      stream.open({ data: () => undefined, drain: () => undefined, closed: () => undefined });
      stream.write(new Uint8Array(5000));
      for (let second = 0; second < 40; second++) {
        await other.host.sleep(1000);
        const last = other.got.at(-1);
        if (last?.type !== PACKET.data) continue;
        other.send({ type: PACKET.state, connectionId: 101, sequence: 2, ack, window: 0 });
      }
      const asked = other.got.slice(before).filter(({ type }) => type === PACKET.data);
      expect(asked.length).toBeGreaterThan(2);
      expect(asked.length).toBeLessThan(60);
      expect(new Set(asked.map(({ sequence }) => sequence)).size).toBe(1);
      other.send({ type: PACKET.state, connectionId: 101, sequence: 2, ack: (ack + 1) & 0xffff });
      await other.host.sleep(1000);
      const numbers = new Set(
        other.got.filter(({ type }) => type === PACKET.data).map(({ sequence }) => sequence),
      );
      expect(numbers.size).toBeGreaterThan(1);
      await stream[Symbol.asyncDispose]();
    }));
});

test('arbitrary packets to a socket with a connection do no harm', () =>
  story(async ({ world, victim, other }) => {
    const friend = await utpHost(world.host('10.0.0.3'));
    const accepted = Promise.withResolvers<ByteStream>();
    victim.onAccept = accepted.resolve;
    const to = { host: victim.host.address, port: UTP_PORT };
    const call = await friend.socket.connect(to, { signal });
    pour(call, new Source(), 500_000);
    const sink = new Sink(await accepted.promise, new Source(), 500_000);
    const { random } = other.host.runtime;
    for (let round = 0; round < 5000; round++) {
      const [a, b] = [random.uint32(), random.uint32()];
      other.send(
        { type: a % 5, connectionId: b & 0xffff, sequence: a & 0xffff, ack: b >>> 16, window: a },
        random.bytes(a % 40),
      );
      if (round % 50 === 0) await other.host.sleep(5);
    }
    await sink.done;
    expect([sink.received, sink.wrongAt]).toEqual([500_000, undefined]);
    await call[Symbol.asyncDispose]();
    await friend[Symbol.asyncDispose]();
  }));
