/** The peers of one torrent that were heard, so many at most. @module */

import { type Endpoint, formatEndpoint } from '../base/endpoint.ts';
import type { Millis } from '../runtime/ports.ts';

/** Peers of one torrent that are remembered: whoever shouts many names at us is not believed for long. */
export const MAX_NEIGHBOURS = 100;
/** Who was not heard for so long is forgotten: three rounds of BEP 14's five minutes. */
const NEIGHBOUR_LIFE: Millis = 15 * 60_000;

export class Neighbours {
  readonly #heardAt = new Map<string, Millis>();

  get size(): number {
    return this.#heardAt.size;
  }

  /** `known` was heard before, `new` was not; `full` when there is no room for it. */
  hear(peer: Endpoint, now: Millis): 'known' | 'new' | 'full' {
    const key = formatEndpoint(peer);
    const before = this.#heardAt.get(key);
    const isKnown = before !== undefined && now - before <= NEIGHBOUR_LIFE;
    if (before === undefined && this.#heardAt.size >= MAX_NEIGHBOURS) this.#forget(now);
    if (before === undefined && this.#heardAt.size >= MAX_NEIGHBOURS) return 'full';
    this.#heardAt.set(key, now);
    return isKnown ? 'known' : 'new';
  }

  #forget(now: Millis): void {
    for (const [key, at] of this.#heardAt) {
      if (now - at > NEIGHBOUR_LIFE) this.#heardAt.delete(key);
    }
  }
}
