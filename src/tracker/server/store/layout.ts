/**
 * Where things lie in the memory of a store.
 *
 * Three buffers: `table` (32-bit words: header, shards, slots, records of swarms), `arena` (32-bit
 * words: the peers) and `marks` (a byte for each unit of the arena: which free block begins there).
 * They are as large as the limits allow from the beginning, and cost address space only: the system
 * gives memory to a page when something is written there.
 *
 * @module
 */

import type { Random } from '../../../runtime/ports.ts';

export interface SwarmStoreOptions {
  /** Several threads use it: memory is shared, and shards are locked. */
  readonly shared: boolean;
  readonly maxPeers: number;
  readonly maxSwarms: number;
  /** Memory for all, in bytes; peers get 4 GiB of it at most. */
  readonly maxBytes: number;
  /** Seeds the hashing of infohashes and addresses, which strangers choose, and the sampling. */
  readonly random: Random;
  /** A peer is forgotten after this long without an announce, in seconds. */
  readonly peerLifetimeSeconds: number;
}

/** All there is to know of a store, in a form that a thread can be given. */
export interface StoreHandle {
  readonly shared: boolean;
  readonly table: ArrayBufferLike;
  readonly arena: ArrayBufferLike;
  readonly marks: ArrayBufferLike;
  readonly maxPeers: number;
  readonly maxSwarms: number;
  readonly peerLifetimeSeconds: number;
  /** Seconds of a tick: the time of the last announce is kept in ticks, in 16 bits. */
  readonly tickSeconds: number;
  /** A power of two. */
  readonly shards: number;
  /** A power of two. */
  readonly slotsPerShard: number;
  readonly recordsPerShard: number;
  readonly key0: number;
  readonly key1: number;
}

/** Words of the header that count or tell the time. */
export const HEADER = {
  time: 0,
  tick: 1,
  tickedAt: 2,
  instances: 3,
  peers: 4,
  peers4: 5,
  seeders: 6,
  swarms: 7,
  completedLow: 8,
  completedHigh: 9,
  idHigh: 10,
  idLow: 11,
} as const;

/** Words of the header that belong to the arena, in cache lines of their own. */
export const ARENA = { lock: 16, orders: 17, used: 18, held: 19, heads: 32 } as const;

/** Words of a shard, each in a cache line of its own. */
export const SHARD = { lock: 0, high: 1, free: 2, oldest: 3, newest: 4 } as const;

/** Words of the record of a swarm: 64 bytes. `next` and `prev` chain free or quiet records. */
export const RECORD = { infoHash: 0, completed: 5, next: 6, prev: 7, four: 8, six: 12 } as const;

/** Words of a family in a record: where its chunk begins, its class, how many seeds, how many peers. */
export const CHUNK = { unit: 0, class: 1, seeds: 2, total: 3 } as const;

/** `prev` of a record that is not in use. */
export const FREE = -1;

export const RECORD_WORDS = 16;
export const INFO_HASH_WORDS = 5;
export const PEER_ID_WORDS = 5;
/** The smallest block of the arena: 32 bytes. */
export const UNIT_WORDS = 8;

const SHARDS_AT = 64;
const SHARD_WORDS = 16;
/** Shards of a shared store: threads rarely meet in one. */
const SHARED_SHARDS = 64;
/** Infohashes fall into shards by chance: room for those that get more. */
const SHARD_SLACK = 1_024;
/** An entry of a slot has 24 bits for the record. */
const MAX_RECORDS = 0xff_ffff - SHARD_SLACK;
/** What a peer may cost at worst: IPv6, with an index, in a chunk that has just grown. */
const MAX_BYTES_PER_PEER = 128;
const MAX_ARENA_BYTES = 4 * 1024 ** 3;
const UNIT_BYTES = UNIT_WORDS * 4;
const BYTES_PER_SWARM = RECORD_WORDS * 4 + 16;
/** Lifetimes are at most this many ticks, so that 16 bits never come round within a few of them. */
const LIFETIME_TICKS = 8_192;

/** Word of `table` where a shard's own words begin. */
export function shardAt(shard: number): number {
  return SHARDS_AT + shard * SHARD_WORDS;
}

/** Word of `table` where a shard's slots begin. */
export function slotsAt(handle: StoreHandle, shard: number): number {
  return shardAt(handle.shards) + shard * handle.slotsPerShard;
}

/** Word of `table` where a shard's records begin. */
export function recordsAt(handle: StoreHandle, shard: number): number {
  return slotsAt(handle, handle.shards) + shard * handle.recordsPerShard * RECORD_WORDS;
}

/** Fresh memory, all zeros. */
export function createHandle(options: SwarmStoreOptions): StoreHandle {
  const { shared, random } = options;
  const peerLifetimeSeconds = Math.max(1, options.peerLifetimeSeconds);
  const affordable = Math.floor(options.maxBytes / 2 / BYTES_PER_SWARM);
  const maxSwarms = Math.max(1, Math.min(options.maxSwarms, affordable, MAX_RECORDS));
  const maxPeers = Math.max(1, options.maxPeers);
  const shards = shared ? SHARED_SHARDS : 1;
  const recordsPerShard = Math.min(
    maxSwarms,
    Math.ceil((maxSwarms / shards) * 1.1) + (shared ? SHARD_SLACK : 0),
  );
  const slotsPerShard = powerOfTwo(Math.ceil(recordsPerShard * 1.5));
  const tableBytes =
    4 * (shardAt(shards) + shards * (slotsPerShard + recordsPerShard * RECORD_WORDS));
  const units = Math.floor(
    arenaBytes(options.maxBytes - maxSwarms * BYTES_PER_SWARM, maxPeers) / UNIT_BYTES,
  );
  const buffer = (bytes: number): ArrayBufferLike =>
    shared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes);
  return {
    shared,
    table: buffer(tableBytes),
    arena: buffer(units * UNIT_BYTES),
    marks: buffer(units),
    maxPeers,
    maxSwarms,
    peerLifetimeSeconds,
    tickSeconds: Math.ceil(peerLifetimeSeconds / LIFETIME_TICKS),
    shards,
    slotsPerShard,
    recordsPerShard,
    key0: random.uint32() | 0,
    key1: random.uint32() | 0,
  };
}

function arenaBytes(left: number, maxPeers: number): number {
  // Chunks are doubled by copying: the smallest stores need room for both.
  const wanted = maxPeers * MAX_BYTES_PER_PEER + 4_096;
  return Math.max(UNIT_BYTES * 4, Math.min(left, wanted, MAX_ARENA_BYTES));
}

function powerOfTwo(atLeast: number): number {
  let size = 1;
  while (size < atLeast) size *= 2;
  return size;
}
