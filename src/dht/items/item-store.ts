/** The items that a node keeps for others (BEP 44). @module */

import { equalBytes } from '../../base/bytes.ts';
import { crc32c } from '../../base/crc32c.ts';
import type { Millis } from '../../runtime/ports.ts';
import { commonPrefixBits } from '../distance.ts';
import {
  type DhtItem,
  immutableTarget,
  MAX_SALT_BYTES,
  MAX_SEQUENCE,
  MAX_VALUE_BYTES,
  type MutableItem,
  mutableTarget,
  verifyItem,
} from './item.ts';

export interface ItemStoreOptions {
  /** {@link MAX_ITEMS} by default. */
  readonly maxItems?: number | undefined;
  /** The ids of the node as they are now: when there are too many items, those far from all of them go. */
  readonly ownIds?: (() => readonly Uint8Array[]) | undefined;
}

export interface ItemPut {
  /** `cas`: the item is to replace one of this sequence and no other. */
  readonly compareSequence?: bigint | undefined;
  /** Who puts it, 4 or 16 bytes: what many put is kept for longer. */
  readonly from?: Uint8Array | undefined;
}

export type StoreResult =
  | { readonly type: 'stored' }
  | {
      readonly type: 'refused';
      readonly code: RefusalCode;
      readonly message: string;
    };

/** Of BEP 44; 203 for a sequence out of range. */
type RefusalCode = 203 | 205 | 206 | 207 | 301 | 302;

export class ItemStore {
  readonly #maxItems: number;
  readonly #ownIds: () => readonly Uint8Array[];
  readonly #items = new Map<string, Stored>();

  constructor({ maxItems = MAX_ITEMS, ownIds = () => [] }: ItemStoreOptions = {}) {
    this.#maxItems = Math.max(1, maxItems);
    this.#ownIds = ownIds;
  }

  /** How many there are, among them some that nobody announced for too long. */
  get size(): number {
    return this.#items.size;
  }

  /** The item of a target of 20 bytes. */
  get(target: Uint8Array, now: Millis): DhtItem | undefined {
    return this.#find(keyOf(target), now)?.item;
  }

  /**
   * Keeps a copy of an item for {@link LIFETIME_MS}, or for as long again when it is here already. The
   * value has to be canonical bencode. When there are too many, the least important goes: one that is far
   * from our ids, and that few announce.
   */
  put(item: DhtItem, { compareSequence, from }: ItemPut, now: Millis): StoreResult {
    const fault = faultOf(item);
    if (fault !== undefined) return fault;
    const target = targetOf(item);
    const key = keyOf(target);
    const stored = this.#find(key, now);
    const current = stored?.item;
    const conflict = conflictOf(current, item, compareSequence);
    if (conflict !== undefined) return conflict;
    // The signature comes last: it costs more than all the rest together.
    if (!isSame(current, item) && !verifyItem(item)) return BAD_SIGNATURE;
    if (stored === undefined) {
      if (this.#items.size >= this.#maxItems) this.#dropOne(now);
      this.#items.set(key, new Stored(target, copyOf(item), from, now));
      return STORED;
    }
    if (!isRenewal(current, item)) stored.item = copyOf(item);
    stored.announced(from, now);
    return STORED;
  }

  /** Forgets what nobody announced for {@link LIFETIME_MS}. */
  sweep(now: Millis): void {
    for (const [key, stored] of this.#items) if (stored.isOld(now)) this.#items.delete(key);
  }

  #find(key: string, now: Millis): Stored | undefined {
    const stored = this.#items.get(key);
    if (stored?.isOld(now) !== true) return stored;
    this.#items.delete(key);
    return undefined;
  }

  /** What is too old, else what is least important, of several the one not announced for longest. */
  #dropOne(now: Millis): void {
    const ownIds = this.#ownIds();
    let least:
      | { readonly key: string; readonly importance: number; readonly at: Millis }
      | undefined;
    for (const [key, stored] of this.#items) {
      const importance = stored.isOld(now) ? -1 : stored.importance(ownIds);
      const at = stored.announcedAt;
      if (
        least === undefined ||
        importance < least.importance ||
        (importance === least.importance && at < least.at)
      ) {
        least = { key, importance, at };
      }
    }
    if (least !== undefined) this.#items.delete(least.key);
  }
}

/** An item, and what is known of those who announce it. */
class Stored {
  readonly target: Uint8Array;
  item: DhtItem;
  announcedAt: Millis;
  /** A bit for each address that announced it, in one of 32 places. */
  #announcers = 0;

  constructor(target: Uint8Array, item: DhtItem, from: Uint8Array | undefined, now: Millis) {
    this.target = target;
    this.item = item;
    this.announcedAt = now;
    this.announced(from, now);
  }

