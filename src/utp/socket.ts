/** All connections of uTP on one UDP socket. @module */

import { type Endpoint, equalEndpoints } from '../base/endpoint.ts';
import { invariant, NetworkError } from '../base/errors.ts';
import { ipFamily } from '../base/ip.ts';
import { networkFailure } from '../runtime/failures.ts';
import type { ByteStream, Clock, Datagrams, Millis, Random } from '../runtime/ports.ts';
import { encodeHeader, HEADER_LENGTH, PACKET, PacketReader } from './codec.ts';
import { Deadlines } from './deadlines.ts';
import { HalfOpenCalls } from './half-open.ts';
import { PacketPool } from './packet-pool.ts';
import { micros } from './packet-writer.ts';
import { type StreamIds, type StreamOwner, UtpStream } from './stream.ts';

/** Connections, those that linger included; the session has limits of its own, far below. */
const MAX_CONNECTIONS = 10_000;
/** Bytes in packets of all connections, beyond which strangers' are dropped that have to wait. */
const MAX_PACKET_MEMORY = 256 * 1024 * 1024;
/** Answers to packets of no connection, a second: never longer than what they answer. */
const RESETS_PER_SECOND = 50;
const ANNOUNCED_AT_FIRST = 1024 * 1024;
/** What was written before a disposal gets so long to arrive. */
const LINGER: Millis = 500;

export interface UtpOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Takes connections of others; without it they are refused. */
  readonly accept?: ((stream: ByteStream) => void) | undefined;
  /** Connections at once; default 10,000. */
  readonly maxConnections?: number;
}

/** Sockets are used and disposed by whoever gave them: this only sends and receives. */
export class UtpSocket implements AsyncDisposable, StreamOwner {
  readonly clock: Clock;
  readonly pool: PacketPool = new PacketPool(MAX_PACKET_MEMORY);
  readonly #datagrams: Datagrams;
  readonly #options: UtpOptions;
  #accept: UtpOptions['accept'];
  /** By the id of packets that come; streams of one id are linked. */
  readonly #streams = new Map<number, UtpStream>();
  #count = 0;
  readonly #halfOpen = new HalfOpenCalls();
  readonly #deadlines = new Deadlines<UtpStream>();
  readonly #reader = new PacketReader();
  readonly #reply = new Uint8Array(HEADER_LENGTH);
  #awake: UtpStream[] = [];
  #asleep: UtpStream[] = [];
  #turnPlanned = false;
  #cancelTurn: (() => void) | undefined;
  #timer: { readonly at: Millis; readonly cancel: () => void } | undefined;
  #resets = RESETS_PER_SECOND;
  #resetsAt: Millis = 0;
  #last: UtpStream | undefined;
  #disposal: Promise<void> | undefined;
  #empty: (() => void) | undefined;

