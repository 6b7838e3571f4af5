/** What holds for every routing table at any time, by what it shows of itself. @module */

import { expect } from 'vitest';
import { formatHex } from '../../../src/base/bytes.ts';
import type { Contact, Family } from '../../../src/dht/contact.ts';
import { commonPrefixBits, compareDistance } from '../../../src/dht/distance.ts';
import { decodeNodes, NODE_INFO_LENGTH } from '../../../src/dht/node-info.ts';
import type { BucketView, NodeView, RoutingTable } from '../../../src/dht/routing/index.ts';
import { ipOf } from './nodes.ts';

/** A node in one word. */
export function nameOf({ id, endpoint }: Contact): string {
  return `${formatHex(id)}@${endpoint.host}:${endpoint.port}`;
}

export function namesOf(nodes: readonly Contact[]): string[] {
  return nodes.map((node) => nameOf(node));
}

export function liveNodes(table: RoutingTable, now: number): NodeView[] {
  return table.buckets(now).flatMap(({ nodes }) => nodes);
}

export function spareNodes(table: RoutingTable, now: number): NodeView[] {
  return table.buckets(now).flatMap(({ replacements }) => replacements);
}

export interface Expected {
  readonly family: Family;
  readonly extended: boolean;
  readonly limitAddresses: boolean;
}

/** Fails when the table is not in order. */
export function expectOrder(
  table: RoutingTable,
  buckets: readonly BucketView[],
  expected: Expected,
): void {
  expect([...faults(table, buckets, expected)]).toEqual([]);
}

function* faults(
  table: RoutingTable,
  buckets: readonly BucketView[],
  { family, extended, limitAddresses }: Expected,
): Generator<string> {
  const live = buckets.flatMap(({ nodes }) => nodes);
  const spare = buckets.flatMap(({ replacements }) => replacements);
  const all = [...live, ...spare];
  if (table.size !== live.length) yield `the size is ${table.size}, not ${live.length}`;
  if (table.replacements !== spare.length) yield `${table.replacements} are not ${spare.length}`;
  for (const [depth, bucket] of buckets.entries()) {
    if (bucket.depth !== depth) yield `a bucket of ${bucket.depth} at ${depth}`;
    if (bucket.room !== (extended ? (FIRST_ROOMS[depth] ?? 8) : 8)) yield `room ${bucket.room}`;
    yield* faultsOfBucket(bucket, table.ownId, depth === buckets.length - 1);
  }
  yield* repeated(all.map(({ id }) => formatHex(id)));
  yield* repeated(all.map(({ endpoint }) => `${endpoint.host} ${endpoint.port}`));
  for (const { endpoint } of all) {
    if (ipOf(endpoint.host).length !== (family === 4 ? 4 : 16)) yield `${endpoint.host} is here`;
  }
  if (limitAddresses) yield* faultsOfNetworks(buckets);
}

const FIRST_ROOMS = [128, 64, 32, 16];

function* faultsOfBucket(
  { depth, room, nodes, replacements }: BucketView,
  ownId: Uint8Array,
  isLast: boolean,
): Generator<string> {
  if (nodes.length > room) yield `${nodes.length} nodes for ${room} places`;
  if (nodes.length + replacements.length > room + 8) yield `${replacements.length} wait`;
  for (const node of [...nodes, ...replacements]) {
    const shared = commonPrefixBits(node.id, ownId);
    const isHere = isLast ? shared >= depth && shared < 160 : shared === depth;
    if (!isHere) yield `${nameOf(node)} is in bucket ${depth}`;
  }
  const states = nodes.map(({ state }) => state);
  if (states.includes('unproven')) yield `bucket ${depth} has nodes that never answered`;
  const hasPlace = nodes.length < room || states.includes('bad');
  if (hasPlace && replacements.some(({ state }) => state === 'good')) yield 'a good one waits';
}

function* repeated(names: readonly string[]): Generator<string> {
  if (new Set(names).size === names.length) return;
  for (const [at, name] of names.entries())
    if (names.indexOf(name) < at) yield `${name} is twice here`;
}

function* faultsOfNetworks(buckets: readonly BucketView[]): Generator<string> {
  const hosts = buckets.map(({ nodes, replacements }) =>
    [...nodes, ...replacements].map(({ endpoint }) => endpoint.host),
  );
  yield* repeated(hosts.flat());
  for (const ofBucket of hosts) yield* crowded(ofBucket, 2);
  yield* crowded(hosts.flat(), 8);
}

function* crowded(hosts: readonly string[], limit: number): Generator<string> {
  const counts = new Map<string, number>();
  for (const host of hosts) {
    const network = networkOf(host);
    counts.set(network, (counts.get(network) ?? 0) + 1);
  }
  for (const [network, count] of counts) if (count > limit) yield `${count} nodes of ${network}`;
}

/** The IPv4 /24, or the IPv6 /64. */
export function networkOf(host: string): string {
  const ip = ipOf(host);
  return formatHex(ip.subarray(0, ip.length === 4 ? 3 : 8));
}

export interface Asked {
  readonly target: Uint8Array;
  readonly count: number;
  readonly now: number;
  readonly family: Family;
  /** Whether it failed to answer the last time that it was asked. */
  readonly hasFailed: (node: NodeView) => boolean;
}

/** Fails unless the table finds the closest to a target that looking at all of its nodes finds. */
export function expectClosest(table: RoutingTable, asked: Asked): void {
  const { target, count, now, family, hasFailed } = asked;
  const live = liveNodes(table, now).toSorted((a, b) => compareDistance(target, a.id, b.id));
  const notBad = live.filter(({ state }) => state !== 'bad');
  expect(namesOf(table.closest(target, count, now))).toEqual(namesOf(notBad.slice(0, count)));
  const good = live.filter(({ state }) => state === 'good');
  const quiet = live.filter((node) => node.state === 'questionable' && !hasFailed(node));
  const into = new Uint8Array(count * NODE_INFO_LENGTH[family] + 7).fill(0xee);
  const length = table.writeClosest(target, count + 9, into, now);
  const written = decodeNodes(into.subarray(0, length), family);
  expect(namesOf(written)).toEqual(namesOf([...good, ...quiet].slice(0, count)));
  expect(
    into.subarray(length).every((byte) => byte === 0xee),
    'nothing behind it',
  ).toBe(true);
}
