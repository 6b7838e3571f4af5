/**
 * One connection of uTP (BEP 29), without sockets and clocks: packets and the time come in, packets
 * and payload go out through {@link ConnectionHost}. After every call the owner asks for
 * {@link UtpConnection.deadline}; at the end of a turn it calls {@link UtpConnection.flush}.
 *
 * @module
 */

import { type Endpoint, formatEndpoint } from '../base/endpoint.ts';
import type { NetworkError } from '../base/errors.ts';
import { networkFailure } from '../runtime/failures.ts';
import type { Millis } from '../runtime/ports.ts';
import { PACKET, type PacketReader } from './codec.ts';
import { DelayHistory } from './delays.ts';
import type { PacketPool } from './packet-pool.ts';
import { micros, PacketWriter } from './packet-writer.ts';
import { Receiver } from './receiver.ts';
import { Sender } from './sender.ts';
import { unwrapSequence } from './sequence.ts';

/** What a connection asks of its owner. */
export interface ConnectionHost {
  /** `packet` is a view, valid during the call only. */
  transmit(packet: Uint8Array): void;
  /** The other side answered. */
  connected(): void;
  /** `payload` is a view, valid during the call only. */
  deliver(payload: Uint8Array): void;
  /** All that was written is in packets. */
  drained(): void;
  /** Nothing more comes: the other side ended, or it broke. Told once, and not after a `close`. */
  ended(error: NetworkError | undefined): void;
  /** Nothing is left to do. Told once, and last. */
  released(): void;
}

export interface ConnectionOptions {
  readonly host: ConnectionHost;
  readonly pool: PacketPool;
  readonly remote: Endpoint;
  /** Of the packets that we send. */
  readonly sendId: number;
  /** Of our first packet. */
  readonly sequence: number;
  /** Of the last packet that came, when we were called; we call when it is absent. */
  readonly called: number | undefined;
}

/** Calls without an answer. */
const MAX_SYNS = 4;
/** Silence of ours after which NATs might forget us (libutp: 29 s). */
const KEEP_ALIVE: Millis = 29_000;
/** What was written before a close gets so long to arrive. */
const LINGER: Millis = 15_000;
/** Acknowledgements that are older than so many packets are not of this connection. */
const MOST_BEHIND = 0x4000;

type State = 'calling' | 'open' | 'closed';

export class UtpConnection {
  readonly #options: ConnectionOptions;
  readonly #writer: PacketWriter;
  readonly #sender: Sender;
  readonly #receiver: Receiver;
  readonly #theirDelays = new DelayHistory();
  #state: State;
  /** Somebody on our side uses it. */
  #isOurs = true;
  #now: Millis;
  #lastSent: Millis;
  #syns = 0;
  #closeBy: Millis = Number.POSITIVE_INFINITY;

  constructor(options: ConnectionOptions, now: Millis) {
    const { called, host, pool, remote, sequence } = options;
    this.#options = options;
    this.#state = called === undefined ? 'calling' : 'open';
    this.#writer = new PacketWriter(options.sendId, pool, (packet) => this.#transmit(packet));
    const first = called === undefined ? sequence + 1 : sequence;
    this.#sender = new Sender(
      {
        sendData: (packet, type, number, size) => {
          const received = this.#receiver.window;
          this.#writer.data(packet, { type, sequence: number, received, now: this.#now }, size);
        },
        drained: () => {
          if (this.#isOurs) host.drained();
        },
      },
      { first, remote: remote.host, now },
      pool,
    );
    this.#receiver = new Receiver(
      { deliver: (payload) => host.deliver(payload), theyEnded: () => this.#theyEnded() },
      (called ?? 0) + 1,
      pool,
    );
    this.#lastSent = now;
    this.#now = now;
  }

  /** Bytes written that are in no packet yet. */
  get queuedBytes(): number {
    return this.#sender.queuedBytes;
  }
  get isClosed(): boolean {
    return this.#state === 'closed';
  }
  /** Bytes of the largest packet that is known to pass. */
  get packetSize(): number {
    return this.#sender.packetSize;
  }
  /** Bytes that may be under way. */
  get congestionWindow(): number {
    return this.#sender.window;
  }

