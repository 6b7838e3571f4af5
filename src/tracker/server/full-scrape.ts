/** Scrapes of everything, for whom that is allowed: little by little, and not for each who asks. @module */

import type { Clock, Millis } from '../../runtime/ports.ts';
import type { ScrapedSwarm } from './http-answer.ts';

/** Lists of more swarms are not made. */
export const MAX_LISTED = 50_000;
/** Swarms that are looked at before others have their turn. */
const SLICE = 500;
/** How long a list is good for. */
const LIFETIME: Millis = 60_000;

type Listed = readonly ScrapedSwarm[] | undefined;

/** All who ask within a minute get the same list. */
export class FullScrape {
  readonly #store: { counts(): Iterable<ScrapedSwarm> };
  readonly #clock: Clock;
  #list: Promise<Listed> | undefined;
  #goodUntil: Millis = 0;

  constructor(store: { counts(): Iterable<ScrapedSwarm> }, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** `undefined` when there are more than {@link MAX_LISTED}. */
  take(): Promise<Listed> {
    const now = this.#clock.now();
    if (this.#list === undefined || now >= this.#goodUntil) {
      this.#goodUntil = now + LIFETIME;
      this.#list = this.#collect();
    }
    return this.#list;
  }

  async #collect(): Promise<Listed> {
    const swarms: ScrapedSwarm[] = [];
    for (const swarm of this.#store.counts()) {
      if (swarms.length === MAX_LISTED) return undefined;
      swarms.push(swarm);
      if (swarms.length % SLICE === 0) await this.#turn();
    }
    return swarms;
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.schedule(this.#clock.now(), resolve);
    });
  }
}
