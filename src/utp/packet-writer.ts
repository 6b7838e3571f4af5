/** Makes the packets of one connection, in memory that is used again. @module */

import type { Millis } from '../runtime/ports.ts';
import {
  encodeHeader,
  encodePadding,
  encodeSack,
  HEADER_LENGTH,
  MAX_SACK_BYTES,
  type PacketHeader,
  setSackBit,
} from './codec.ts';
import type { PacketPool } from './packet-pool.ts';
import type { ReceiveWindow } from './receive-window.ts';
import { wireSequence } from './sequence.ts';

/** A small window is not announced (RFC 1122 §4.2.3.3): rather none, until there is room for this many bytes. */
const WORTH_ANNOUNCING = 65_536;

export class PacketWriter {
  readonly #pool: PacketPool;
  readonly #send: (packet: Uint8Array) => void;
  readonly #scratch = new Uint8Array(HEADER_LENGTH + 2 + MAX_SACK_BYTES);
  readonly #header: PacketHeader;
  #announced = Number.POSITIVE_INFINITY;

  /** @param connectionId of all packets but calls; @param send gets views that are valid during the call only */
  constructor(connectionId: number, pool: PacketPool, send: (packet: Uint8Array) => void) {
    this.#pool = pool;
    this.#send = send;
    this.#header = {
      type: 0,
      connectionId,
      timestamp: 0,
      timestampDifference: 0,
      window: 0,
      sequence: 0,
      ack: 0,
    };
  }

  /** How long the last packet of the other side took by two clocks, microseconds modulo 2^32. */
  set theirDelay(delay: number) {
    this.#header.timestampDifference = delay;
  }
  /** The window that the other side knows of, bytes. */
  get announced(): number {
    return this.#announced;
  }

  /** A packet that takes no number: `sequence` is that of the next one. */
  bare(type: number, sequence: number, received: ReceiveWindow, now: Millis): void {
    this.#encode(this.#scratch, { type, sequence, received, now });
    this.#send(this.#scratch.subarray(0, HEADER_LENGTH));
  }

  /** An acknowledgement, selective when something is missing. */
  state(type: number, sequence: number, received: ReceiveWindow, now: Millis): void {
    const packet = this.#scratch;
    this.#encode(packet, { type, sequence, received, now });
    const length = received.hasHoles ? sack(packet, received) : HEADER_LENGTH;
    this.#send(packet.subarray(0, length));
  }

  /** A call: it goes by the other one of the two connection ids. */
  syn(type: number, sequence: number, received: ReceiveWindow, now: Millis): void {
    const { connectionId } = this.#header;
    this.#header.connectionId = wireSequence(connectionId - 1);
    this.bare(type, sequence, received, now);
    this.#header.connectionId = connectionId;
  }

  /** A packet whose payload is in its place already; padded to `size` bytes when it is to try that size. */
  data(packet: Uint8Array, what: PacketParts, size: number | undefined): void {
    this.#encode(packet, what);
    if (size === undefined) {
      this.#send(packet);
      return;
    }
    const buffer = this.#pool.acquire(size);
    const padding = size - packet.length;
    buffer.set(packet.subarray(0, HEADER_LENGTH));
    encodePadding(buffer, padding);
    buffer.set(packet.subarray(HEADER_LENGTH), HEADER_LENGTH + padding);
    this.#send(buffer.subarray(0, size));
    this.#pool.release(buffer);
  }

  #encode(into: Uint8Array, { type, sequence, received, now }: PacketParts): void {
    const header = this.#header;
    this.#announced = received.room < WORTH_ANNOUNCING ? 0 : received.room;
    header.type = type;
    header.timestamp = micros(now);
    header.window = this.#announced;
    header.sequence = wireSequence(sequence);
    header.ack = wireSequence(received.next - 1);
    encodeHeader(into, header);
  }
}

/** What the headers of packets differ by. */
export interface PacketParts {
  readonly type: number;
  readonly sequence: number;
  readonly received: ReceiveWindow;
  readonly now: Millis;
}

/** Microseconds modulo 2^32, as packets carry them. */
export function micros(now: Millis): number {
  return (now * 1000) >>> 0;
}

function sack(packet: Uint8Array, received: ReceiveWindow): number {
  const first = received.next + 1;
  const words = Math.ceil((received.highest - first + 1) / 32);
  const bytes = Math.min(MAX_SACK_BYTES, 4 * Math.max(1, words));
  const length = encodeSack(packet, bytes);
  const last = Math.min(received.highest, first + 8 * bytes - 1);
  for (let sequence = first; sequence <= last; sequence++) {
    if (received.has(sequence)) setSackBit(packet, sequence - first);
  }
  return length;
}
