/** The routing table of one node in the DHT of one family (BEP 5, "Routing Table"). @module */

import type { Millis, Random } from '../../runtime/ports.ts';
import type { Contact, Family } from '../contact.ts';
import { randomIdAtDepth } from '../distance.ts';
import { NODE_INFO_LENGTH } from '../node-info.ts';
import { makeWay } from './admission.ts';
import { Buckets } from './buckets.ts';
import { nearest } from './nearest.ts';
import { dueForPing, hasten } from './pings.ts';
import { FIRST, NodeRecords, OWN, SCRATCH } from './records.ts';
import {
  FORGOTTEN_FAILURES,
  FRESH_TICKS,
  isBad,
  isGood,
  isProven,
  isSound,
  rank,
} from './standing.ts';
import { Ticks } from './ticks.ts';
import { type BucketView, viewBucket } from './view.ts';

/** Nodes that {@link RoutingTable.save} gives at most. */
const SAVED_NODES = 200;

export interface RoutingOptions {
  readonly family: Family;
  /** 20 bytes; copied. */
  readonly ownId: Uint8Array;
  /** One node per address and few per /24 or /64 in a bucket; off for networks on loopback. Default true. */
  readonly limitAddresses?: boolean;
  /** The first four buckets hold 128, 64, 32 and 16 nodes instead of 8. Default true. */
  readonly extended?: boolean;
  /** For targets of refreshes. */
  readonly random: Random;
}

/**
 * Live nodes, which have answered us, and beside them spares: candidates that are still to answer, and
 * a cache of replacements. What is heard of a node that is not one of the family, or cannot be, is
 * ignored; so is our own id.
 *
 * Good nodes are never replaced by others that are as good; a node that is silent is pinged, twice,
 * before another one gets its place. The exception is BEP 42: an id that does not follow from its
 * node's address gives way to one that does.
 */
export class RoutingTable {
  readonly #buckets: Buckets;
  readonly #records: NodeRecords;
  readonly #ticks = new Ticks();
  readonly #limitAddresses: boolean;
  readonly #random: Random;
  #ownId: Uint8Array;
  /** Failures of our nodes since anybody answered. */
  #silence = 0;
  /** How often it was asked whom to ping. */
  #turn = 0;

  constructor({ family, ownId, random, limitAddresses = true, extended = true }: RoutingOptions) {
    this.#records = new NodeRecords(family);
    this.#buckets = new Buckets(this.#records, extended);
    this.#limitAddresses = limitAddresses;
    this.#random = random;
    this.#ownId = ownId.slice();
    this.#records.loadId(OWN, ownId);
  }

  /** 20 bytes; not to be changed. */
  get ownId(): Uint8Array {
    return this.#ownId;
  }

  /** Live nodes. */
  get size(): number {
    return this.#buckets.list.reduce((sum, { live }) => sum + live, 0);
  }

  /** Spares: candidates and replacements. */
  get replacements(): number {
    return this.#records.end - FIRST - this.size;
  }

  /** Bytes that the nodes take. */
  get byteLength(): number {
    return this.#records.byteLength;
  }

  /** It answered a query of ours: its id and address are proven. `rttMs` when measured. */
  answered(node: Contact, rttMs: Millis | undefined, now: Millis): void {
    const tick = this.#ticks.at(now);
    this.#silence = 0;
    const slot = this.#find(node);
    if (slot === undefined) return;
    const records = this.#records;
    if (slot === SCRATCH) {
      markAnswered(records, SCRATCH, tick, rttMs);
      this.#admit(tick);
    } else if (records.hasEndpoint(slot)) {
      markAnswered(records, slot, tick, rttMs);
      this.#confirmed(slot, tick);
    } else if (!isProven(records, slot) || isBad(records, slot)) {
      // It moved, or somebody told us a wrong address.
      this.#buckets.remove(slot, tick);
      markAnswered(records, SCRATCH, tick, rttMs);
      this.#admit(tick);
    }
  }

