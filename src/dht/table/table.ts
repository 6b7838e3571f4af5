/**
 * The routing table of BEP 5: the nodes that we know, few of those far from us, more of those near.
 *
 * Only who has answered a query of ours gets a place. A node that was not heard of for 15 minutes is
 * pinged before another takes its place; whoever has no place waits as a replacement, or is heard of no
 * more. Ids that follow from addresses are preferred (BEP 42).
 *
 * @module
 */

import type { Millis, Random } from '../../runtime/ports.ts';
import type { Contact, Family } from '../contact.ts';
import { ID_BITS, randomIdAtDepth, randomIdWithPrefix } from '../distance.ts';
import { NODE_INFO_LENGTH } from '../node-info.ts';
import { type Bucket, Buckets, roomAt } from './buckets.ts';
import { Closest } from './closest.ts';
import { Placement } from './placement.ts';
import { FIRST, NodeRecords, OWN, SCRATCH } from './records.ts';
import { slotsFrom } from './slots.ts';
import {
  FORGOTTEN_FAILURES,
  FRESH_TICKS,
  isBad,
  isGood,
  isProven,
  isSound,
  rank,
  stateOf,
} from './standing.ts';
import { Ticks } from './ticks.ts';
import type { BucketView, NodeView } from './views.ts';

export interface RoutingOptions {
  readonly family: Family;
  /** 20 bytes. */
  readonly ownId: Uint8Array;
  /** One node of an address, and {@link MAX_PER_NETWORK} of a network in a bucket; default true. */
  readonly limitAddresses?: boolean;
  readonly random: Random;
}

export class RoutingTable {
  readonly #family: Family;
  readonly #limitAddresses: boolean;
  readonly #random: Random;
  readonly #ticks = new Ticks();
  readonly #records: NodeRecords;
  readonly #buckets = new Buckets(1);
  readonly #placement: Placement;
  readonly #nearest: Closest;
  #ownId: Uint8Array;
  /** Where the next search for nodes to ping begins. */
  #nextPinged = 0;

  constructor({ family, ownId, limitAddresses = true, random }: RoutingOptions) {
    this.#family = family;
    this.#limitAddresses = limitAddresses;
    this.#random = random;
    this.#records = new NodeRecords(family);
    this.#placement = new Placement(this.#records, this.#buckets);
    this.#nearest = new Closest(this.#records, this.#buckets);
    this.#ownId = ownId.slice();
    this.#records.loadId(OWN, ownId);
  }

  get ownId(): Uint8Array {
    return this.#ownId;
  }

  /** Nodes that have a place. */
  get size(): number {
    return this.#buckets.live;
  }

  get replacements(): number {
    return this.#buckets.spare;
  }

  /** Memory of all nodes, in bytes. */
  get byteLength(): number {
    return this.#records.byteLength;
  }

