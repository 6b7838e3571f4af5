/**
 * The sending half of a connection: what was written goes into packets, these go out as the
 * congestion control and the other side's window allow, and again when they are lost.
 *
 * @module
 */

import { ByteQueue } from '../base/byte-queue.ts';
import type { Millis } from '../runtime/ports.ts';
import { PACKET, type PacketReader } from './codec.ts';
import { DelayHistory } from './delays.ts';
import { Ledbat } from './ledbat.ts';
import type { PacketPool } from './packet-pool.ts';
import { PathMtu } from './path-mtu.ts';
import { RoundTrip } from './round-trip.ts';
import { SendWindow } from './send-window.ts';
import { unwrapSequence } from './sequence.ts';

/** What a sender asks of its connection. */
export interface SenderHost {
  /** A packet with its payload in place goes out; padded to `size` bytes when that is to be tried. */
  sendData(packet: Uint8Array, type: number, sequence: number, size: number | undefined): void;
  /** All that was written is in packets. */
  drained(): void;
}

/** No window is larger than what others have room for. */
const MAX_WINDOW = 4 * 1024 * 1024;
/** Bytes in packets beyond those under way: what the writer need not fill at once. */
const MIN_AHEAD = 65_536;
/** A lost end is looked for after so many round trips of silence (RFC 8985 §7.2). */
const TAIL_ROUND_TRIPS = 2;
const SHORTEST_TAIL: Millis = 15;
/** Acknowledgements of the same packet that tell that the next one is missing (BEP 29). */
const DUPLICATE_ACKS = 3;
/** Timeouts in a row after which the other side is gone: about half a minute. */
const MAX_TIMEOUTS = 6;
/** While the other side has no room it is asked less and less often, up to so many doublings. */
const MAX_DOUBLINGS = 4;
/** A trial of a larger packet needs others behind it, to tell its loss from loss in general. */
const PROBE_COMPANY = 4;

export class Sender {
  readonly #host: SenderHost;
  readonly #mtu: PathMtu;
  readonly #ledbat: Ledbat;
  readonly #roundTrip = new RoundTrip();
  readonly #delays = new DelayHistory();
  readonly #out: SendWindow;
  readonly #queue = new ByteQueue();
  #peerWindow = MAX_WINDOW;
  #timeouts = 0;
  #duplicates = 0;
  /** When the wait for the oldest packet began. */
  #waitingSince: Millis;
  #lastSent: Millis;
  #tailProbed = false;
  #blockedSince: Millis | undefined;
  /** When something was sent last, the congestion window was what ended it. */
  #isLimited = false;
  /** Bytes of the packet that is tried. */
  #probeSize = 0;

  /** @param first number of the first packet; @param remote literal address of the other side */
  constructor(
    host: SenderHost,
    {
      first,
      remote,
      now,
    }: { readonly first: number; readonly remote: string; readonly now: Millis },
    pool: PacketPool,
  ) {
    this.#host = host;
    this.#mtu = new PathMtu(remote);
    this.#ledbat = new Ledbat(this.#mtu.payload, MAX_WINDOW);
    this.#out = new SendWindow(first, pool);
    this.#waitingSince = now;
    this.#lastSent = now;
  }

  /** Bytes written that are in no packet yet. */
  get queuedBytes(): number {
    return this.#queue.length;
  }
  /** Number of the packet that is sent first next. */
  get fresh(): number {
    return this.#out.fresh;
  }
  /** The number that the other side has acknowledged up to. */
  get acked(): number {
    return this.#out.first - 1;
  }
  /** The end has arrived, and all before it. */
  get isFinished(): boolean {
    return this.#out.isFinished;
  }
  /** Bytes of the largest packet that is known to pass. */
  get packetSize(): number {
    return this.#mtu.size;
  }
  /** Bytes that may be under way. */
  get window(): number {
    return this.#ledbat.window;
  }
  /** How long to wait for an answer after so many repetitions. */
  patience(repetitions: number): Millis {
    return this.#roundTrip.timeout(repetitions);
  }

