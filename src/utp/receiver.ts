/** The receiving half of a connection: payload in its order, and what is to be acknowledged when. @module */

import type { Millis } from '../runtime/ports.ts';
import { PACKET, type PacketReader } from './codec.ts';
import type { PacketPool } from './packet-pool.ts';
import { type Placed, ReceiveWindow } from './receive-window.ts';
import { unwrapSequence } from './sequence.ts';

/** What a receiver asks of its connection. */
export interface ReceiverHost {
  /** `payload` is a view, valid during the call only. */
  deliver(payload: Uint8Array): void;
  /** The other side has ended, and all it sent was delivered. */
  theyEnded(): void;
}

/** Bytes that may wait for the reader or for a missing packet. */
const RECEIVE_LIMIT = 4 * 1024 * 1024;
/** A packet alone is acknowledged after so long, if nothing goes out before. */
const ACK_DELAY: Millis = 5;
/** Packets that one acknowledgement covers while all is well. */
const ACK_EVERY = 2;

export class Receiver {
  readonly #host: ReceiverHost;
  readonly #pool: PacketPool;
  #window: ReceiveWindow;
  #isReading = false;
  /** Nobody reads any more: what comes is acknowledged and thrown away. */
  #isDiscarding = false;
  #delivering = false;
  #owed = 0;
  #ackNow = false;
  #ackAt: Millis | undefined;

  /** @param next number of the packet that comes first */
  constructor(host: ReceiverHost, next: number, pool: PacketPool) {
    this.#host = host;
    this.#pool = pool;
    this.#window = new ReceiveWindow(next, pool, RECEIVE_LIMIT);
  }

  get window(): ReceiveWindow {
    return this.#window;
  }
  /** When an acknowledgement is due; infinite when never. */
  get deadline(): Millis {
    return this.#ackAt ?? Number.POSITIVE_INFINITY;
  }

  /** The first packet will be this one. */
  restart(next: number): void {
    this.#window = new ReceiveWindow(next, this.#pool, RECEIVE_LIMIT);
  }

  /** Starts or stops the delivery; `announced` is the window that the other side knows of. */
  read(isReading: boolean, announced: number): void {
    this.#isReading = isReading;
    if (!isReading) return;
    this.deliver();
    const { room } = this.#window;
    if (announced < RECEIVE_LIMIT / 2 && room >= RECEIVE_LIMIT / 2) this.#ackNow = true;
  }

  discard(): void {
    this.#isDiscarding = true;
    this.#window.clear();
  }

  /** A packet with a number of its own came. */
  take(reader: PacketReader, bytes: Uint8Array): void {
    const window = this.#window;
    const sequence = unwrapSequence(reader.sequence, window.next);
    const isFin = reader.type === PACKET.fin;
    if (isFin) window.ends(sequence);
    const hadHoles = window.hasHoles;
    const payload = bytes.subarray(reader.payloadStart);
    const placed = window.place(sequence, payload, this.#isTaking && !this.#delivering);
    this.#owed++;
    if (isFin || hadHoles || placed !== 'next') this.#ackNow = true;
    this.#placed(placed, payload);
  }

  /** Hands over what waits, as far as somebody reads. */
  deliver(): void {
    if (this.#delivering) return;
    while (this.#window.isReadable && this.#isTaking) {
      const payload = this.#window.shift();
      this.#handOver(payload);
      this.#window.done(payload);
    }
    if (this.#window.isRead && !this.#isDiscarding) this.#host.theyEnded();
  }

  /** The next packet is to acknowledge, even if it has no payload. */
  acknowledgeNow(): void {
    this.#ackNow = true;
  }

  /** Whether an acknowledgement has to go out in this turn. */
  isDue(now: Millis): boolean {
    return this.#ackNow || this.#owed >= ACK_EVERY || now >= this.deadline;
  }

  /** Nothing went out in this turn: an acknowledgement that is owed follows later. */
  defer(now: Millis): void {
    if (this.#owed > 0) this.#ackAt ??= now + ACK_DELAY;
  }

  /** A packet went out, and every packet acknowledges. */
  acknowledged(): void {
    this.#owed = 0;
    this.#ackNow = false;
    this.#ackAt = undefined;
  }

  get #isTaking(): boolean {
    return this.#isReading || this.#isDiscarding;
  }

  #placed(placed: Placed, payload: Uint8Array): void {
    if (placed === 'next') {
      this.#window.passed();
      this.#handOver(payload);
    }
    if (placed === 'next' || placed === 'kept') this.deliver();
  }

  #handOver(payload: Uint8Array): void {
    if (this.#isDiscarding || payload.length === 0) return;
    this.#delivering = true;
    try {
      this.#host.deliver(payload);
    } finally {
      this.#delivering = false;
    }
  }
}
