/** Whom to ping, so that the table knows who is there, and who can replace whom. @module */

import type { Buckets } from './buckets.ts';
import { isBad, isGood, isSound } from './standing.ts';
import { MINUTE } from './ticks.ts';

/** A ping of which nothing was heard for so long is lost, whoever lost it. */
const LOST_TICKS: number = MINUTE;
/** A bad node that nobody can replace is tried so seldom. */
const RETRY_TICKS: number = 5 * MINUTE;

/**
 * Slots of at most `max` nodes to ping, in turn of three kinds: candidates that would find a place,
 * questionable nodes whose place others wait for, and all other questionable ones, so that they stay
 * good; those in buckets near us and those that were silent for longest first.
 */
export function dueForPing(buckets: Buckets, tick: number, max: number): number[] {
  const { records } = buckets;
  const kinds: Record<Kind, number[]> = { candidate: [], challenged: [], quiet: [] };
  for (let depth = buckets.list.length - 1; depth >= 0; depth--) {
    const { start, live, spare } = buckets.at(depth);
    const waits = spare > 0 && live >= buckets.capacity(depth);
    for (let slot = start; slot < start + live; slot++) {
      if (isDue(buckets, slot, tick)) kinds[waits ? 'challenged' : 'quiet'].push(slot);
    }
    const opening = openingOf(buckets, depth);
    for (let slot = start + live; slot < start + live + spare; slot++) {
      if (isWaiting(buckets, slot, tick)) continue;
      if (!isSound(records, slot) && wouldFit(buckets, slot, opening)) kinds.candidate.push(slot);
    }
  }
  const bySilence = (a: number, b: number): number => records.answeredAt(a) - records.answeredAt(b);
  return inTurn(
    [kinds.challenged.toSorted(bySilence), kinds.candidate, kinds.quiet.toSorted(bySilence)],
    max,
  );
}

type Kind = 'candidate' | 'challenged' | 'quiet';

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

function wouldFit({ records }: Buckets, slot: number, opening: Opening): boolean {
  return opening === 'all' || (opening === 'verified' && records.isVerified(slot));
}

/** A live node that is not known to be there now. */
function isDue(buckets: Buckets, slot: number, tick: number): boolean {
  const { records } = buckets;
  if (isGood(records, slot, tick) || isWaiting(buckets, slot, tick)) return false;
  return !isBad(records, slot) || records.triedFor(slot, tick) >= RETRY_TICKS;
}

function isWaiting({ records }: Buckets, slot: number, tick: number): boolean {
  return records.isAwaited(slot) && records.triedFor(slot, tick) < LOST_TICKS;
}

/** One of each list after the other, until there are `max` or no more. */
function inTurn(lists: readonly (readonly number[])[], max: number): number[] {
  const chosen: number[] = [];
  const longest = Math.max(...lists.map((list) => list.length));
  for (let at = 0; at < longest; at++) {
    for (const list of lists) {
      const slot = list[at];
      if (slot !== undefined && chosen.length < max) chosen.push(slot);
    }
  }
  return chosen;
}