  /** It answered a query of ours, perhaps after a measured time: its id and its address are proven. */
  answered(node: Contact, rttMs: Millis | undefined, now: Millis): void {
    const tick = this.#ticks.at(now);
    const records = this.#records;
    if (!this.#load(node)) return;
    const index = this.#placement.bucketOf(SCRATCH);
    const slot = this.#find(index);
    if (slot !== undefined && records.hasEndpoint(slot, SCRATCH)) {
      this.#confirm(index, slot, { tick, rttMs });
      return;
    }
    // The same id elsewhere: whoever had it first keeps it as long as it answers.
    if (slot !== undefined && !isBad(records, slot)) return;
    if (slot !== undefined) this.#placement.remove(index, slot);
    if (!this.#makeWay()) return;
    records.setAnsweredAt(SCRATCH, tick);
    if (rttMs !== undefined) records.measure(SCRATCH, rttMs);
    records.verify();
    this.#placement.place(tick);
  }

  /** It asked us something: that keeps a node alive that has answered before, and makes a replacement of a new one. */
  queried(node: Contact, now: Millis): void {
    this.#mention(node, { asked: true, now });
  }

  /** Others named it, or a file did: a replacement at most. */
  heard(node: Contact, now: Millis): void {
    this.#mention(node, { asked: false, now });
  }

  /** It did not answer in time. */
  failed(node: Contact, now: Millis): void {
    const tick = this.#ticks.at(now);
    const records = this.#records;
    if (!this.#load(node)) return;
    const index = this.#placement.bucketOf(SCRATCH);
    const slot = this.#find(index);
    if (slot === undefined || !records.hasEndpoint(slot, SCRATCH)) return;
    records.setFailures(slot, records.failures(slot) + 1);
    records.setTried(slot, tick, false);
    if (!this.#placement.isLive(index, slot)) {
      this.#placement.remove(index, slot);
    } else if (isBad(records, slot)) {
      const spare = this.#placement.bestSpare(index, tick);
      if (spare !== undefined && isSound(records, spare))
        this.#placement.promote(index, slot, spare);
      else if (records.failures(slot) >= FORGOTTEN_FAILURES) this.#placement.remove(index, slot);
    }
  }

  /**
   * Whom to ping: nodes that have been quiet for 15 minutes, and replacements for places that are free;
   * at most `max`, none that was handed out shortly before.
   */
  takePings(now: Millis, max: number): Contact[] {
    const tick = this.#ticks.at(now);
    const pings: Contact[] = [];
    const { count } = this.#buckets;
    for (let step = 0; step < count && pings.length < max; step++) {
      const index = (this.#nextPinged + step) % count;
      for (const slot of this.#pingable(index, tick)) {
        if (pings.length === max) break;
        this.#records.setTried(slot, tick, true);
        pings.push(this.#records.contact(slot));
      }
    }
    this.#nextPinged = (this.#nextPinged + 1) % count;
    return pings;
  }

  /** The `count` closest to a target that are not bad, nearest first. */
  closest(target: Uint8Array, count: number, now: Millis): Contact[] {
    this.#ticks.at(now);
    return this.#nearest.find(target, count).map((slot) => this.#records.contact(slot));
  }

  /** The same in compact form (BEP 5, BEP 32), as many as fit into `into`. Returns the bytes written. */
  writeClosest(target: Uint8Array, count: number, into: Uint8Array, now: Millis): number {
    this.#ticks.at(now);
    const size = NODE_INFO_LENGTH[this.#family];
    let at = 0;
    for (const slot of this.#nearest.find(
      target,
      Math.min(count, Math.floor(into.length / size)),
    )) {
      this.#records.writeCompact(slot, into, at);
      at += size;
    }
    return at;
  }

  /**
   * A target to look up, of a bucket in which nothing happened for 15 minutes (BEP 5), our own
   * neighbourhood first; `undefined` when none is due. The bucket counts as looked up.
   */
  takeRefresh(now: Millis): Uint8Array | undefined {
    const tick = this.#ticks.at(now);
    for (let index = this.#buckets.last; index >= 0; index--) {
      const bucket = this.#buckets.at(index);
      if (tick - bucket.touched < FRESH_TICKS) continue;
      bucket.touched = tick;
      return index === this.#buckets.last
        ? randomIdWithPrefix(this.#ownId, index, this.#random)
        : randomIdAtDepth(this.#ownId, index, this.#random);
    }
    return undefined;
  }

  /** Our id is another one: all nodes are sorted in anew. */
  rebase(ownId: Uint8Array, now: Millis): void {
    const tick = this.#ticks.at(now);
    const records = this.#records;
    const slots = Array.from({ length: records.end - FIRST }, (_, at) => at + FIRST);
    const nodes = records.cut(slots);
    this.#ownId = ownId.slice();
    records.clear();
    records.loadId(OWN, ownId);
    this.#buckets.reset(tick);
    for (const at of slots.keys()) {
      records.load1(nodes, at);
      if (records.sharedBits(SCRATCH, OWN) === ID_BITS) continue;
      if (!this.#hasRoomInNetwork(this.#placement.bucketOf(SCRATCH))) continue;
      if (isProven(records, SCRATCH)) this.#placement.place(tick);
      else this.#placement.keepSpare(this.#placement.bucketOf(SCRATCH), tick);
    }
  }

  /** Nodes that are not bad in compact form, good ones first, at most {@link MAX_SAVED}. */
  save(now: Millis): Uint8Array {
    const tick = this.#ticks.at(now);
    const slots = [...this.#buckets.liveSlots()].filter((slot) => !isBad(this.#records, slot));
    const ranks = new Map(slots.map((slot) => [slot, rank(this.#records, slot, tick)]));
    slots.sort((one, other) => (ranks.get(other) ?? 0) - (ranks.get(one) ?? 0));
    const size = NODE_INFO_LENGTH[this.#family];
    const saved = slots.slice(0, MAX_SAVED);
    const bytes = new Uint8Array(saved.length * size);
    for (const [at, slot] of saved.entries()) this.#records.writeCompact(slot, bytes, at * size);
    return bytes;
  }

  /** All that there is to see. */
  buckets(now: Millis): readonly BucketView[] {
    const tick = this.#ticks.at(now);
    const records = this.#records;
    const view = (slot: number): NodeView => ({
      ...records.contact(slot),
      state: stateOf(records, slot, tick),
      rttMs: records.rttMs(slot),
      isVerified: records.isVerified(slot),
    });
    return Array.from({ length: this.#buckets.count }, (_, depth) => {
      const { live, spare } = this.#buckets.at(depth);
      const start = this.#buckets.start(depth);
      return {
        depth,
        room: roomAt(depth),
        nodes: slotsFrom(start, live).map(view),
        replacements: slotsFrom(start + live, spare).map(view),
      };
    });
  }

  #mention(node: Contact, { asked, now }: { readonly asked: boolean; readonly now: Millis }): void {
    const tick = this.#ticks.at(now);
    const records = this.#records;
    if (!this.#load(node)) return;
    const index = this.#placement.bucketOf(SCRATCH);
    const slot = this.#find(index);
    if (slot !== undefined) {
      if (asked && records.hasEndpoint(slot, SCRATCH)) records.setQueriedAt(slot, tick);
      return;
    }
    if (this.#taker() !== undefined || !this.#hasRoomInNetwork(index)) return;
    records.setQueriedAt(SCRATCH, tick);
    records.verify();
    this.#placement.keepSpare(index, tick);
  }

  /** Writes a node into the scratch record; false for us, and for one that cannot be. */
  #load(node: Contact): boolean {
    return this.#records.load(node) && this.#records.sharedBits(SCRATCH, OWN) < ID_BITS;
  }

  /** The slot in a bucket of the id in the scratch record. */
  #find(index: number): number | undefined {
    const { live, spare } = this.#buckets.at(index);
    const start = this.#buckets.start(index);
    for (let slot = start; slot < start + live + spare; slot++) {
      if (this.#records.hasId(slot, SCRATCH)) return slot;
    }
    return undefined;
  }

  /** Where the address of the scratch record is taken, or its endpoint where addresses may repeat. */
  #taker(): number | undefined {
    const records = this.#records;
    for (let slot = FIRST; slot < records.end; slot++) {
      if (records.hasEndpoint(slot, SCRATCH)) return slot;
      if (this.#limitAddresses && records.hasAddress(slot, SCRATCH)) return slot;
    }
    return undefined;
  }

  /**
   * Removes who stood in the way of the node in the scratch record, which has just answered: one at the
   * same endpoint has another id now, one at another port of the address goes if it is bad, or unproven.
   */
  #makeWay(): boolean {
    const records = this.#records;
    for (;;) {
      const slot = this.#taker();
      if (slot === undefined) break;
      const isGone = records.hasEndpoint(slot, SCRATCH) || isBad(records, slot);
      if (!isGone && isProven(records, slot)) return false;
      this.#placement.remove(this.#placement.bucketOf(slot), slot);
    }
    return this.#hasRoomInNetwork(this.#placement.bucketOf(SCRATCH));
  }

  #hasRoomInNetwork(index: number): boolean {
    if (!this.#limitAddresses) return true;
    const { live, spare } = this.#buckets.at(index);
    const start = this.#buckets.start(index);
    let count = 0;
    for (let slot = start; slot < start + live + spare; slot++) {
      if (this.#records.hasNetwork(slot, SCRATCH)) count++;
    }
    return count < MAX_PER_NETWORK;
  }

  /** A known node answered. */
  #confirm(
    index: number,
    slot: number,
    { tick, rttMs }: { readonly tick: number; readonly rttMs: Millis | undefined },
  ): void {
    const records = this.#records;
    records.setAnsweredAt(slot, tick);
    records.setFailures(slot, 0);
    records.setTried(slot, tick, false);
    if (rttMs !== undefined) records.measure(slot, rttMs);
    this.#buckets.at(index).touched = tick;
    if (this.#placement.isLive(index, slot)) return;
    records.pick(slot);
    this.#placement.remove(index, slot);
    this.#placement.place(tick);
  }

  /** Slots of a bucket that a ping would tell something about, the most pressing first. */
  #pingable(index: number, tick: number): number[] {
    const bucket = this.#buckets.at(index);
    const start = this.#buckets.start(index);
    const records = this.#records;
    const quiet = slotsFrom(start, bucket.live).filter(
      (slot) => !isGood(records, slot, tick) && !this.#wasJustTried(slot, tick),
    );
    const room = this.#roomFor(index, bucket);
    const waiting = slotsFrom(start + bucket.live, bucket.spare)
      .filter((slot) => !this.#wasJustTried(slot, tick))
      .toSorted((one, other) => rank(records, other, tick) - rank(records, one, tick));
    return [...quiet, ...waiting.slice(0, room)];
  }

  /** How many replacements could get a place, if they answered. */
  #roomFor(index: number, { live }: Bucket): number {
    const free = roomAt(index) - live;
    return free > 0 ? free : index === this.#buckets.last && this.#buckets.mayDivide ? 1 : 0;
  }

  #wasJustTried(slot: number, tick: number): boolean {
    const records = this.#records;
    const isTried = records.isAwaited(slot) || records.failures(slot) > 0;
    return isTried && records.triedFor(slot, tick) < PING_PAUSE;
  }
}

/** Nodes of an IPv4 /24 or an IPv6 /64 in one bucket. */
export const MAX_PER_NETWORK = 2;

/** Nodes of a state file. */
export const MAX_SAVED = 2000;

/** Ticks in which a node is not pinged again: 15 s. */
const PING_PAUSE = 150;
