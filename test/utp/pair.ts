/** Two hosts of the simulated world with a connection of uTP between them. @module */

import type { ByteStream, Datagrams, Millis } from '../../src/runtime/ports.ts';
import type { HostOptions, PathOptions, SimHost, World } from '../../src/runtime/sim/index.ts';
import { SeededRandom } from '../../src/runtime/sim/seeded-random.ts';
import { UtpSocket } from '../../src/utp/index.ts';
import { UtpStream } from '../../src/utp/stream.ts';
import { makeWorld, TEST_SEED } from '../sim/world.ts';

export const UTP_PORT = 6881;

/** A host with uTP on its port. */
export interface UtpHost extends AsyncDisposable {
  readonly host: SimHost;
  readonly datagrams: Datagrams;
  readonly socket: UtpSocket;
  /** What came from others, in its order. */
  readonly accepted: readonly ByteStream[];
  /** Called for each that comes. */
  onAccept: ((stream: ByteStream) => void) | undefined;
}

export async function utpHost(host: SimHost): Promise<UtpHost> {
  const { network, clock, random } = host.runtime;
  const signal = new AbortController().signal;
  const datagrams = await network.bindDatagrams({ port: UTP_PORT, signal });
  const accepted: ByteStream[] = [];
  const socket = UtpSocket.open(datagrams, {
    clock,
    random,
    accept: (stream) => {
      accepted.push(stream);
      made.onAccept?.(stream);
    },
  });
  const made: UtpHost = {
    host,
    datagrams,
    socket,
    accepted,
    onAccept: undefined,
    async [Symbol.asyncDispose]() {
      await socket[Symbol.asyncDispose]();
      await datagrams[Symbol.asyncDispose]();
    },
  };
  return made;
}

/** Counts and checks what comes: the bytes of {@link Source}. */
export class Sink {
  received = 0;
  /** Of the first byte that is not what was sent. */
  wrongAt: number | undefined;
  ended: { readonly error: Error | undefined } | undefined;
  readonly #expected: Source;
  readonly #total: number;
  readonly #done = Promise.withResolvers<void>();

  constructor(stream: ByteStream, expected: Source, total: number) {
    this.#expected = expected;
    this.#total = total;
    stream.open({
      data: (bytes) => this.#data(bytes),
      drain: () => undefined,
      closed: (error) => {
        this.ended = { error };
        this.#done.resolve();
      },
    });
  }

  /** All came, or nothing more comes. */
  get done(): Promise<void> {
    return this.#done.promise;
  }

  #data(bytes: Uint8Array): void {
    const at = this.#expected.mismatch(bytes, this.received);
    if (at !== undefined) this.wrongAt ??= this.received + at;
    this.received += bytes.length;
    if (this.received >= this.#total) this.#done.resolve();
  }
}

const PERIOD = 65_521;

/** Bytes without a pattern that a shift or a swap of packets would keep. */
export class Source {
  readonly #bytes: Buffer;

  constructor(seed: number = TEST_SEED) {
    const once = new SeededRandom(seed).bytes(PERIOD);
    this.#bytes = Buffer.concat([once, once, once]);
  }

  /** `length` bytes from `at` on, up to 64 KiB. */
  slice(at: number, length: number): Uint8Array {
    const start = at % PERIOD;
    return this.#bytes.subarray(start, start + length);
  }

  /** Where `bytes` differ from those at `at`. */
  mismatch(bytes: Uint8Array, at: number): number | undefined {
    for (let offset = 0; offset < bytes.length; offset += 65_536) {
      const part = bytes.subarray(offset, offset + 65_536);
      const expected = this.slice(at + offset, part.length);
      if (Buffer.compare(part, expected) !== 0) {
        return offset + part.findIndex((byte, index) => byte !== expected[index]);
      }
    }
    return undefined;
  }
}

/** Writes `total` bytes of `source`, never more than half a MiB ahead of the stream. */
export function pour(stream: ByteStream, source: Source, total: number): void {
  let sent = 0;
  const more = (): void => {
    while (sent < total && stream.queuedBytes < 524_288) {
      const bytes = source.slice(sent, Math.min(16_384, total - sent));
      stream.write(bytes);
      sent += bytes.length;
    }
  };
  stream.open({ data: () => undefined, drain: more, closed: () => undefined });
  more();
}

export interface TransferOptions {
  readonly from?: Partial<HostOptions>;
  readonly to?: Partial<HostOptions>;
  readonly path?: PathOptions;
  readonly bytes: number;
  /** The sender is the one who was called. */
  readonly reverse?: boolean;
}

export interface TransferResult {
  readonly world: World;
  readonly ms: Millis;
  readonly sink: Sink;
  /** Bytes of the largest packet that the sender came to send. */
  readonly packetSize: number;
}

/** Sends `bytes` from one host to another, and closes everything. */
export async function transfer(options: TransferOptions): Promise<TransferResult> {
  const world = makeWorld();
  const from = world.host('10.0.0.1', options.from);
  const to = world.host('10.0.0.2', options.to);
  if (options.path !== undefined) world.path(from, to, options.path);
  const story = async (): Promise<TransferResult> => {
    await using sender = await utpHost(from);
    await using receiver = await utpHost(to);
    const accepting = options.reverse === true ? sender : receiver;
    const calling = options.reverse === true ? receiver : sender;
    const accepted = Promise.withResolvers<ByteStream>();
    accepting.onAccept = accepted.resolve;
    const call = await calling.socket.connect(
      { host: accepting.host.address, port: UTP_PORT },
      { signal: new AbortController().signal },
    );
    const answer = await accepted.promise;
    const [out, back] = options.reverse === true ? [answer, call] : [call, answer];
    const source = new Source();
    const started = world.now;
    const sink = new Sink(back, source, options.bytes);
    pour(out, source, options.bytes);
    await sink.done;
    const ms = world.now - started;
    const packetSize = packetSizeOf(out);
    await out[Symbol.asyncDispose]();
    await back[Symbol.asyncDispose]();
    return { world, ms, sink, packetSize };
  };
  const result = await world.run(story());
  await world.runToRest();
  world.assertClosed();
  return result;
}

function packetSizeOf(stream: ByteStream): number {
  return stream instanceof UtpStream ? stream.connection.packetSize : 0;
}
