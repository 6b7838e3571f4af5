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
  readonly #swarms: () => Iterable<ScrapedSwarm> | undefined;
  readonly #clock: Clock;
  #list: Promise<Listed> | undefined;
  #goodUntil: Millis = 0;

  constructor(swarms: () => Iterable<ScrapedSwarm> | undefined, clock: Clock) {
    this.#swarms = swarms;
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
    const all = this.#swarms();
    if (all === undefined) return undefined;
    const swarms: ScrapedSwarm[] = [];
    for (const swarm of all) {
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
