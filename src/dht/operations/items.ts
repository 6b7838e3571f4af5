/** Items of the DHT: found and checked, written to the closest nodes (BEP 44). @module */

import { equalBytes } from '../../base/bytes.ts';
import {
  type DhtItem,
  immutableTarget,
  type MutableItem,
  mutableTarget,
  verifyItem,
} from '../items/index.ts';
import type { KrpcResponse, QueryArguments } from '../krpc/index.ts';
import type { Candidate } from '../lookup/candidate.ts';
import type { LookupEvent, LookupNode, LookupSummary } from '../lookup/events.ts';
import { type SearchContext, search } from '../search.ts';
import { type WriteResult, writeToClosest } from './write.ts';

export interface GetOptions {
  readonly signal: AbortSignal;
  /** Of mutable items; up to 64 bytes, default none. */
  readonly salt?: Uint8Array | undefined;
  readonly onEvent?: ((event: LookupEvent) => void) | undefined;
  /** Called for the first item that is valid, and for each newer one. */
  readonly onItem?: ((item: DhtItem, from: LookupNode) => void) | undefined;
  /** Called for each node that gave an item that is none of this target. */
  readonly onForgery?: ((from: LookupNode) => void) | undefined;
}

export interface GetResult {
  readonly lookup: LookupSummary;
  /** The newest that is valid; undefined when nobody has one. */
  readonly item: DhtItem | undefined;
  /** Nodes that gave it. */
  readonly copies: number;
}

/**
 * Searches for the item of a target. Copies are taken of what is found.
 *
 * @throws `signal.reason` when aborted.
 */
export async function getItem(
  context: SearchContext,
  target: Uint8Array,
  options: GetOptions,
): Promise<GetResult> {
  const { lookup, holders } = await findHolders(context, target, options);
  return { lookup, item: holders.item, copies: holders.copies };
}

export interface PutOptions extends GetOptions {
  /**
   * Makes the item to write of the newest that was found.
   * @throws when there is to be none.
   */
  readonly make: (current: DhtItem | undefined) => DhtItem;
  /** Replaces only an item of this sequence (`cas`). */
  readonly compareSequence?: bigint | undefined;
  readonly onWrite?: ((result: WriteResult) => void) | undefined;
}

export interface PutResult extends GetResult {
  /** What was written. */
  readonly written: DhtItem;
  readonly writes: readonly WriteResult[];
}

/**
 * Searches for the closest nodes to a target and writes an item to them.
 *
 * @throws `signal.reason` when aborted, and what `make` throws.
 */
export async function putItem(
  context: SearchContext,
  target: Uint8Array,
  options: PutOptions,
): Promise<PutResult> {
  const { signal, make, compareSequence, onWrite } = options;
  const { lookup, holders, answered } = await findHolders(context, target, options);
  const written = make(holders.item);
  const writes = await writeToClosest(context, answered, {
    method: 'put',
    // BEP 44: no cas for a node that has nothing to compare it with.
    argsFor: (node) => putArgs(written, holders.has(node) ? compareSequence : undefined),
    signal,
    onWrite,
  });
  return { lookup, item: holders.item, copies: holders.copies, written, writes };
}

interface Found {
  readonly lookup: LookupSummary;
  readonly answered: readonly Candidate[];
  readonly holders: Holders;
}

async function findHolders(
  context: SearchContext,
  target: Uint8Array,
  options: GetOptions,
): Promise<Found> {
  const { signal, onEvent } = options;
  const holders = new Holders(target, options);
  const { summary, answered } = await search(context, target, {
    question: { method: 'get', args: { target } },
    signal,
    onEvent,
    onAnswer: (response, from) => holders.add(response, from),
  });
  return { lookup: summary, answered, holders };
}

/** Judges what nodes give for a target, and keeps the newest. */
class Holders {
  readonly #target: Uint8Array;
  readonly #options: GetOptions;
  readonly #nodes = new Set<LookupNode>();
  #item: DhtItem | undefined;
  #copies = 0;

  constructor(target: Uint8Array, options: GetOptions) {
    this.#target = target;
    this.#options = options;
  }

  get item(): DhtItem | undefined {
    return this.#item;
  }

  get copies(): number {
    return this.#copies;
  }

  has(node: LookupNode): boolean {
    return this.#nodes.has(node);
  }

  add(response: KrpcResponse, from: LookupNode): void {
    if (response.sequence !== undefined || response.value !== undefined) this.#nodes.add(from);
    const item = itemOf(response, this.#options.salt ?? NO_SALT);
    if (item === undefined) return;
    if (this.#isSame(item)) this.#copies++;
    // A signature costs a millisecond: what could not be newer is not looked at.
    else if (this.#isNewer(item)) this.#judge(item, from);
  }

  #judge(item: DhtItem, from: LookupNode): void {
    if (!equalBytes(targetOf(item), this.#target) || !verifyItem(item)) {
      this.#nodes.delete(from);
      this.#options.onForgery?.(from);
      return;
    }
    this.#item = item;
    this.#copies = 1;
    this.#options.onItem?.(item, from);
  }

  #isSame(item: DhtItem): boolean {
    const known = this.#item;
    if (known === undefined || !equalBytes(known.value, item.value)) return false;
    if (known.type === 'immutable' || item.type === 'immutable') return known.type === item.type;
    return (
      known.sequence === item.sequence &&
      equalBytes(known.publicKey, item.publicKey) &&
      equalBytes(known.signature, item.signature)
    );
  }

  #isNewer(item: DhtItem): boolean {
    const known = this.#item;
    if (known === undefined) return true;
    return known.type === 'mutable' && item.type === 'mutable' && item.sequence > known.sequence;
  }
}

function itemOf(response: KrpcResponse, salt: Uint8Array): DhtItem | undefined {
  const { value, publicKey, signature, sequence } = response;
  if (value === undefined) return undefined;
  if (publicKey === undefined) return { type: 'immutable', value: value.slice() };
  if (signature === undefined || sequence === undefined) return undefined;
  return {
    type: 'mutable',
    value: value.slice(),
    publicKey: publicKey.slice(),
    signature: signature.slice(),
    sequence,
    salt,
  };
}

/** Where an item belongs: 20 bytes. */
export function targetOf(item: DhtItem): Uint8Array {
  return item.type === 'immutable'
    ? immutableTarget(item.value)
    : mutableTarget(item.publicKey, item.salt);
}

function putArgs(item: DhtItem, compareSequence: bigint | undefined): Omit<QueryArguments, 'id'> {
  return item.type === 'immutable'
    ? { value: item.value }
    : { ...mutableArgs(item), compareSequence };
}

function mutableArgs(item: MutableItem): Omit<QueryArguments, 'id'> {
  const { value, publicKey, signature, sequence, salt } = item;
  return { value, publicKey, signature, sequence, salt: salt.length === 0 ? undefined : salt };
}

const NO_SALT = new Uint8Array(0);