  /** Queues `bytes`, which must not change until they are in packets. */
  write(bytes: Uint8Array): void {
    if (this.#isOurs && this.#state !== 'closed') this.#sender.write(bytes);
  }

  /** Starts or stops the delivery of what comes. */
  read(isReading: boolean): void {
    if (this.#state !== 'closed') this.#receiver.read(isReading, this.#writer.announced);
  }

  /**
   * Ends it from our side: what is in packets is still sent, nothing is delivered any more. As TCP
   * does: a close that throws away what arrived is a reset.
   */
  close(now: Millis): void {
    if (!this.#isOurs || this.#state === 'closed') return;
    this.#now = now;
    this.#isOurs = false;
    if (this.#state === 'calling' || this.#receiver.window.isReadable) {
      this.reset(now);
      return;
    }
    this.#sender.fill();
    this.#sender.finish();
    this.#receiver.discard();
    this.#closeBy = now + LINGER;
  }

  /** Ends it at once, and lets the other side know. */
  reset(now: Millis): void {
    if (this.#state === 'closed') return;
    this.#now = now;
    if (this.#state === 'open') this.#bare(PACKET.reset);
    this.#release();
  }

  /** A packet of this connection came, as `reader` read it from `bytes`. */
  receive(reader: PacketReader, bytes: Uint8Array, now: Millis): void {
    if (this.#state === 'closed' || !this.#isPlausible(reader)) return;
    this.#now = now;
    if (reader.type === PACKET.reset) this.#wasReset();
    else if (reader.type === PACKET.syn) this.#receiver.acknowledgeNow();
    else if (this.#state === 'open' || this.#answered(reader)) this.#process(reader, bytes, now);
  }

  /** Sends what may be sent. To be called once after everything that happened in a turn. */
  flush(now: Millis): void {
    this.#now = now;
    if (this.#state === 'calling') {
      if (this.#syns === 0) this.#call(now);
    } else if (this.#state === 'open') {
      const isDue = this.#receiver.isDue(now);
      const sent = this.#sender.flush(now);
      // Packets with payload do not tell what came behind a hole.
      if (isDue && this.#isOpen && (!sent || this.#receiver.window.hasHoles)) this.#acknowledge();
      else if (!sent) this.#receiver.defer(now);
    }
  }

  /** When {@link timeout} is due, milliseconds; `undefined` when never. */
  deadline(): Millis | undefined {
    if (this.#state === 'closed') return undefined;
    if (this.#state === 'calling') return this.#callAgainAt;
    return Math.min(
      this.#lastSent + KEEP_ALIVE,
      this.#sender.deadline(),
      this.#receiver.deadline,
      this.#closeBy,
    );
  }

  /** Time has passed. {@link flush} comes afterwards. */
  timeout(now: Millis): void {
    this.#now = now;
    if (this.#state === 'calling') {
      if (now >= this.#callAgainAt) this.#callAgain(now);
      return;
    }
    if (this.#state === 'closed') return;
    if (now >= this.#closeBy) this.reset(now);
    else if (!this.#sender.timeout(now)) this.#fail('ETIMEDOUT');
    else if (now >= this.#lastSent + KEEP_ALIVE) this.#receiver.acknowledgeNow();
  }

  get #isOpen(): boolean {
    return this.#state === 'open';
  }
  get #callAgainAt(): Millis {
    return this.#lastSent + this.#sender.patience(Math.max(0, this.#syns - 1));
  }

  /** Acknowledges only what was sent: strangers who guess cannot break a connection. */
  #isPlausible(reader: PacketReader): boolean {
    if (reader.type === PACKET.syn) return this.#options.called !== undefined;
    const { acked, fresh } = this.#sender;
    const ack = unwrapSequence(reader.ack, acked);
    // A reset names the packet that it answers, which may be one without a number of its own.
    return ack <= (reader.type === PACKET.reset ? fresh : fresh - 1) && ack >= acked - MOST_BEHIND;
  }

  #answered(reader: PacketReader): boolean {
    const { acked } = this.#sender;
    if (reader.type !== PACKET.state || unwrapSequence(reader.ack, acked) !== acked) return false;
    this.#state = 'open';
    // What the answer carries is the number of the first packet to come, in all implementations.
    this.#receiver.restart(reader.sequence);
    // The other side needs to see that we are real, even if we have nothing to say.
    this.#receiver.acknowledgeNow();
    this.#options.host.connected();
    return true;
  }

  #process(reader: PacketReader, bytes: Uint8Array, now: Millis): void {
    if (reader.timestamp !== 0) {
      // BEP 29 "timestamp_difference_microseconds"
      const delay = (micros(now) - reader.timestamp) >>> 0;
      this.#writer.theirDelay = delay;
      const fell = this.#theirDelays.sample(delay, now);
      if (fell > 0) this.#sender.drifted(fell);
    }
    this.#sender.acknowledged(reader, bytes, now);
    if (reader.type !== PACKET.state) this.#receiver.take(reader, bytes);
    if (this.#isOurs || !this.#sender.isFinished) return;
    if (this.#receiver.isDue(now)) this.#acknowledge();
    this.#release();
  }

  /** As with TCP, who ends is ended: there are no half-open streams here. */
  #theyEnded(): void {
    if (!this.#isOurs) return;
    this.#isOurs = false;
    this.#sender.finish();
    this.#receiver.discard();
    this.#closeBy = this.#now + LINGER;
    this.#options.host.ended(undefined);
  }

  /** All that was sent is here already: the reset says nothing new, and nothing is lost by it. */
  #wasReset(): void {
    if (this.#isOurs && this.#receiver.window.isComplete) return;
    this.#fail(this.#state === 'calling' ? 'ECONNREFUSED' : 'ECONNRESET');
  }

  #acknowledge(): void {
    const { window } = this.#receiver;
    this.#writer.state(PACKET.state, this.#sender.fresh, window, this.#now);
  }

  #bare(type: number): void {
    this.#writer.bare(type, this.#sender.fresh, this.#receiver.window, this.#now);
  }

  #transmit(packet: Uint8Array): void {
    this.#lastSent = this.#now;
    this.#receiver.acknowledged();
    this.#options.host.transmit(packet);
  }

  #call(now: Millis): void {
    this.#syns++;
    this.#writer.syn(PACKET.syn, this.#options.sequence, this.#receiver.window, now);
  }

  #callAgain(now: Millis): void {
    if (this.#syns >= MAX_SYNS) this.#fail('ETIMEDOUT');
    else this.#call(now);
  }

  #fail(system: 'ECONNREFUSED' | 'ECONNRESET' | 'ETIMEDOUT'): void {
    const { host } = this.#options;
    const remote = formatEndpoint(this.#options.remote);
    const doing =
      this.#state === 'calling'
        ? `cannot connect to ${remote}`
        : `the connection to ${remote} broke`;
    const wasOurs = this.#isOurs;
    this.#isOurs = false;
    if (wasOurs) host.ended(networkFailure(doing, system));
    this.#release();
  }

  #release(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#isOurs = false;
    this.#sender.clear();
    this.#receiver.discard();
    this.#options.host.released();
  }
}