  /** Queues `bytes`, which must not change until they are in packets. */
  write(bytes: Uint8Array): void {
    this.#queue.push(bytes);
  }

  /** What is in no packet yet is dropped, and the end comes behind the rest. */
  finish(): void {
    this.#queue.clear();
    this.#out.addFin();
  }

  /** Gives all memory back. */
  clear(): void {
    this.#queue.clear();
    this.#out.clear();
  }

  /** The base delay of the other direction fell by so many microseconds (clock drift). */
  drifted(fell: number): void {
    this.#delays.drifted(fell);
  }

  /** A packet of the other side tells what has arrived there. */
  acknowledged(reader: PacketReader, bytes: Uint8Array, now: Millis): void {
    this.#timeouts = 0;
    // libtorrent: uTorrent sends 2^31 - 1 when it knows none.
    const delay = reader.timestampDifference;
    if (delay !== 0 && delay !== 0x7fff_ffff) this.#delays.sample(delay, now);
    const out = this.#out;
    const ack = unwrapSequence(reader.ack, this.acked);
    if (ack < this.acked) return;
    this.#peerWindow = reader.window;
    const { first } = out;
    out.beginAck();
    const probed = out.acknowledgeUpTo(ack, now);
    const probedApart = reader.sackLength > 0 && this.#selectively(reader, bytes, now);
    if (probed || probedApart) this.#passed(now);
    const { result } = out;
    if (result.packets > 0) {
      if (result.roundTrip !== undefined) this.#roundTrip.sample(result.roundTrip);
      this.#ledbat.acked(result.bytes, this.#delays.queueing, this.#isLimited);
      this.#waitingSince = now;
      this.#tailProbed = false;
    }
    this.#findLosses(reader, result.packets > 0 || out.first > first, now);
  }

  /** From the queue into packets, as far ahead as is of use. */
  fill(): void {
    const ahead = Math.max(MIN_AHEAD, 2 * this.#ledbat.window);
    const { payload } = this.#mtu;
    while (this.#queue.length > 0 && this.#out.buffered < ahead) {
      const chunk = this.#queue.first();
      const taken = this.#out.add(chunk, payload);
      this.#queue.drop(taken);
      if (taken < chunk.length) return;
      if (this.#queue.length === 0) this.#host.drained();
    }
  }

  /** Sends what may be sent; whether that was anything. */
  flush(now: Millis): boolean {
    this.fill();
    let sent = false;
    this.#isLimited = false;
    for (let next = this.#out.next(); next !== undefined; next = this.#out.next()) {
      if (!this.#maySend(next, now)) break;
      this.#send(next, now);
      sent = true;
    }
    return sent;
  }

  /** When {@link timeout} is due; infinite when never. */
  deadline(): Millis {
    const blocked = this.#blockedSince === undefined ? Number.POSITIVE_INFINITY : this.#unblockAt;
    return this.#out.isWaiting ? Math.min(blocked, this.#retransmitAt, this.#tailAt) : blocked;
  }

  /** Time has passed. False when the other side is gone. */
  timeout(now: Millis): boolean {
    if (!this.#out.isWaiting) return true;
    if (now >= this.#retransmitAt) return this.#timedOut(now);
    if (now >= this.#tailAt) this.#probeTail(now);
    return true;
  }

  get #retransmitAt(): Millis {
    return this.#waitingSince + this.#roundTrip.timeout(this.#timeouts);
  }
  get #tailAt(): Millis {
    const { mean } = this.#roundTrip;
    if (mean === undefined || this.#tailProbed || this.#timeouts > 0) {
      return Number.POSITIVE_INFINITY;
    }
    return this.#lastSent + Math.max(SHORTEST_TAIL, TAIL_ROUND_TRIPS * mean);
  }
  get #unblockAt(): Millis {
    return (
      (this.#blockedSince ?? 0) + this.#roundTrip.timeout(Math.min(MAX_DOUBLINGS, this.#timeouts))
    );
  }

  /** BEP 29 "Selective ACK". True when the trial was among them. */
  #selectively(reader: PacketReader, bytes: Uint8Array, now: Millis): boolean {
    const first = unwrapSequence(reader.ack, this.acked) + 2;
    let probed = false;
    for (let index = 0; index < reader.sackLength; index++) {
      const bits = bytes[reader.sackStart + index] ?? 0;
      for (let bit = 0; bits >>> bit !== 0; bit++) {
        if (((bits >>> bit) & 1) === 0) continue;
        probed = this.#out.acknowledge(first + 8 * index + bit, now) || probed;
      }
    }
    return probed;
  }

  #findLosses(reader: PacketReader, moved: boolean, now: Millis): void {
    const { congested, probe } = this.#out.findLosses(now, this.#roundTrip.mean ?? 0);
    if (probe) this.#mtu.failed(this.#probeSize, now);
    if (congested) this.#ledbat.lost();
    if (moved) {
      this.#duplicates = 0;
      return;
    }
    if (reader.type !== PACKET.state || reader.sackLength > 0) return;
    this.#duplicates++;
    if (this.#duplicates === DUPLICATE_ACKS && this.#out.loseFirst()) this.#ledbat.lost();
  }

  #passed(now: Millis): void {
    this.#mtu.passed(this.#probeSize, now);
    this.#ledbat.packetSize(this.#mtu.payload);
  }

  #maySend(sequence: number, now: Millis): boolean {
    const length = this.#out.length(sequence);
    const { underWay } = this.#out;
    if (length === 0) return true;
    if (underWay === 0) return this.#peerWindow >= length || this.#isUnblocked(now);
    this.#isLimited = underWay + length > this.#ledbat.window;
    return !this.#isLimited && underWay + length <= this.#peerWindow;
  }

  /** The other side has no room; one packet now and then asks whether that is still so. */
  #isUnblocked(now: Millis): boolean {
    this.#blockedSince ??= now;
    return now >= this.#unblockAt;
  }

