/**
 * Calls that were answered, and whose caller has not shown yet that it hears us. Each takes a few
 * bytes, and the oldest makes room for the newest: a flood of calls from made-up addresses costs
 * neither memory nor the connections that stand.
 *
 * @module
 */

import type { Endpoint } from '../base/endpoint.ts';
import type { Millis } from '../runtime/ports.ts';

/** A thousand of them a round trip of 100 ms: ten thousand calls a second leave room for honest ones. */
const MAX_HALF_OPEN = 1024;
/** Longer than the silence after which a caller that has nothing to say shows itself again. */
const LIFETIME: Millis = 60_000;

export interface HalfOpen {
  /** Sequence number of the call. */
  readonly called: number;
  /** Of our first packet: who did not see it cannot go on. */
  readonly sequence: number;
  readonly until: Millis;
}

export class HalfOpenCalls {
  readonly #calls = new Map<string, HalfOpen>();

  get size(): number {
    return this.#calls.size;
  }

  /** The call by this connection id; a repetition gets the same answer as the first. */
  add(from: Endpoint, id: number, what: Omit<HalfOpen, 'until'>, now: Millis): HalfOpen {
    const key = keyOf(from, id);
    const known = this.#calls.get(key);
    if (known !== undefined && known.until > now && known.called === what.called) return known;
    this.#calls.delete(key);
    for (const [oldest, { until }] of this.#calls) {
      if (until > now && this.#calls.size < MAX_HALF_OPEN) break;
      this.#calls.delete(oldest);
    }
    const call = { ...what, until: now + LIFETIME };
    this.#calls.set(key, call);
    return call;
  }

  /** The call goes on: it is forgotten here. `ack` has to be what only the caller can know. */
  take(from: Endpoint, id: number, ack: number, now: Millis): HalfOpen | undefined {
    const key = keyOf(from, id);
    const call = this.#calls.get(key);
    if (call === undefined || call.until <= now || ((call.sequence - 1) & 0xffff) !== ack) {
      return undefined;
    }
    this.#calls.delete(key);
    return call;
  }
}

function keyOf({ host, port }: Endpoint, id: number): string {
  return `${id}/${port}/${host}`;
}
