/** Connection ids of UDP trackers, which are good for one minute (BEP 15). @module */

import { type Endpoint, formatEndpoint } from '../../base/endpoint.ts';
import type { Millis } from '../../runtime/ports.ts';

/** The ids of one session, by the tracker's address. */
export class ConnectionIds {
  readonly #ids = new Map<string, { readonly id: bigint; readonly since: Millis }>();

  /** The id that `tracker` gave less than a minute ago. */
  fresh(tracker: Endpoint, now: Millis): bigint | undefined {
    const known = this.#ids.get(formatEndpoint(tracker));
    return known === undefined || now - known.since >= LIFETIME ? undefined : known.id;
  }

  keep(tracker: Endpoint, id: bigint, now: Millis): void {
    // In the order of their age, so that the old ones stand first.
    for (const [key, { since }] of this.#ids) {
      if (now - since < LIFETIME) break;
      this.#ids.delete(key);
    }
    const key = formatEndpoint(tracker);
    this.#ids.delete(key);
    this.#ids.set(key, { id, since: now });
  }

  forget(tracker: Endpoint): void {
    this.#ids.delete(formatEndpoint(tracker));
  }

  /** How many are kept, fresh or not. */
  get size(): number {
    return this.#ids.size;
  }
}

/** BEP 15: "a client can use a connection ID until one minute after it has received it". */
const LIFETIME: Millis = 60_000;
