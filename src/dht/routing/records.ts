/**
 * What a table knows of its nodes, in one array of numbers: 40 bytes for a node of IPv4, 52 for one of
 * IPv6, and no object. A record is named by its slot; those of a bucket lie side by side.
 *
 * @module
 */

import { formatIp, parseIp } from '../../base/ip.ts';
import { readUint32, writeUint32 } from '../../base/uint32.ts';
import type { Millis } from '../../runtime/ports.ts';
import type { Contact, Family } from '../contact.ts';
import { ID_BITS, ID_BYTES } from '../distance.ts';
import { NODE_INFO_LENGTH } from '../node-info.ts';
import { isPlausible } from '../plausible.ts';
import { isSecureId } from '../secure-id.ts';

/** Where the node that is spoken of is written to, and the target that distances are measured to. */
export const SCRATCH = 0;
/** The record that holds our own id. */
export const OWN = 1;
/** The first slot of a node in a table. */
export const FIRST = 2;

/**
 * The records, from slot {@link FIRST} on without a gap. Times are ticks, which are above 0; 0 says that
 * it never was.
 */
export class NodeRecords {
  readonly family: Family;
  readonly #stride: number;
  #words: Uint32Array;
  #end = FIRST;

  constructor(family: Family) {
    this.family = family;
    this.#stride = ADDRESS + (family === 4 ? 1 : 4);
    this.#words = new Uint32Array((FIRST + SLACK) * this.#stride);
  }

  /** The slot behind the last one. */
  get end(): number {
    return this.#end;
  }

  /** Memory that is taken, in bytes. */
  get byteLength(): number {
    return this.#words.byteLength;
  }

  /** Writes a node of which nothing more is known into {@link SCRATCH}; false for one that cannot be. */
  load({ id, endpoint }: Contact): boolean {
    const ip = parseIp(endpoint.host);
    if (ip === undefined || ip.length !== (this.family === 4 ? 4 : 16)) return false;
    if (id.length !== ID_BYTES || !isPlausible(ip, endpoint.port)) return false;
    this.#words.fill(0, 0, this.#stride);
    this.loadId(SCRATCH, id);
    this.#words[PORT] = (endpoint.port << 16) | NO_RTT;
    for (let at = 0; at < ip.length; at += 4) {
      this.#words[ADDRESS + (at >>> 2)] = readUint32(ip, at);
    }
    return true;
  }

  /** Writes an id into {@link SCRATCH} or {@link OWN}. */
  loadId(slot: typeof SCRATCH | typeof OWN, id: Uint8Array): void {
    const from = slot * this.#stride;
    for (let at = 0; at < ID_WORDS; at++) this.#words[from + at] = readUint32(id, 4 * at);
  }

