/**
 * Who may stand in the table beside whom, so that nobody fills it with many ids from few addresses: an
 * address has one node, a network few.
 *
 * @module
 */

import type { Buckets } from './buckets.ts';
import { FIRST, SCRATCH } from './records.ts';
import { isBad, isProven } from './standing.ts';

/** Nodes of one network, an IPv4 /24 or an IPv6 /64, in one bucket. */
const NETWORK_IN_BUCKET = 2;
/** The same in the whole table. */
const NETWORK_IN_TABLE = 8;

/**
 * Whether the node in {@link SCRATCH}, whose id nobody in the table has, may come in. If it answered,
 * those in its way who did not, or who are bad, are removed.
 */
export function makeWay(buckets: Buckets, limitAddresses: boolean, tick: number): boolean {
  const rival = buckets.records.findAddress(!limitAddresses);
  if (rival !== undefined && !giveWay(buckets, rival, tick)) return false;
  return !limitAddresses || makeWayInNetwork(buckets, tick);
}

function makeWayInNetwork(buckets: Buckets, tick: number): boolean {
  const { records } = buckets;
  for (;;) {
    const { start, live, spare } = buckets.at(buckets.depthOf(SCRATCH));
    const isCrowded = records.countNetwork(start, start + live + spare) >= NETWORK_IN_BUCKET;
    if (!isCrowded && records.countNetwork(FIRST, records.end) < NETWORK_IN_TABLE) return true;
    if (!isProven(records, SCRATCH)) return false;
    const [from, to] = isCrowded ? [start, start + live + spare] : [FIRST, records.end];
    const weak = firstWeak(buckets, from, to);
    if (weak === undefined) return false;
    buckets.remove(weak, tick);
  }
}

/** A neighbour of the node in {@link SCRATCH} that never answered, or does no more. */
function firstWeak(buckets: Buckets, from: number, to: number): number | undefined {
  for (let slot = from; slot < to; slot++) {
    if (buckets.records.hasNetwork(slot) && isWeak(buckets, slot)) return slot;
  }
  return undefined;
}

/**
 * Removes a node for another one at its address, unless it is there still: then the other one has to
 * wait until this one fails. Only who answered from the very port proves that it is not. Whoever
 * changes its id like that begins anew: it has to answer by the new one, too, when it is pinged.
 */
function giveWay(buckets: Buckets, rival: number, tick: number): boolean {
  const { records } = buckets;
  if (!isProven(records, SCRATCH)) return false;
  if (!isWeak(buckets, rival)) {
    if (!records.hasEndpoint(rival)) return false;
    records.setAnsweredAt(SCRATCH, 0);
    records.setQueriedAt(SCRATCH, tick);
  }
  buckets.remove(rival, tick);
  return true;
}

function isWeak({ records }: Buckets, slot: number): boolean {
  return !isProven(records, slot) || isBad(records, slot);
}
