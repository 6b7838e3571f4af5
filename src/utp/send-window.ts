/**
 * Packets on their way out: not sent yet, under way, lost, or acknowledged. They lie in rings by
 * their sequence number, which grow with the window; nothing is allocated for a packet.
 *
 * @module
 */

import type { Millis } from '../runtime/ports.ts';
import { HEADER_LENGTH } from './codec.ts';
import type { PacketPool } from './packet-pool.ts';

/** Packets between the oldest that was not acknowledged and the newest; a power of two. */
const MAX_PACKETS = 4096;
const FIRST_CAPACITY = 16;
/** A packet is lost when so many that were sent later have arrived (BEP 29 "packet loss"). */
const REORDERING = 3;
/** Or when one that was sent by this part of a round trip later has arrived (RFC 9002 §6.1.2). */
const LATE_ROUND_TRIPS = 9 / 8;
/** Below this the clock and the other side's delays count for more. */
const LATE_AT_LEAST: Millis = 2;

const GONE = 0;
const UNSENT = 1;
const UNDER_WAY = 2;
const LOST = 3;

/** What an acknowledgement told. */
export interface AckResult {
  /** Bytes of payload, and packets, that are acknowledged now and were not before. */
  bytes: number;
  packets: number;
  /** Of the packet sent last among those sent once; `undefined` when there is none. */
  roundTrip: Millis | undefined;
}

export class SendWindow {
  readonly #pool: PacketPool;
  #mask = FIRST_CAPACITY - 1;
  #buffers: (Uint8Array | undefined)[] = Array.from({ length: FIRST_CAPACITY });
  #lengths = new Int32Array(FIRST_CAPACITY);
  #states = new Uint8Array(FIRST_CAPACITY);
  #sends = new Uint8Array(FIRST_CAPACITY);
  #sentAt = new Float64Array(FIRST_CAPACITY);
  /** The how manieth transmission of all it was. */
  #orders = new Float64Array(FIRST_CAPACITY);
  #first: number;
  #fresh: number;
  #end: number;
  #fin: number | undefined;
  #underWay = 0;
  #buffered = 0;
  #lost = 0;
  #lostFrom = 0;
  #transmissions = 0;
  #newestOrder = 0;
  #highestAcked: number;
  /** Losses of transmissions up to this one belong to a congestion that is known already. */
  #recovery = 0;
  #probe: number | undefined;
  readonly #result: AckResult = { bytes: 0, packets: 0, roundTrip: undefined };
  #newestSentAt: Millis = 0;

  /** @param first sequence number of the first packet */
  constructor(first: number, pool: PacketPool) {
    this.#first = first;
    this.#fresh = first;
    this.#end = first;
    this.#highestAcked = first - 1;
    this.#pool = pool;
  }

  /** Of the oldest packet that was not acknowledged. */
  get first(): number {
    return this.#first;
  }
  /** Of the packet that is sent first next. */
  get fresh(): number {
    return this.#fresh;
  }
  /** Bytes of payload sent and neither acknowledged nor lost. */
  get underWay(): number {
    return this.#underWay;
  }
  /** Bytes of payload that are not acknowledged, sent or not. */
  get buffered(): number {
    return this.#buffered;
  }
  /** Packets were sent and are not acknowledged. */
  get isWaiting(): boolean {
    return this.#first < this.#fresh;
  }
  /** Everything was acknowledged, the end as well. */
  get isFinished(): boolean {
    return this.#fin !== undefined && this.#first > this.#fin;
  }
  get hasFin(): boolean {
    return this.#fin !== undefined;
  }
  /** How many packets wait to be sent for the first time. */
  get unsent(): number {
    return this.#end - this.#fresh;
  }

  /** Puts bytes into packets of up to `payload` bytes; returns how many found room. */
  add(bytes: Uint8Array, payload: number): number {
    let taken = this.#fill(bytes, payload);
    while (taken < bytes.length && this.#open(payload)) {
      taken += this.#fill(taken === 0 ? bytes : bytes.subarray(taken), payload);
    }
    return taken;
  }