  /** Copies {@link SCRATCH} to `slot`; those from there on move up by one. */
  insert(slot: number): void {
    const stride = this.#stride;
    if ((this.#end + 1) * stride > this.#words.length) this.#grow();
    this.#words.copyWithin((slot + 1) * stride, slot * stride, this.#end * stride);
    this.#words.copyWithin(slot * stride, SCRATCH, stride);
    this.#end++;
  }

  /** Those behind `slot` move down by one. */
  remove(slot: number): void {
    const stride = this.#stride;
    this.#words.copyWithin(slot * stride, (slot + 1) * stride, this.#end * stride);
    this.#end--;
  }

  /** Forgets all nodes. */
  clear(): void {
    this.#end = FIRST;
  }

  swap(a: number, b: number): void {
    const words = this.#words;
    const [from, to] = [a * this.#stride, b * this.#stride];
    for (let at = 0; at < this.#stride; at++) {
      const word = words[from + at] ?? 0;
      words[from + at] = words[to + at] ?? 0;
      words[to + at] = word;
    }
  }

  /** Copies a record to {@link SCRATCH}. */
  pick(slot: number): void {
    this.#words.copyWithin(SCRATCH, slot * this.#stride, (slot + 1) * this.#stride);
  }

  /** A copy of the records in `slots`, in their order. */
  cut(slots: readonly number[]): Uint32Array {
    const stride = this.#stride;
    const copy = new Uint32Array(slots.length * stride);
    for (const [at, slot] of slots.entries()) {
      copy.set(this.#words.subarray(slot * stride, (slot + 1) * stride), at * stride);
    }
    return copy;
  }

  /** Puts what {@link cut} gave over the records from `slot` on. */
  paste(copy: Uint32Array, slot: number): void {
    this.#words.set(copy, slot * this.#stride);
  }

  /** Copies the record `at` of what {@link cut} gave to {@link SCRATCH}; false when it has no more. */
  unpack(copy: Uint32Array, at: number): boolean {
    const record = copy.subarray(at * this.#stride, (at + 1) * this.#stride);
    this.#words.set(record);
    return record.length > 0;
  }

  /** The leading bits that two ids share, 0 to 160. */
  sharedBits(a: number, b: number): number {
    const [left, right] = [a * this.#stride, b * this.#stride];
    for (let at = 0; at < ID_WORDS; at++) {
      const difference = (this.#words[left + at] ?? 0) ^ (this.#words[right + at] ?? 0);
      if (difference !== 0) return 32 * at + Math.clz32(difference);
    }
    return ID_BITS;
  }

  /** `count` bits (1 to 8) of the id from bit `from` on; bits beyond the end are 0. */
  idBits(slot: number, from: number, count: number): number {
    const at = from >>> 5;
    const shift = from & 31;
    const base = slot * this.#stride;
    const high = at < ID_WORDS ? (this.#words[base + at] ?? 0) << shift : 0;
    const hasLow = at + 1 < ID_WORDS && shift > 0;
    const low = hasLow ? (this.#words[base + at + 1] ?? 0) >>> (32 - shift) : 0;
    return (high | low) >>> (32 - count);
  }

  /** The first slot from `from` to before `to` with the id in {@link SCRATCH}. */
  findId(from: number, to: number): number | undefined {
    const words = this.#words;
    const first = words[SCRATCH];
    let at = from * this.#stride;
    for (let slot = from; slot < to; slot++, at += this.#stride) {
      if (words[at] === first && this.#agree(slot, 0, ID_WORDS)) return slot;
    }
    return undefined;
  }

  /** The first slot of a node with the address in {@link SCRATCH}, and with its port if `withPort`. */
  findAddress(withPort: boolean): number | undefined {
    const words = this.#words;
    // Addresses of IPv6 differ rather in their end.
    const last = this.#stride - 1;
    const word = words[last];
    let at = FIRST * this.#stride + last;
    for (let slot = FIRST; slot < this.#end; slot++, at += this.#stride) {
      if (words[at] !== word || !this.#agree(slot, ADDRESS, this.#stride)) continue;
      if (!withPort || this.#port(slot) === this.#port(SCRATCH)) return slot;
    }
    return undefined;
  }

  /** Whether the node has the address and port in {@link SCRATCH}. */
  hasEndpoint(slot: number): boolean {
    return this.#port(slot) === this.#port(SCRATCH) && this.#agree(slot, ADDRESS, this.#stride);
  }

  /** How many nodes from `from` to before `to` are in the IPv4 /24, or IPv6 /64, of the one in {@link SCRATCH}. */
  countNetwork(from: number, to: number): number {
    let count = 0;
    for (let slot = from; slot < to; slot++) if (this.hasNetwork(slot)) count++;
    return count;
  }

  hasNetwork(slot: number): boolean {
    const at = slot * this.#stride + ADDRESS;
    const difference = (this.#words[at] ?? 0) ^ (this.#words[ADDRESS] ?? 0);
    if (this.family === 4) return difference >>> 8 === 0;
    return difference === 0 && this.#words[at + 1] === this.#words[ADDRESS + 1];
  }

  /** Whether the node in {@link SCRATCH} has our own id. */
  isOwn(): boolean {
    return this.#agree(OWN, 0, ID_WORDS);
  }

  /**
   * The first slot from `from` to before `to` of a node of which the first 32 bits of the distance to
   * {@link SCRATCH} are not above `limit`; `to` when there is none.
   */
  seek(from: number, to: number, limit: number): number {
    const words = this.#words;
    const stride = this.#stride;
    const target = words[SCRATCH] ?? 0;
    let at = from * stride;
    for (let slot = from; slot < to; slot++, at += stride) {
      if (((words[at] ?? 0) ^ target) >>> 0 <= limit) return slot;
    }
    return to;
  }

  /** The first 32 bits of the distance to the id in {@link SCRATCH}. */
  distance(slot: number): number {
    return ((this.#words[slot * this.#stride] ?? 0) ^ (this.#words[SCRATCH] ?? 0)) >>> 0;
  }

  /** Whether `a` is closer than `b` to the id in {@link SCRATCH}. */
  isCloser(a: number, b: number): boolean {
    const words = this.#words;
    const [left, right] = [a * this.#stride, b * this.#stride];
    for (let at = 0; at < ID_WORDS; at++) {
      const one = words[left + at] ?? 0;
      const other = words[right + at] ?? 0;
      if (one === other) continue;
      const target = words[at] ?? 0;
      return (one ^ target) >>> 0 < (other ^ target) >>> 0;
    }
    return false;
  }

  /** Round trip; `undefined` when none was measured. */
  rttMs(slot: number): Millis | undefined {
    const rtt = this.rawRtt(slot);
    return rtt === NO_RTT ? undefined : rtt;
  }

  /** The same as a number to compare: 65,535 when none was measured. */
  rawRtt(slot: number): number {
    return (this.#words[slot * this.#stride + PORT] ?? 0) & 0xffff;
  }

  /** Takes a measured round trip into the mean, in which the last one counts for a third. */
  measure(slot: number, rttMs: Millis): void {
    const old = this.rttMs(slot);
    const mean = old === undefined ? rttMs : (2 * old + rttMs) / 3;
    const rtt = Math.min(Math.max(0, Math.round(mean)), NO_RTT - 1);
    this.#words[slot * this.#stride + PORT] = (this.#port(slot) << 16) | rtt;
  }

  answeredAt(slot: number): number {
    return this.#words[slot * this.#stride + ANSWERED] ?? 0;
  }

  setAnsweredAt(slot: number, tick: number): void {
    this.#words[slot * this.#stride + ANSWERED] = tick;
  }

  /** When it last asked us something; of one that never answered, when we last heard of it. */
  queriedAt(slot: number): number {
    return this.#words[slot * this.#stride + QUERIED] ?? 0;
  }

  setQueriedAt(slot: number, tick: number): void {
    this.#words[slot * this.#stride + QUERIED] = tick;
  }

  /** Queries in a row that it did not answer, up to 15. */
  failures(slot: number): number {
    return this.#state(slot) & FAILURES;
  }

  setFailures(slot: number, failures: number): void {
    this.#setState(slot, (this.#state(slot) & ~FAILURES) | Math.min(failures, FAILURES));
  }

  /** Its id follows from its address (BEP 42). */
  isVerified(slot: number): boolean {
    return (this.#state(slot) & VERIFIED) !== 0;
  }

  /** Finds out whether the id of the node in {@link SCRATCH} follows from its address. */
  verify(): void {
    const { id, ip } = this.#identity(SCRATCH);
    if (isSecureId(id, ip)) this.#setState(SCRATCH, this.#state(SCRATCH) | VERIFIED);
  }

  /** A ping was handed out, and nothing was heard of it since. */
  isAwaited(slot: number): boolean {
    return (this.#state(slot) & AWAITED) !== 0;
  }

  /** Ticks since it was last pinged or failed; of the time before 19 days, anything. */
  triedFor(slot: number, tick: number): number {
    return (tick - (this.#state(slot) >>> TRIED)) & TRIED_MASK;
  }

  /** Notes that it was pinged (`awaited`) or failed (not `awaited`) at `tick`. */
  setTried(slot: number, tick: number, awaited: boolean): void {
    const rest = this.#state(slot) & (FAILURES | VERIFIED);
    this.#setState(slot, (tick << TRIED) | rest | (awaited ? AWAITED : 0));
  }

  /** As if it had never been pinged: the next ping is due when its state says so. */
  forgetTried(slot: number): void {
    this.#setState(slot, this.#state(slot) & (FAILURES | VERIFIED));
  }

  /** The node as others know it; copied. */
  contact(slot: number): Contact {
    const { id, ip } = this.#identity(slot);
    return { id, endpoint: { host: formatIp(ip), port: this.#port(slot) } };
  }

  /** Writes the compact form, 26 or 38 bytes, which have to fit. */
  writeCompact(slot: number, into: Uint8Array, at: number): void {
    const from = slot * this.#stride;
    for (let word = 0; word < ID_WORDS; word++) {
      writeUint32(into, at + 4 * word, this.#words[from + word] ?? 0);
    }
    for (let word = ADDRESS; word < this.#stride; word++) {
      writeUint32(into, at + ID_BYTES + 4 * (word - ADDRESS), this.#words[from + word] ?? 0);
    }
    const end = at + NODE_INFO_LENGTH[this.family];
    const port = this.#port(slot);
    into[end - 2] = port >>> 8;
    into[end - 1] = port;
  }

  #identity(slot: number): { readonly id: Uint8Array; readonly ip: Uint8Array } {
    const compact = new Uint8Array(NODE_INFO_LENGTH[this.family]);
    this.writeCompact(slot, compact, 0);
    return { id: compact.slice(0, ID_BYTES), ip: compact.subarray(ID_BYTES, compact.length - 2) };
  }

  /** Whether words `from` to before `to` are those of {@link SCRATCH}. */
  #agree(slot: number, from: number, to: number): boolean {
    const base = slot * this.#stride;
    for (let at = from; at < to; at++) {
      if (this.#words[base + at] !== this.#words[at]) return false;
    }
    return true;
  }

  #port(slot: number): number {
    return (this.#words[slot * this.#stride + PORT] ?? 0) >>> 16;
  }

  #state(slot: number): number {
    return this.#words[slot * this.#stride + STATE] ?? 0;
  }

  #setState(slot: number, state: number): void {
    this.#words[slot * this.#stride + STATE] = state;
  }

  /** By an eighth: tables grow seldom, and there may be many of them. */
  #grow(): void {
    const grown = new Uint32Array((this.#end + SLACK + (this.#end >>> 3)) * this.#stride);
    grown.set(this.#words);
    this.#words = grown;
  }
}

/** Words of a record: the id from 0 on, then these, the address last. */
const ID_WORDS = ID_BYTES / 4;
/** The port above, the round trip in milliseconds below. */
const PORT = ID_WORDS;
const ANSWERED = PORT + 1;
const QUERIED = ANSWERED + 1;
/** Failures, two marks, and in the upper 24 bits when it was last tried. */
const STATE = QUERIED + 1;
const ADDRESS = STATE + 1;

const FAILURES = 0x0f;
const VERIFIED = 0x10;
const AWAITED = 0x20;
const TRIED = 8;
const TRIED_MASK = 0xff_ffff;

const NO_RTT = 0xffff;
/** Slots that are made in advance. */
const SLACK = 8;
