/**
 * Whom to serve: tit-for-tat by rate with an optimistic place (BEP 3 "choking"). While downloading,
 * those who give most; while seeding, those who take most.
 *
 * @module
 */

import type { Random } from '../runtime/ports.ts';

/** How often {@link TitForTat.choose} is to be called; BEP 3: "every ten seconds". */
export const RECHOKE_INTERVAL = 10_000;
/** The optimistic place changes hands every third time, that is every 30 s (BEP 3). */
const OPTIMISTIC_ROUNDS = 3;
/** Places, the optimistic one included; libtorrent's `unchoke_slots_limit`. */
const SLOTS = 8;

export interface ChokeCandidate<Peer> {
  readonly peer: Peer;
  readonly interested: boolean;
  /** Bytes per second that decide: from the peer while downloading, to it while seeding. */
  readonly rate: number;
}

export class TitForTat<Peer> {
  readonly slots: number;
  readonly #random: Random;
  #round = 0;
  #optimistic: Peer | undefined;

  constructor(random: Random, slots: number = SLOTS) {
    this.#random = random;
    this.slots = slots;
  }

  /** The peers to be served until the next call. */
  choose(candidates: readonly ChokeCandidate<Peer>[]): Set<Peer> {
    const interested = candidates.filter((candidate) => candidate.interested);
    if (interested.length <= this.slots) return new Set(interested.map(({ peer }) => peer));
    const ranked = interested.toSorted((a, b) => b.rate - a.rate);
    const chosen = new Set(ranked.slice(0, this.slots - 1).map(({ peer }) => peer));
    const rest = ranked.slice(this.slots - 1).map(({ peer }) => peer);
    if (this.#round % OPTIMISTIC_ROUNDS === 0 || !includes(rest, this.#optimistic)) {
      this.#optimistic = rest[this.#random.uint32() % rest.length];
    }
    this.#round++;
    if (this.#optimistic !== undefined) chosen.add(this.#optimistic);
    return chosen;
  }
}

function includes<Item>(items: readonly Item[], item: Item | undefined): boolean {
  return item !== undefined && items.includes(item);
}