  /** The end is a packet too. */
  addFin(): void {
    if (this.#fin !== undefined || !this.#open(0)) return;
    this.#fin = this.#end - 1;
  }

  isFin(sequence: number): boolean {
    return sequence === this.#fin;
  }

  /** What is to be sent next: first what was lost, then what is new; `undefined` when there is nothing. */
  next(): number | undefined {
    if (this.#lost > 0) {
      while (this.#states[this.#lostFrom & this.#mask] !== LOST) this.#lostFrom++;
      return this.#lostFrom;
    }
    return this.#fresh < this.#end ? this.#fresh : undefined;
  }

  /** The last packet that is under way. */
  tail(): number | undefined {
    for (let sequence = this.#fresh - 1; sequence >= this.#first; sequence--) {
      if (this.#states[sequence & this.#mask] === UNDER_WAY) return sequence;
    }
    return undefined;
  }

  /** Bytes of payload in a packet. */
  length(sequence: number): number {
    return this.#lengths[sequence & this.#mask] ?? 0;
  }
  isSentBefore(sequence: number): boolean {
    return sequence < this.#fresh;
  }

  /** The packet: room for a header, then the payload. */
  packet(sequence: number): Uint8Array {
    const buffer = this.#buffers[sequence & this.#mask] ?? new Uint8Array(HEADER_LENGTH);
    return buffer.subarray(0, HEADER_LENGTH + this.length(sequence));
  }

  /** The packet is going out; as a trial of a larger size when `isProbe`. */
  sent(sequence: number, now: Millis, isProbe: boolean): void {
    const slot = sequence & this.#mask;
    const state = this.#states[slot];
    if (state === LOST) this.#lost--;
    if (state !== UNDER_WAY) this.#underWay += this.#lengths[slot] ?? 0;
    this.#states[slot] = UNDER_WAY;
    this.#sends[slot] = Math.min(255, (this.#sends[slot] ?? 0) + 1);
    this.#sentAt[slot] = now;
    this.#orders[slot] = ++this.#transmissions;
    if (sequence === this.#fresh) this.#fresh++;
    if (isProbe) this.#probe = sequence;
    else if (sequence === this.#probe) this.#probe = undefined;
  }

  /** A trial is under way. */
  get isProbing(): boolean {
    return this.#probe !== undefined;
  }

  /** An acknowledgement is read: first this, then what it covers, then {@link result}. */
  beginAck(): void {
    this.#result.bytes = 0;
    this.#result.packets = 0;
    this.#result.roundTrip = undefined;
    this.#newestSentAt = 0;
  }

  /** All packets up to this one have arrived. True when the trial was among them. */
  acknowledgeUpTo(sequence: number, now: Millis): boolean {
    let probed = false;
    while (this.#first <= sequence) probed = this.acknowledge(this.#first++, now) || probed;
    return probed;
  }

  /** This packet has arrived. True when it was the trial. */
  acknowledge(sequence: number, now: Millis): boolean {
    const slot = sequence & this.#mask;
    const state = this.#states[slot];
    if (state === GONE || state === UNSENT || sequence >= this.#fresh) return false;
    const length = this.#lengths[slot] ?? 0;
    if (state === UNDER_WAY) this.#underWay -= length;
    else this.#lost--;
    this.#result.bytes += length;
    this.#result.packets++;
    this.#note(slot, sequence, now);
    this.#free(slot);
    if (sequence !== this.#probe) return false;
    this.#probe = undefined;
    return true;
  }

  get result(): Readonly<AckResult> {
    return this.#result;
  }

  /** Packets that must be lost, since later ones arrived, are to be sent again. */
  findLosses(
    now: Millis,
    roundTrip: Millis,
  ): { readonly congested: boolean; readonly probe: boolean } {
    const before = now - Math.max(LATE_AT_LEAST, roundTrip * LATE_ROUND_TRIPS);
    let congested = false;
    let probe = false;
    for (let sequence = this.#first; sequence < this.#highestAcked; sequence++) {
      const slot = sequence & this.#mask;
      if (this.#states[slot] !== UNDER_WAY) continue;
      if (!this.#isLost(slot, before)) continue;
      if (sequence === this.#probe) probe = true;
      else congested ||= (this.#orders[slot] ?? 0) > this.#recovery;
      this.#lose(sequence, slot);
    }
    if (congested) this.#recovery = this.#transmissions;
    return congested || probe ? { congested, probe } : NO_LOSS;
  }

  /** The oldest packet under way is taken for lost. False when that is known already, or there is none. */
  loseFirst(): boolean {
    const slot = this.#first & this.#mask;
    if (!this.isWaiting || this.#states[slot] !== UNDER_WAY) return false;
    if ((this.#orders[slot] ?? 0) <= this.#recovery) return false;
    this.#lose(this.#first, slot);
    this.#recovery = this.#transmissions;
    return true;
  }

  /** Nothing came back: all that is under way is to be sent again. True when a trial was among it. */
  loseAll(): boolean {
    const wasProbing = this.isProbing;
    for (let sequence = this.#first; sequence < this.#fresh; sequence++) {
      const slot = sequence & this.#mask;
      if (this.#states[slot] === UNDER_WAY) this.#lose(sequence, slot);
    }
    this.#recovery = this.#transmissions;
    return wasProbing;
  }

  /** Gives all memory back. */
  clear(): void {
    for (let sequence = this.#first; sequence < this.#end; sequence++) {
      const slot = sequence & this.#mask;
      if (this.#states[slot] !== GONE) this.#free(slot);
    }
    this.#first = this.#end;
    this.#fresh = this.#end;
    this.#underWay = 0;
    this.#lost = 0;
    this.#probe = undefined;
  }

  /** Others that were sent later arrived: enough of them, or one that was sent after `before`. */
  #isLost(slot: number, before: Millis): boolean {
    const order = this.#orders[slot] ?? 0;
    if (order + REORDERING <= this.#newestOrder) return true;
    return order < this.#newestOrder && (this.#sentAt[slot] ?? before) < before;
  }

  #note(slot: number, sequence: number, now: Millis): void {
    const order = this.#orders[slot] ?? 0;
    const sentAt = this.#sentAt[slot] ?? now;
    if (order > this.#newestOrder) this.#newestOrder = order;
    if (sequence > this.#highestAcked) this.#highestAcked = sequence;
    if (this.#sends[slot] !== 1 || sentAt < this.#newestSentAt) return;
    this.#newestSentAt = sentAt;
    this.#result.roundTrip = now - sentAt;
  }

  #lose(sequence: number, slot: number): void {
    this.#states[slot] = LOST;
    this.#underWay -= this.#lengths[slot] ?? 0;
    if (this.#lost++ === 0 || sequence < this.#lostFrom) this.#lostFrom = sequence;
    if (sequence === this.#probe) this.#probe = undefined;
  }

  #free(slot: number): void {
    const buffer = this.#buffers[slot];
    if (buffer !== undefined) this.#pool.release(buffer);
    this.#buffers[slot] = undefined;
    this.#states[slot] = GONE;
    this.#buffered -= this.#lengths[slot] ?? 0;
  }

  /** Into the last packet, while it has not been sent. */
  #fill(bytes: Uint8Array, payload: number): number {
    if (this.#end === this.#fresh) return 0;
    const slot = (this.#end - 1) & this.#mask;
    const buffer = this.#buffers[slot];
    const length = this.#lengths[slot] ?? 0;
    if (buffer === undefined) return 0;
    const room = Math.min(payload, buffer.length - HEADER_LENGTH) - length;
    const taken = Math.min(room, bytes.length);
    if (taken <= 0) return 0;
    buffer.set(taken === bytes.length ? bytes : bytes.subarray(0, taken), HEADER_LENGTH + length);
    this.#lengths[slot] = length + taken;
    this.#buffered += taken;
    return taken;
  }

  /** A new packet at the end. */
  #open(payload: number): boolean {
    const count = this.#end - this.#first;
    if (count >= MAX_PACKETS) return false;
    if (count > this.#mask) this.#grow();
    const slot = this.#end & this.#mask;
    this.#buffers[slot] = this.#pool.acquire(HEADER_LENGTH + payload);
    this.#lengths[slot] = 0;
    this.#sends[slot] = 0;
    this.#states[slot] = UNSENT;
    this.#end++;
    return true;
  }

  #grow(): void {
    const capacity = 2 * (this.#mask + 1);
    const mask = capacity - 1;
    const buffers: (Uint8Array | undefined)[] = Array.from({ length: capacity });
    const moved = {
      lengths: new Int32Array(capacity),
      states: new Uint8Array(capacity),
      sends: new Uint8Array(capacity),
      sentAt: new Float64Array(capacity),
      orders: new Float64Array(capacity),
    };
    for (let sequence = this.#first; sequence < this.#end; sequence++) {
      const [from, to] = [sequence & this.#mask, sequence & mask];
      buffers[to] = this.#buffers[from];
      moved.lengths[to] = this.#lengths[from] ?? 0;
      moved.states[to] = this.#states[from] ?? GONE;
      moved.sends[to] = this.#sends[from] ?? 0;
      moved.sentAt[to] = this.#sentAt[from] ?? 0;
      moved.orders[to] = this.#orders[from] ?? 0;
    }
    this.#mask = mask;
    this.#buffers = buffers;
    this.#lengths = moved.lengths;
    this.#states = moved.states;
    this.#sends = moved.sends;
    this.#sentAt = moved.sentAt;
    this.#orders = moved.orders;
  }
}

const NO_LOSS = { congested: false, probe: false } as const;