  /**
   * It asked us something, and answers queries itself (BEP 43): that keeps a node good which has
   * answered us before; an unknown one becomes a candidate if there is room for it.
   */
  queried(node: Contact, now: Millis): void {
    const tick = this.#ticks.at(now);
    const slot = this.#find(node);
    if (slot === undefined) return;
    const records = this.#records;
    if (slot !== SCRATCH) {
      if (!records.hasEndpoint(slot)) return;
      records.setQueriedAt(slot, tick);
      hasten(records, slot, tick);
    } else {
      records.setQueriedAt(SCRATCH, tick);
      this.#admit(tick);
    }
  }

  /** Named by another node, restored from a file, or known from elsewhere: a candidate at most. */
  heard(node: Contact, now: Millis): void {
    const tick = this.#ticks.at(now);
    if (this.#find(node) !== SCRATCH) return;
    this.#records.setQueriedAt(SCRATCH, tick);
    this.#admit(tick);
  }

  /**
   * It did not answer in time. When nobody answers any more, it is we who are cut off, and nodes do
   * not suffer for it.
   */
  failed(node: Contact, now: Millis): void {
    const tick = this.#ticks.at(now);
    const slot = this.#find(node);
    if (slot === undefined || slot === SCRATCH) return;
    const records = this.#records;
    if (!records.hasEndpoint(slot)) return;
    const isCutOff = this.#silence >= CUT_OFF_FAILURES;
    records.setTried(slot, tick, isCutOff);
    if (isCutOff) return;
    this.#silence++;
    records.setFailures(slot, records.failures(slot) + 1);
    if (!isProven(records, slot) || this.#isUseless(slot)) this.#buckets.remove(slot, tick);
    else this.#buckets.settle(this.#buckets.depthOf(slot), tick);
  }

  /**
   * Whom to ping now, at most `max`: candidates with a place for them, questionable nodes whose place
   * others wait for, and then all other questionable ones; each not again for a minute, or for a
   * quarter of one after it failed.
   */
  takePings(now: Millis, max: number): Contact[] {
    const tick = this.#ticks.at(now);
    const slots = dueForPing(this.#buckets, tick, { max, turn: this.#turn++ });
    return slots.map((slot) => {
      this.#records.setTried(slot, tick, true);
      return this.#records.contact(slot);
    });
  }

  /** The `count` nodes closest to a target, 20 bytes, nearest first, of those that answered and are not bad. */
  closest(target: Uint8Array, count: number, now: Millis): Contact[] {
    this.#ticks.at(now);
    this.#records.loadId(SCRATCH, target);
    const isHopeful = (slot: number): boolean => !isBad(this.#records, slot);
    const slots = nearest(this.#buckets, count, isHopeful);
    return slots.map((slot) => this.#records.contact(slot));
  }

  /**
   * The good nodes closest to a target, 20 bytes, nearest first, in the compact form for `nodes` or
   * `nodes6` of an answer; where they are too few, questionable ones that did not fail behind them.
   * Gives the number of bytes written, for at most `count` nodes, as many as fit `into`.
   */
  writeClosest(target: Uint8Array, count: number, into: Uint8Array, now: Millis): number {
    const tick = this.#ticks.at(now);
    const records = this.#records;
    records.loadId(SCRATCH, target);
    const length = NODE_INFO_LENGTH[records.family];
    const limit = Math.min(count, Math.floor(into.length / length));
    const isFine = (slot: number): boolean => isGood(records, slot, tick);
    const slots = nearest(this.#buckets, limit, isFine);
    let at = this.#write(slots, into, 0);
    if (slots.length < limit) {
      const isQuiet = (slot: number): boolean => isSound(records, slot) && !isFine(slot);
      at = this.#write(nearest(this.#buckets, limit - slots.length, isQuiet), into, at);
    }
    return at;
  }

  /**
   * A target to look up in a bucket that was quiet for 15 minutes, the nearest to us first, which is
   * looked up by our own id; `undefined` when none is due, or there is nobody to ask.
   */
  takeRefresh(now: Millis): Uint8Array | undefined {
    const tick = this.#ticks.at(now);
    if (this.#records.end === FIRST) return undefined;
    const last = this.#buckets.list.length - 1;
    for (let depth = last; depth >= 0; depth--) {
      const bucket = this.#buckets.at(depth);
      if (bucket.changedAt !== 0 && tick - bucket.changedAt < FRESH_TICKS) continue;
      bucket.changedAt = tick;
      return depth === last
        ? this.#ownId.slice()
        : randomIdAtDepth(this.#ownId, depth, this.#random);
    }
    return undefined;
  }

  /** Our id is another one, 20 bytes (BEP 42): all nodes are sorted in anew, and stay what they are. */
  rebase(ownId: Uint8Array, now: Millis): void {
    const tick = this.#ticks.at(now);
    const records = this.#records;
    const all = this.#buckets.takeAll();
    this.#ownId = ownId.slice();
    records.loadId(OWN, ownId);
    for (let at = 0; records.unpack(all, at); at++) {
      if (!records.isOwn()) this.#admit(tick);
    }
  }

  /**
   * The best nodes in compact form for a state file, best first, at most {@link SAVED_NODES}: good
   * ones, then those that were only not heard of for long. When nobody ever answered, it is those that
   * were heard of, so that a run without a network does not lose the nodes of the one before.
   */
  save(now: Millis): Uint8Array {
    const tick = this.#ticks.at(now);
    const records = this.#records;
    const all = Array.from({ length: records.end - FIRST }, (_, at) => at + FIRST);
    const sound = all.filter((slot) => isSound(records, slot));
    const isVirgin = !all.some((slot) => isProven(records, slot));
    const byRank = (a: number, b: number): number =>
      rank(records, b, tick) - rank(records, a, tick);
    const saved = (isVirgin ? all : sound.toSorted(byRank)).slice(0, SAVED_NODES);
    const bytes = new Uint8Array(saved.length * NODE_INFO_LENGTH[records.family]);
    this.#write(saved, bytes, 0);
    return bytes;
  }

  /** What is in it, for displays: the buckets from the farthest on. */
  buckets(now: Millis): readonly BucketView[] {
    const tick = this.#ticks.at(now);
    return this.#buckets.list.map((_, depth) => viewBucket(this.#buckets, depth, tick));
  }

  /** The slot of the node's id, {@link SCRATCH} when it is not there; `undefined` for whom we do not want. */
  #find(node: Contact): number | undefined {
    const records = this.#records;
    if (!records.load(node) || records.isOwn()) return undefined;
    return this.#buckets.find() ?? SCRATCH;
  }

  #admit(tick: number): void {
    if (makeWay(this.#buckets, this.#limitAddresses, tick)) this.#buckets.admit(tick);
  }

  /** A node that was there has answered: a spare may get a place. */
  #confirmed(slot: number, tick: number): void {
    const depth = this.#buckets.depthOf(slot);
    const bucket = this.#buckets.at(depth);
    if (slot >= bucket.start + bucket.live) {
      this.#records.pick(slot);
      this.#buckets.take(slot);
      this.#buckets.admit(tick);
    } else if (bucket.live >= this.#buckets.capacity(depth)) {
      // A bucket with free places is to be filled: only new nodes are a change of it.
      bucket.changedAt = tick;
    }
  }

  /** A live node that failed too often, or a spare that could not replace anybody. */
  #isUseless(slot: number): boolean {
    const { start, live } = this.#buckets.at(this.#buckets.depthOf(slot));
    const isSpare = slot >= start + live;
    return isSpare
      ? isBad(this.#records, slot)
      : this.#records.failures(slot) >= FORGOTTEN_FAILURES;
  }

  #write(slots: readonly number[], into: Uint8Array, from: number): number {
    const length = NODE_INFO_LENGTH[this.#records.family];
    for (const [at, slot] of slots.entries()) {
      this.#records.writeCompact(slot, into, from + at * length);
    }
    return from + slots.length * length;
  }
}

function markAnswered(
  records: NodeRecords,
  slot: number,
  tick: number,
  rttMs: Millis | undefined,
): void {
  records.setAnsweredAt(slot, tick);
  records.setFailures(slot, 0);
  records.forgetTried(slot);
  if (rttMs !== undefined) records.measure(slot, rttMs);
}

/** So many failures in a row, and nobody answers: the network is away, not the nodes. */
const CUT_OFF_FAILURES = 16;