  #send(sequence: number, now: Millis): void {
    this.#blockedSince = undefined;
    if (!this.#out.isWaiting) this.#begin(now);
    this.#lastSent = now;
    const packet = this.#out.packet(sequence);
    const size = this.#trialSize(sequence, packet.length, now);
    if (size !== undefined) this.#probeSize = size;
    const type = this.#out.isFin(sequence) ? PACKET.fin : PACKET.data;
    this.#out.sent(sequence, now, size !== undefined);
    this.#host.sendData(packet, type, sequence, size);
  }

  /** Something goes out after everything before has arrived. */
  #begin(now: Millis): void {
    this.#waitingSince = now;
    this.#tailProbed = false;
    if (now - this.#lastSent > this.#roundTrip.timeout(0)) this.#ledbat.rested();
  }

  /** Bytes that a larger packet would have, when this one is to be tried as such. */
  #trialSize(sequence: number, length: number, now: Millis): number | undefined {
    const out = this.#out;
    if (out.isProbing || out.isSentBefore(sequence) || out.unsent < PROBE_COMPANY) return undefined;
    if (PROBE_COMPANY * this.#mtu.payload > this.#ledbat.window) return undefined;
    const size = this.#mtu.candidate(now);
    return size === undefined || size - length < 2 ? undefined : size;
  }

  #timedOut(now: Millis): boolean {
    if (++this.#timeouts > MAX_TIMEOUTS) return false;
    if (this.#out.loseAll()) this.#mtu.failed(this.#probeSize, now);
    this.#ledbat.timedOut();
    this.#waitingSince = now;
    this.#duplicates = 0;
    return true;
  }

  /** The last packet once more: its acknowledgement tells what is missing before it. */
  #probeTail(now: Millis): void {
    this.#tailProbed = true;
    const tail = this.#out.tail();
    if (tail !== undefined) this.#send(tail, now);
  }
}
