/** One direction of a simulated TCP connection: reliable and ordered, at the mercy of the path. @module */

import { ByteQueue } from '../../base/byte-queue.ts';
import type { Millis } from '../ports.ts';
import { Congestion, PACKET, RECEIVE_WINDOW } from './congestion.ts';
import type { HostCore } from './core.ts';
import type { Path } from './paths.ts';
import type { TraceSubject } from './trace.ts';
import type { Sender } from './uplink.ts';

/** What a flow wants of the stream at either end. */
export interface FlowEnd {
  /** To the sender: the system has taken all bytes that were queued. */
  drained(): void;
  /** To the sender: the connection is broken, e.g. by `ETIMEDOUT`. */
  breakOff(system: string): void;
  /** To the receiver, which owns the bytes from now on. */
  arrived(bytes: Uint8Array): void;
  /** To the receiver: the other side has closed, nothing more comes. */
  finished(): void;
  /** Bytes that arrived and were not read yet. */
  readonly buffered: number;
  /** Closed on this side: whoever sends to it gets a reset. */
  readonly isGone: boolean;
}

interface Segment {
  readonly bytes: Uint8Array;
  readonly last: boolean;
}

/**
 * What the system of the sender holds, unsent and unacknowledged: twice what may be under way, as
 * Linux does (tcp_sndbuf_expand), and at least this many bytes.
 */
const MIN_SEND_BUFFER = 65_536;
/** Taken from the user at once, bytes. */
const BLOCK = 65_536;
/** Header bytes of IP and TCP. */
const HEADERS = 40;
/** First retransmission time-out, milliseconds (what Linux uses at least). */
const FIRST_TIMEOUT: Millis = 200;
const LONGEST_TIMEOUT: Millis = 60_000;
const NOTHING = new Uint8Array(0);

export class Flow implements Sender {
  readonly #from: HostCore;
  readonly #to: HostCore;
  readonly #subject: TraceSubject;
  readonly #path: Path;
  readonly #congestion = new Congestion();
  /** Written, and not yet taken by the system. */
  readonly #pending = new ByteQueue();
  /** Taken, and not yet sent. */
  readonly #unsent = new ByteQueue();
  #underWay = 0;
  #takes = false;
  #ends: { readonly sender: FlowEnd; readonly receiver: FlowEnd } | undefined;
  #closing: 'no' | 'wanted' | 'sent' = 'no';
  #stopped = false;
  /** Nothing arrives before what was sent earlier. */
  #lastArrival: Millis;
  #lastDelivery: Millis = 0;
  /** Losses until then belong to one event of congestion. */
  #recovery: Millis = 0;
  #stalled: Segment[] = [];

  constructor(from: HostCore, to: HostCore, how: { subject: TraceSubject; notBefore: Millis }) {
    this.#from = from;
    this.#to = to;
    this.#path = from.world.paths.between(from, to);
    this.#subject = how.subject;
    this.#lastArrival = how.notBefore;
  }

  join(sender: FlowEnd, receiver: FlowEnd): void {
    this.#ends = { sender, receiver };
  }

  get queuedBytes(): number {
    return this.#pending.length;
  }

