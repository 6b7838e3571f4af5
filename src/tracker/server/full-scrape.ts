/** Scrapes of everything, for whom that is allowed: little by little, and not for each who asks. @module */

import type { Clock, Millis } from '../../runtime/ports.ts';
import type { Access } from './access.ts';
import type { ScrapedSwarm } from './http-answer.ts';

/** Lists of more swarms are not made. */
export const MAX_LISTED = 50_000;
/** Swarms that are looked at before others have their turn. */
const SLICE = 500;
/** How long a list is good for. */
const LIFETIME: Millis = 60_000;

export interface FullScrapeDeps {
  /** All swarms, little by little; `undefined` when there are too many. */
  readonly swarms: () => Iterable<ScrapedSwarm> | undefined;
  /** Makes the answer, in memory that is used again. */
  readonly encode: (swarms: readonly ScrapedSwarm[]) => Uint8Array;
  readonly clock: Clock;
}

/** All who ask within a minute get the same bytes. */
export class FullScrape {
  readonly #deps: FullScrapeDeps;
  #answer: Promise<Uint8Array | undefined> | undefined;
  /** What it may tell. */
  #access: Access | undefined;
  #goodUntil: Millis = 0;

  constructor(deps: FullScrapeDeps) {
    this.#deps = deps;
  }

  /** The body of the answer, which never changes; `undefined` when there are more than {@link MAX_LISTED}. */
  take(access: Access): Promise<Uint8Array | undefined> {
    const now = this.#deps.clock.now();
    if (this.#answer === undefined || now >= this.#goodUntil || access !== this.#access) {
      this.#goodUntil = now + LIFETIME;
      this.#access = access;
      this.#answer = this.#collect(access);
    }
    return this.#answer;
  }

  async #collect(access: Access): Promise<Uint8Array | undefined> {
    const all = this.#deps.swarms();
    if (all === undefined) return undefined;
    const listed: ScrapedSwarm[] = [];
    let looked = 0;
    for (const swarm of all) {
      if (looked++ === MAX_LISTED) return undefined;
      if (access.refusesInfoHash(swarm.infoHash) === undefined) listed.push(swarm);
      if (looked % SLICE === 0) await this.#turn();
    }
    return this.#deps.encode(listed).slice();
  }

  #turn(): Promise<void> {
    const { clock } = this.#deps;
    return new Promise((resolve) => {
      clock.schedule(clock.now(), resolve);
    });
  }
}
