/** What a tracker knows, in parts that Redis is told one after the other. @module */

import type { Clock } from '../../runtime/ports.ts';
import { memberOf } from './redis-peers.ts';
import type { PeerKind } from './redis-script.ts';
import type { Stop } from './redis-stops.ts';
import type { SwarmView } from './store/index.ts';

/** Peers of one call: Redis does nothing else while it works on them. */
const PEERS_IN_BATCH = 100;
/** Calls under way at once. */
const LANES = 16;

/** A peer as the script that restores is told of it. */
export interface Told {
  readonly member: Uint8Array;
  readonly kind: PeerKind;
  /** Since it was heard of, whole seconds. */
  readonly age: number;
}

/** One call of the script that restores. */
export interface Batch {
  readonly infoHash: Uint8Array;
  /** Downloads that the tracker has counted; 0 in further batches of one copy of a swarm. */
  readonly completed: number;
  readonly peers: readonly Told[];
}

/** Arguments of the script, after the lifetime and the tracker's id. */
export function argumentsOf({ completed, peers }: Batch): readonly (string | Uint8Array)[] {
  const words = peers.flatMap(({ member, kind, age }) => [member, `${kind}${age}`]);
  return [String(completed), ...words];
}

/**
 * Every swarm in batches. Ages are those at the moment at which a batch is taken, so it has to be sent
 * at once. The store counts in ticks: they are rounded up, so that what Redis has heard meanwhile is
 * later.
 */
export function* batchesOf(
  views: Iterable<SwarmView>,
  { clock, tickSeconds }: { readonly clock: Clock; readonly tickSeconds: number },
): Generator<Batch> {
  let current: Uint8Array | undefined;
  let copiedAt = clock.now();
  let takenAt = copiedAt;
  for (const { infoHash, completed, peers } of views) {
    // Views of one swarm are parts of one copy, and share its name.
    const isFirst = infoHash !== current;
    if (isFirst) copiedAt = takenAt;
    current = infoHash;
    for (let at = 0; at === 0 || at < peers.length; at += PEERS_IN_BATCH) {
      const elapsed = (clock.now() - copiedAt) / 1000;
      const told = peers.slice(at, at + PEERS_IN_BATCH).map(
        (peer): Told => ({
          member: memberOf(peer),
          kind: peer.seeding ? 's' : 'l',
          age: Math.ceil(peer.ageSeconds + tickSeconds + elapsed),
        }),
      );
      yield { infoHash, completed: isFirst && at === 0 ? completed : 0, peers: told };
    }
    takenAt = clock.now();
  }
}

/** That a peer has left. */
export function batchOf({ infoHash, member, at }: Stop, clock: Clock): Batch {
  const age = Math.max(0, Math.floor((clock.now() - at) / 1000));
  return { infoHash, completed: 0, peers: [{ member, kind: 'x', age }] };
}

/** Calls `send` for each item, a few at a time. The first that fails ends it: no more are taken then. */
export async function sendAll<T>(
  items: Iterable<T>,
  send: (item: T) => Promise<void>,
): Promise<void> {
  // A generator that all take from; whoever leaves by an error closes it for the others.
  const shared = each(items);
  const lane = async (): Promise<void> => {
    for (const item of shared) await send(item);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

function* each<T>(items: Iterable<T>): Generator<T> {
  yield* items;
}
