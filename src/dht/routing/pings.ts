/** Whom to ping, so that the table knows who is there, and who can replace whom. @module */

import type { Buckets } from './buckets.ts';
import type { NodeRecords } from './records.ts';
import { isBad, isGood, isSound } from './standing.ts';
import { MINUTE } from './ticks.ts';

/** A ping of which nothing was heard for so long is lost, whoever lost it. */
const LOST_TICKS: number = MINUTE;
/** Whoever failed is left alone for so long: what made it fail may pass. */
const PAUSE_TICKS: number = MINUTE / 4;
/** A bad node that nobody can replace is tried so seldom. */
const RETRY_TICKS: number = 5 * MINUTE;

/**
 * Slots of at most `max` nodes to ping, in turn of three kinds: questionable nodes whose place others
 * wait for, candidates that would find a place, and all other questionable ones, so that they stay
 * good; those that were silent for longest first. Candidates of all buckets come in turn, too, beginning
 * with another one for each `turn`, so that nobody who fills one bucket keeps those of others waiting.
 */
export function dueForPing(
  buckets: Buckets,
  tick: number,
  { max, turn }: { readonly max: number; readonly turn: number },
): number[] {
  const { records } = buckets;
  const count = buckets.list.length;
  const challenged: number[] = [];
  const quiet: number[] = [];
  const candidates: number[][] = [];
  for (let step = 0; step < count; step++) {
    const depth = (step + turn) % count;
    const { start, live, spare } = buckets.at(depth);
    const isWanted = spare > 0 && live >= buckets.capacity(depth);
    for (let slot = start; slot < start + live; slot++) {
      if (isDue(records, slot, tick)) (isWanted ? challenged : quiet).push(slot);
    }
    if (spare > 0) candidates.push(candidatesOf(buckets, depth, tick));
  }
  const bySilence = (a: number, b: number): number =>
    silence(records, b, tick) - silence(records, a, tick);
  const lists = [
    challenged.toSorted(bySilence),
    inTurn(candidates, max),
    quiet.toSorted(bySilence),
  ];
  return inTurn(lists, max);
}

/** Notes that a node which had failed gave a sign of life: the next ping is due soon, but not at once. */
export function hasten(records: NodeRecords, slot: number, tick: number): void {
  if (records.failures(slot) === 0 || isResting(records, slot, tick)) return;
  records.setTried(slot, tick - RETRY_TICKS, false);
}

/** Those of a bucket that wait, and that an answer would give a place. */
function candidatesOf(buckets: Buckets, depth: number, tick: number): number[] {
  const { records } = buckets;
  const { start, live, spare } = buckets.at(depth);
  const opening = openingOf(buckets, depth);
  const found: number[] = [];
  for (let slot = start + live; slot < start + live + spare; slot++) {
    if (isSound(records, slot) || isResting(records, slot, tick)) continue;
    if (opening === 'all' || (opening === 'verified' && records.isVerified(slot))) found.push(slot);
  }
  return found;
}

/** For whom a bucket has a place, or soon may have one. */
type Opening = 'all' | 'verified' | 'none';

function openingOf(buckets: Buckets, depth: number): Opening {
  if (buckets.hasRoom(depth)) return 'all';
  const { records } = buckets;
  const { start, live } = buckets.at(depth);
  let opening: Opening = 'none';
  for (let slot = start; slot < start + live; slot++) {
    if (records.failures(slot) > 0) return 'all';
    if (!records.isVerified(slot)) opening = 'verified';
  }
  return opening;
}

/** A live node that is not known to be there now. */
function isDue(records: NodeRecords, slot: number, tick: number): boolean {
  if (isGood(records, slot, tick) || isResting(records, slot, tick)) return false;
  return !isBad(records, slot) || records.triedFor(slot, tick) >= RETRY_TICKS;
}

/** It was asked, or failed, a moment ago. */
function isResting(records: NodeRecords, slot: number, tick: number): boolean {
  if (!isTried(records, slot)) return false;
  const pause = records.isAwaited(slot) ? LOST_TICKS : PAUSE_TICKS;
  return records.triedFor(slot, tick) < pause;
}

/** Ticks since it answered, or was asked in vain. */
function silence(records: NodeRecords, slot: number, tick: number): number {
  const since = tick - records.answeredAt(slot);
  return isTried(records, slot) ? Math.min(since, records.triedFor(slot, tick)) : since;
}

function isTried(records: NodeRecords, slot: number): boolean {
  return records.isAwaited(slot) || records.failures(slot) > 0;
}

/** One of each list after the other, until there are `max` or no more. */
function inTurn(lists: readonly (readonly number[])[], max: number): number[] {
  const chosen: number[] = [];
  const longest = Math.max(0, ...lists.map((list) => list.length));
  for (let at = 0; at < longest && chosen.length < max; at++) {
    for (const list of lists) {
      const slot = list[at];
      if (slot !== undefined && chosen.length < max) chosen.push(slot);
    }
  }
  return chosen;
}