  write(bytes: Uint8Array): void {
    this.#pending.push(bytes);
    if (this.#takes) return;
    this.#takes = true;
    this.#timeline.after(0, () => {
      this.#takes = false;
      this.#take();
    });
  }

  /** Closes after what the system has taken; what it has not is dropped. */
  finish(): void {
    this.#takeWhatFits();
    this.#pending.clear();
    if (this.#closing === 'no') this.#closing = 'wanted';
    this.#pump();
  }

  /** Sends nothing more, not even what is under way. */
  stop(): void {
    this.#stopped = true;
    this.#pending.clear();
    this.#unsent.clear();
    this.#stalled = [];
  }

  /** The same, and lets the receiver know. */
  reset(): void {
    this.stop();
    this.#timeline.after(this.#path.latencyMs, () => {
      if (this.#isOpen) this.#ends?.receiver.breakOff('ECONNRESET');
    });
  }

  /** Breaks the other side at once. */
  breakReceiver(system: string): void {
    this.#ends?.receiver.breakOff(system);
  }

  /** The receiver has room again. */
  windowOpened(): void {
    this.#timeline.after(this.#path.latencyMs, () => this.#pump());
  }

  sendSegment(limit: number): boolean {
    if (!this.#canSend()) return false;
    const last = this.#unsent.length === 0;
    const bytes = last ? NOTHING : this.#unsent.take(Math.min(limit, this.#window()));
    if (last) this.#closing = 'sent';
    this.#underWay += bytes.length;
    const size = bytes.length + HEADERS * packetsOf(bytes);
    const now = this.#timeline.now;
    this.#travel({ bytes, last }, this.#isLoop ? now : this.#from.up.admit(now, size));
    return this.#canSend();
  }

  get #timeline(): HostCore['world']['timeline'] {
    return this.#from.world.timeline;
  }
  get #isLoop(): boolean {
    return this.#from === this.#to;
  }
  get #isOpen(): boolean {
    return this.#from.world.paths.isOpen(this.#from, this.#to);
  }

  #canSend(): boolean {
    if (this.#stopped || this.#closing === 'sent') return false;
    if (this.#unsent.length === 0) return this.#closing === 'wanted';
    return this.#window() > 0;
  }

  /** Bytes that may go now: whole packets, unless it is the rest (RFC 1122 §4.2.3.4). */
  #window(): number {
    const free = RECEIVE_WINDOW - (this.#ends?.receiver.buffered ?? 0);
    const room = Math.floor(Math.min(this.#congestion.window, free)) - this.#underWay;
    return this.#unsent.length <= room ? room : room - (room % PACKET);
  }

  #take(): void {
    if (this.#stopped) return;
    const waited = this.#pending.length > 0;
    this.#takeWhatFits();
    this.#pump();
    if (waited && this.#pending.length === 0) this.#ends?.sender.drained();
  }

  #takeWhatFits(): void {
    for (;;) {
      const buffer = Math.max(MIN_SEND_BUFFER, Math.floor(2 * this.#congestion.window));
      const room = buffer - this.#unsent.length - this.#underWay;
      const size = Math.min(room, this.#pending.length, BLOCK);
      if (size <= 0) return;
      const block = new Uint8Array(size);
      for (let at = 0; at < size; ) {
        const part = this.#pending.take(size - at);
        block.set(part, at);
        at += part.length;
      }
      this.#unsent.push(block);
    }
  }

  #pump(): void {
    if (this.#canSend()) this.#from.uplink.enqueue(this);
  }

  #travel(segment: Segment, out: Millis): void {
    const { random } = this.#from.world;
    const repeats = this.#retransmissions(packetsOf(segment.bytes));
    const jitter = this.#path.jitterMs === 0 ? 0 : random.fraction() * this.#path.jitterMs;
    const arrival = out + this.#path.latencyMs + jitter + repeats;
    this.#lastArrival = Math.max(arrival, this.#lastArrival);
    this.#timeline.at(this.#lastArrival, () => this.#arrive(segment));
  }

  /** How much later it comes because packets of it were lost, once or several times. */
  #retransmissions(packets: number): Millis {
    const { loss, latencyMs } = this.#path;
    if (loss === 0 || !this.#from.world.random.chance(1 - (1 - loss) ** packets)) return 0;
    const roundTrip = 2 * latencyMs;
    // Three later packets tell that one is missing (RFC 5681 §3.2); else only the time does.
    const noticed = this.#underWay > 3 * PACKET;
    if (noticed) this.#congested();
    else this.#congestion.timedOut();
    let timeout = Math.max(FIRST_TIMEOUT, 2 * roundTrip);
    let delay = noticed ? roundTrip : timeout;
    while (delay < this.#from.world.tcp.silenceMs && this.#from.world.random.chance(loss)) {
      delay += timeout;
      timeout = Math.min(2 * timeout, LONGEST_TIMEOUT);
      this.#congestion.timedOut();
    }
    return delay;
  }

  #congested(): void {
    const now = this.#timeline.now;
    if (now < this.#recovery) return;
    this.#congestion.lost();
    this.#recovery = now + 2 * this.#path.latencyMs;
  }

  #arrive(segment: Segment): void {
    if (this.#stopped) return;
    if (this.#stalled.length === 0 && this.#isOpen) {
      this.#admit(segment);
      return;
    }
    this.#stalled.push(segment);
    if (this.#stalled.length === 1) this.#retry(FIRST_TIMEOUT, this.#timeline.now);
  }

  #retry(timeout: Millis, since: Millis): void {
    this.#timeline.after(timeout, () => {
      if (this.#stopped) return;
      if (this.#isOpen) {
        const stalled = this.#stalled;
        this.#stalled = [];
        this.#congestion.timedOut();
        for (const segment of stalled) this.#admit(segment);
      } else if (this.#timeline.now - since >= this.#from.world.tcp.silenceMs) {
        this.stop();
        this.#ends?.sender.breakOff('ETIMEDOUT');
      } else this.#retry(Math.min(2 * timeout, LONGEST_TIMEOUT), since);
    });
  }

  /** Through the receiver's line. */
  #admit(segment: Segment): void {
    const now = this.#timeline.now;
    let done = now;
    if (!this.#isLoop) {
      const { down } = this.#to;
      if (down.backlog(now) > down.queueMs) this.#congested();
      done = down.admit(now, segment.bytes.length + HEADERS * packetsOf(segment.bytes));
    }
    this.#lastDelivery = Math.max(done, this.#lastDelivery);
    if (this.#lastDelivery > now)
      this.#timeline.at(this.#lastDelivery, () => this.#deliver(segment));
    else this.#deliver(segment);
  }

  #deliver({ bytes, last }: Segment): void {
    const ends = this.#ends;
    if (this.#stopped || ends === undefined) return;
    this.#timeline.trace.add('segment', this.#timeline.now, this.#subject, bytes);
    if (ends.receiver.isGone) {
      this.stop();
      this.#timeline.after(this.#path.latencyMs, () => ends.sender.breakOff('ECONNRESET'));
      return;
    }
    const { length } = bytes;
    if (last) ends.receiver.finished();
    else {
      ends.receiver.arrived(bytes);
      this.#timeline.after(this.#path.latencyMs, () => this.#acknowledged(length));
    }
  }

  #acknowledged(bytes: number): void {
    if (this.#stopped) return;
    this.#underWay -= bytes;
    this.#congestion.acked(bytes);
    this.#take();
  }
}

function packetsOf(bytes: Uint8Array): number {
  return Math.max(1, Math.ceil(bytes.length / PACKET));
}
