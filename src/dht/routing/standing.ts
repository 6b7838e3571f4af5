/** Which nodes are good, questionable and bad (BEP 5, "Routing Table"), and which of two is better. @module */

import type { NodeRecords } from './records.ts';
import { MINUTE } from './ticks.ts';

/** `unproven` is who was heard of, and never answered us. */
export type NodeState = 'good' | 'questionable' | 'bad' | 'unproven';

/** How long a sign of life counts. */
export const FRESH_TICKS: number = 15 * MINUTE;
/** So many queries in a row without an answer make a node bad: it is replaced when it can be. */
const BAD_FAILURES = 2;
/** After so many it is forgotten even when there is nobody to replace it. */
export const FORGOTTEN_FAILURES = 5;

export function stateOf(records: NodeRecords, slot: number, tick: number): NodeState {
  if (!isProven(records, slot)) return 'unproven';
  if (isBad(records, slot)) return 'bad';
  return isGood(records, slot, tick) ? 'good' : 'questionable';
}

/** It answered within 15 minutes, or has answered and asked us something within 15 minutes; and it did not fail since. */
export function isGood(records: NodeRecords, slot: number, tick: number): boolean {
  if (records.failures(slot) !== 0) return false;
  const answered = records.answeredAt(slot);
  if (answered === 0) return false;
  return isFresh(answered, tick) || isFresh(records.queriedAt(slot), tick);
}

export function isBad(records: NodeRecords, slot: number): boolean {
  return records.failures(slot) >= BAD_FAILURES;
}

/** It answered us at least once. */
export function isProven(records: NodeRecords, slot: number): boolean {
  return records.answeredAt(slot) !== 0;
}

/** It answered, and what we asked since, if anything, it answered, too. */
export function isSound(records: NodeRecords, slot: number): boolean {
  return records.failures(slot) === 0 && isProven(records, slot);
}

/**
 * A number that is higher for the better: first whether it is good, questionable, failing, unproven or
 * bad, then whether its id follows from its address (BEP 42), then the round trip.
 */
export function rank(records: NodeRecords, slot: number, tick: number): number {
  const verified = records.isVerified(slot) ? VERIFIED_WORTH : 0;
  const speed = VERIFIED_WORTH - 1 - records.rawRtt(slot);
  return classOf(records, slot, tick) * 2 * VERIFIED_WORTH + verified + speed;
}

/** What an id that follows from the address adds to {@link rank}; the round trip counts for less. */
export const VERIFIED_WORTH = 0x1_0000;

/** The first part of {@link rank}. Who answered once is above whoever never did. */
function classOf(records: NodeRecords, slot: number, tick: number): number {
  if (isBad(records, slot)) return 0;
  if (!isProven(records, slot)) return isFresh(records.queriedAt(slot), tick) ? 2 : 1;
  if (records.failures(slot) > 0) return 3;
  return isGood(records, slot, tick) ? 5 : 4;
}

function isFresh(since: number, tick: number): boolean {
  return since !== 0 && tick - since <= FRESH_TICKS;
}
