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
export const NETWORK_IN_BUCKET = 2;
/** The same in the whole table. */
export const NETWORK_IN_TABLE = 8;

/**
 * Whether the node in {@link SCRATCH}, whose id nobody in the table has, may come in. If it answered,
 * those in its way who did not, or who are bad, are removed.
 */
export function makeWay(buckets: Buckets, limitAddresses: boolean, tick: number): boolean {
  const { records } = buckets;
  const rival = rivalOf(buckets, limitAddresses);
  if (rival !== undefined && !giveWay(buckets, rival, tick)) return false;
  if (!limitAddresses) return true;
  const isHere = (slot: number): boolean => records.hasNetwork(slot, SCRATCH);
  for (;;) {
    const { start, live, spare } = buckets.at(buckets.depthOf(SCRATCH));
    const near = slotsWhere(start, start + live + spare, isHere);
    const all = slotsWhere(FIRST, records.end, isHere);
    if (near.length < NETWORK_IN_BUCKET && all.length < NETWORK_IN_TABLE) return true;
    const inTheWay = near.length < NETWORK_IN_BUCKET ? all : near;
    const weak = inTheWay.find((slot) => isWeak(buckets, slot));
    if (weak === undefined || !isProven(records, SCRATCH)) return false;
    buckets.remove(weak, tick);
  }
}

/** The node that has the address (without limits: the address and port) of the one in {@link SCRATCH}. */
function rivalOf({ records }: Buckets, limitAddresses: boolean): number | undefined {
  for (let slot = FIRST; slot < records.end; slot++) {
    if (limitAddresses ? records.hasAddress(slot, SCRATCH) : records.hasEndpoint(slot, SCRATCH)) {
      return slot;
    }
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
    if (!records.hasEndpoint(rival, SCRATCH)) return false;
    records.setAnsweredAt(SCRATCH, 0);
    records.setQueriedAt(SCRATCH, tick);
  }
  buckets.remove(rival, tick);
  return true;
}

function isWeak({ records }: Buckets, slot: number): boolean {
  return !isProven(records, slot) || isBad(records, slot);
}

function slotsWhere(from: number, to: number, isWanted: (slot: number) => boolean): number[] {
  const slots: number[] = [];
  for (let slot = from; slot < to; slot++) if (isWanted(slot)) slots.push(slot);
  return slots;
}