  private constructor(datagrams: Datagrams, options: UtpOptions) {
    this.#datagrams = datagrams;
    this.#options = options;
    this.#accept = options.accept;
    this.clock = options.clock;
    datagrams.receive((bytes, from) => this.#receive(bytes, from));
  }

  /** Speaks uTP on `datagrams`, which stay the caller's to dispose, afterwards. */
  static open(datagrams: Datagrams, options: UtpOptions): UtpSocket {
    return new UtpSocket(datagrams, options);
  }

  get local(): Endpoint {
    return this.#datagrams.local;
  }
  /** Connections, those that linger after their end included. */
  get connections(): number {
    return this.#count;
  }
  /** Calls of others that are not connections yet. */
  get halfOpen(): number {
    return this.#halfOpen.size;
  }

  /**
   * @throws {NetworkError} refused, no answer, or too many connections; `to.host` must be a literal
   *   address of the socket's family.
   * @throws `signal.reason` when aborted.
   */
  async connect(to: Endpoint, { signal }: { readonly signal: AbortSignal }): Promise<ByteStream> {
    signal.throwIfAborted();
    invariant(ipFamily(to.host) !== undefined, `a literal address to connect to: ${to.host}`);
    if (this.#disposal !== undefined) throw stopped();
    if (this.#count >= this.#most) {
      throw networkFailure('cannot connect over uTP', 'EMFILE');
    }
    const stream = new UtpStream(this, to, this.#newIds(to));
    this.#keep(stream);
    this.wake(stream);
    const aborted = Promise.withResolvers<never>();
    const onAbort = (): void => aborted.reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await Promise.race([stream.isConnected, aborted.promise]);
      return stream;
    } catch (error) {
      await stream[Symbol.asyncDispose]();
      throw error;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Connections of others are refused from now on; those that stand go on. */
  refuse(): void {
    this.#accept = undefined;
  }

  /** Breaks all connections; those that were closed before get a moment for what they still send. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#disposal ??= this.#dispose();
    return this.#disposal;
  }

  // For the streams.

  transmit(packet: Uint8Array, to: Endpoint): void {
    this.#datagrams.send(packet, to);
  }

  wake(stream: UtpStream): void {
    if (stream.isAwake) return;
    stream.isAwake = true;
    this.#awake.push(stream);
    if (this.#turnPlanned) return;
    this.#turnPlanned = true;
    this.#cancelTurn = this.clock.schedule(this.clock.now(), () => this.#turn());
  }

  forget(stream: UtpStream): void {
    const { receiveId } = stream.ids;
    if (this.#last === stream) this.#last = undefined;
    let before: UtpStream | undefined;
    for (let each = this.#streams.get(receiveId); each !== undefined; each = each.sibling) {
      if (each === stream) {
        this.#unlink(stream, before);
        this.#count--;
        if (this.#count === 0) this.#empty?.();
        return;
      }
      before = each;
    }
  }

  get #most(): number {
    return this.#options.maxConnections ?? MAX_CONNECTIONS;
  }

  #unlink(stream: UtpStream, before: UtpStream | undefined): void {
    if (before !== undefined) before.sibling = stream.sibling;
    else if (stream.sibling === undefined) this.#streams.delete(stream.ids.receiveId);
    else this.#streams.set(stream.ids.receiveId, stream.sibling);
  }

  #keep(stream: UtpStream): void {
    stream.sibling = this.#streams.get(stream.ids.receiveId);
    this.#streams.set(stream.ids.receiveId, stream);
    this.#count++;
  }

  #newIds(to: Endpoint): StreamIds {
    for (;;) {
      const random = this.#options.random.uint32();
      const receiveId = random & 0xffff;
      const sendId = (receiveId + 1) & 0xffff;
      if (this.#find(receiveId, to) !== undefined) continue;
      return { receiveId, sendId, sequence: random >>> 16, called: undefined };
    }
  }

  #find(id: number, from: Endpoint): UtpStream | undefined {
    for (let each = this.#streams.get(id); each !== undefined; each = each.sibling) {
      if (equalEndpoints(each.remote, from)) return each;
    }
    return undefined;
  }

  #receive(bytes: Uint8Array, from: Endpoint): void {
    const reader = this.#reader;
    if (reader.tryRead(bytes) !== undefined) return;
    const stream = this.#streamOf(reader, from);
    if (stream === undefined) {
      this.#stranger(bytes, from);
      return;
    }
    this.#last = stream;
    stream.connection.receive(reader, bytes, this.clock.now());
    this.wake(stream);
  }

  #streamOf({ type, connectionId: id }: PacketReader, from: Endpoint): UtpStream | undefined {
    const last = this.#last;
    if (last?.ids.receiveId === id && type !== PACKET.syn && equalEndpoints(last.remote, from)) {
      return last;
    }
    if (type === PACKET.syn) return this.#find((id + 1) & 0xffff, from);
    return this.#find(id, from) ?? (type === PACKET.reset ? this.#sendsBy(id, from) : undefined);
  }

  /** Who knows nothing of a connection answers by the id that we sent (libutp, libtorrent). */
  #sendsBy(id: number, from: Endpoint): UtpStream | undefined {
    for (const other of [(id + 1) & 0xffff, (id - 1) & 0xffff]) {
      const owner = this.#find(other, from);
      if (owner?.ids.sendId === id) return owner;
    }
    return undefined;
  }

  /** A packet of no connection. */
  #stranger(bytes: Uint8Array, from: Endpoint): void {
    const { type } = this.#reader;
    if (type === PACKET.reset || this.#disposal !== undefined) return;
    if (type === PACKET.syn) this.#called(from);
    else this.#goesOn(bytes, from);
  }

  /** BEP 29 "connection setup": an answer, and nothing kept but what proves that it was heard. */
  #called(from: Endpoint): void {
    const { connectionId, sequence } = this.#reader;
    if (this.#accept === undefined || this.#count >= this.#most) {
      this.#reset(from);
      return;
    }
    const ours = this.#options.random.uint32() & 0xffff;
    const now = this.clock.now();
    const call = this.#halfOpen.add(
      from,
      (connectionId + 1) & 0xffff,
      { called: sequence, sequence: ours },
      now,
    );
    this.#answer(PACKET.state, { sequence: call.sequence, ack: sequence }, from);
  }

  #goesOn(bytes: Uint8Array, from: Endpoint): void {
    const accept = this.#accept;
    const { connectionId: receiveId, ack } = this.#reader;
    const call = this.#halfOpen.take(from, receiveId, ack, this.clock.now());
    if (call === undefined || accept === undefined || this.#count >= this.#most) {
      this.#reset(from);
      return;
    }
    const sendId = (receiveId - 1) & 0xffff;
    const stream = new UtpStream(this, { ...from }, { ...call, receiveId, sendId });
    this.#keep(stream);
    stream.connection.receive(this.#reader, bytes, this.clock.now());
    this.wake(stream);
    accept(stream);
  }

  #reset(to: Endpoint): void {
    const now = this.clock.now();
    const earned = ((now - this.#resetsAt) * RESETS_PER_SECOND) / 1000;
    this.#resets = Math.min(RESETS_PER_SECOND, this.#resets + earned);
    this.#resetsAt = now;
    if (this.#resets < 1) return;
    this.#resets--;
    const sequence = this.#options.random.uint32() & 0xffff;
    this.#answer(PACKET.reset, { sequence, ack: this.#reader.sequence }, to);
  }

  /** To the packet that was read last, as long as its header. */
  #answer(
    type: number,
    { sequence, ack }: { readonly sequence: number; readonly ack: number },
    to: Endpoint,
  ): void {
    const timestamp = micros(this.clock.now());
    encodeHeader(this.#reply, {
      type,
      connectionId: this.#reader.connectionId,
      timestamp,
      timestampDifference: (timestamp - this.#reader.timestamp) >>> 0,
      window: type === PACKET.reset ? 0 : ANNOUNCED_AT_FIRST,
      sequence,
      ack,
    });
    this.#datagrams.send(this.#reply, to);
  }

  /** Everything of this turn is in: what it led to goes out. */
  #turn(): void {
    this.#turnPlanned = false;
    const awake = this.#awake;
    this.#awake = this.#asleep;
    this.#asleep = awake;
    const now = this.clock.now();
    for (const stream of awake) {
      stream.isAwake = false;
      stream.turn(now);
      this.#deadlines.set(stream);
    }
    awake.length = 0;
    this.#arm();
  }

  #arm(): void {
    const at = this.#deadlines.first;
    if (at === undefined || (this.#timer !== undefined && this.#timer.at <= at)) return;
    this.#timer?.cancel();
    this.#timer = { at, cancel: this.clock.schedule(at, () => this.#timeout()) };
  }

  #timeout(): void {
    this.#timer = undefined;
    const now = this.clock.now();
    for (let due = this.#deadlines.next(now); due !== undefined; due = this.#deadlines.next(now)) {
      due.connection.timeout(now);
      // Its next deadline is known when it has sent what it has to.
      this.wake(due);
    }
    this.#arm();
  }

  async #dispose(): Promise<void> {
    const error = stopped();
    const now = this.clock.now();
    for (const stream of this.#all()) if (!stream.isLingering) stream.breakOff(error, now);
    if (this.#count > 0) await this.#lingered(now);
    for (const stream of this.#all()) stream.breakOff(error, this.clock.now());
    this.#datagrams.receive(() => undefined);
    this.#cancelTurn?.();
    this.#timer?.cancel();
  }

  #lingered(now: Millis): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.clock.schedule(now + LINGER, resolve);
      this.#empty = () => {
        cancel();
        resolve();
      };
    });
  }

  #all(): readonly UtpStream[] {
    const all: UtpStream[] = [];
    for (const first of this.#streams.values()) {
      for (let each: UtpStream | undefined = first; each !== undefined; each = each.sibling) {
        all.push(each);
      }
    }
    return all;
  }
}

function stopped(): NetworkError {
  return new NetworkError('uTP was stopped on this socket');
}
