/** The order in which the trackers of a torrent are asked (BEP 12). @module */

import type { Random } from '../runtime/ports.ts';

/** Tiers in their order, shuffled inside; the tracker that answered goes first in its tier. */
export class TrackerTiers {
  readonly #tiers: string[][] = [];

  /** Repeated URLs stay where they stand first; empty tiers are dropped. */
  constructor(tiers: readonly (readonly string[])[], random: Random) {
    const seen = new Set<string>();
    for (const tier of tiers) {
      const fresh = tier.filter((url) => !seen.has(url) && seen.add(url));
      if (fresh.length > 0) this.#tiers.push(shuffle([...new Set(fresh)], random));
    }
  }

  /** All trackers in the order to ask them. */
  get order(): readonly string[] {
    return this.#tiers.flat();
  }

  /** The tiers as they are now. */
  get tiers(): readonly (readonly string[])[] {
    return this.#tiers.map((tier) => [...tier]);
  }

  /** `url` answered: it moves to the front of its tier. */
  answered(url: string): void {
    const tier = this.#tiers.find((candidates) => candidates.includes(url));
    if (tier === undefined) return;
    tier.splice(tier.indexOf(url), 1);
    tier.unshift(url);
  }
}

/** Fisher and Yates, in place. */
function shuffle<Item>(items: Item[], random: Random): Item[] {
  for (let end = items.length - 1; end > 0; end--) {
    const pick = random.uint32() % (end + 1);
    const taken = items[pick];
    const last = items[end];
    if (taken === undefined || last === undefined) continue;
    items[pick] = last;
    items[end] = taken;
  }
  return items;
}