  announced(from: Uint8Array | undefined, now: Millis): void {
    this.announcedAt = now;
    // Whoever has one address of IPv6 has 2^64 of them.
    if (from !== undefined) this.#announcers |= 1 << crc32c(from.subarray(0, 8));
  }

  isOld(now: Millis): boolean {
    return now - this.announcedAt >= LIFETIME_MS;
  }

  /** As libtorrent: how many bits the target shares with an id of ours, and one for every 5 announcers. */
  importance(ownIds: readonly Uint8Array[]): number {
    let bits = 0;
    for (const id of ownIds) bits = Math.max(bits, commonPrefixBits(id, this.target));
    return bits + Math.floor(countBits(this.#announcers) / ANNOUNCERS_PER_BIT);
  }
}

/** What is wrong with an item whatever else is stored. */
function faultOf(item: DhtItem): StoreResult | undefined {
  if (item.value.length > MAX_VALUE_BYTES) return TOO_LONG;
  if (item.type === 'immutable') return undefined;
  if (item.salt.length > MAX_SALT_BYTES) return SALT_TOO_LONG;
  return item.sequence < 0n || item.sequence > MAX_SEQUENCE ? BAD_SEQUENCE : undefined;
}

/**
 * Why an item may not take the place of the current one. BEP 44: a sequence that is not above the current
 * one "MUST" be refused, unless it is the same item, which is kept for longer.
 */
function conflictOf(
  current: DhtItem | undefined,
  item: DhtItem,
  compareSequence: bigint | undefined,
): StoreResult | undefined {
  if (current?.type !== 'mutable' || item.type !== 'mutable') return undefined;
  if (compareSequence !== undefined && compareSequence !== current.sequence) return CAS_MISMATCH;
  if (item.sequence > current.sequence || isRenewal(current, item)) return undefined;
  return SEQUENCE_TOO_LOW;
}

/** Whether it is what is stored already; the signature may be another one. */
function isRenewal(current: DhtItem | undefined, item: DhtItem): boolean {
  if (current === undefined || !equalBytes(current.value, item.value)) return false;
  if (current.type === 'immutable' || item.type === 'immutable') return current.type === item.type;
  return current.sequence === item.sequence;
}

/** The same with a signature that was verified. */
function isSame(current: DhtItem | undefined, item: DhtItem): boolean {
  if (!isRenewal(current, item)) return false;
  if (current?.type !== 'mutable' || item.type !== 'mutable') return true;
  return (
    equalBytes(current.signature, item.signature) && equalBytes(current.publicKey, item.publicKey)
  );
}

function targetOf(item: DhtItem): Uint8Array {
  if (item.type === 'immutable') return immutableTarget(item.value);
  return mutableTarget(item.publicKey, item.salt);
}

/** Bytes of messages are views. */
function copyOf(item: DhtItem): DhtItem {
  const value = item.value.slice();
  if (item.type === 'immutable') return { type: 'immutable', value };
  const { publicKey, salt, sequence, signature } = item;
  const copy: MutableItem = {
    type: 'mutable',
    publicKey: publicKey.slice(),
    salt: salt.slice(),
    sequence,
    value,
    signature: signature.slice(),
  };
  return copy;
}

/** A character for each byte: short, and quickly made. */
function keyOf(target: Uint8Array): string {
  return String.fromCharCode(...target);
}

function countBits(word: number): number {
  let count = 0;
  for (let bits = word; bits !== 0; bits &= bits - 1) count++;
  return count;
}

function refusal(code: RefusalCode, message: string): StoreResult {
  return { type: 'refused', code, message };
}

const STORED: StoreResult = { type: 'stored' };
const BAD_SEQUENCE = refusal(203, '"seq" is out of range');
const TOO_LONG = refusal(205, `"v" has more than ${MAX_VALUE_BYTES} bytes`);
const BAD_SIGNATURE = refusal(206, 'invalid signature');
const SALT_TOO_LONG = refusal(207, `"salt" has more than ${MAX_SALT_BYTES} bytes`);
const CAS_MISMATCH = refusal(301, '"cas" is not the current sequence number');
const SEQUENCE_TOO_LOW = refusal(302, '"seq" is not above the current one');

/** BEP 44: items may expire after two hours, and should be announced every hour. */
export const LIFETIME_MS: Millis = 2 * 60 * 60_000;
/** libtorrent has 700 of each kind; these are at most 1.5 MB. */
export const MAX_ITEMS = 1_000;
/** libtorrent's: so many announcers are worth as much as a target half as far away. */
const ANNOUNCERS_PER_BIT = 5;
