/** What a NAT lets through (RFC 4787, in small). @module */

import { type Endpoint, formatEndpoint } from '../../base/endpoint.ts';
import type { Millis } from '../ports.ts';
import type { NatKind } from './host-options.ts';

/** How long a mapping lives without packets from inside (RFC 4787 §4.3: at least two minutes). */
const MAPPING_LIFE: Millis = 120_000;

/** Ports that a symmetric NAT shows instead of the host's own. */
const FIRST_OUTER_PORT = 20_000;

interface Mapping {
  readonly inner: number;
  until: Millis;
}

/** The port mappings of one host for UDP. */
export class Nat {
  readonly #kind: NatKind;
  /** Outer port and remote endpoint → inner port. */
  readonly #open = new Map<string, Mapping>();
  /** Symmetric: inner port and remote endpoint → outer port. */
  readonly #outer = new Map<string, number>();
  #next = FIRST_OUTER_PORT;

  constructor(kind: NatKind) {
    this.#kind = kind;
  }

  get hides(): boolean {
    return this.#kind !== 'none';
  }

  /** The port that `to` sees when the host writes to it from its port `inner`. */
  outgoing(inner: number, to: Endpoint, now: Millis): number {
    if (this.#kind === 'none') return inner;
    const outer = this.#kind === 'cone' ? inner : this.#outerPort(`${inner}>${formatEndpoint(to)}`);
    const key = `${outer}<${formatEndpoint(to)}`;
    const mapping = this.#open.get(key);
    if (mapping === undefined) this.#open.set(key, { inner, until: now + MAPPING_LIFE });
    else mapping.until = now + MAPPING_LIFE;
    return outer;
  }

  /** The port inside for a datagram from `from` to `outer`; `undefined` when it is kept out. */
  incoming(outer: number, from: Endpoint, now: Millis): number | undefined {
    if (this.#kind === 'none') return outer;
    const mapping = this.#open.get(`${outer}<${formatEndpoint(from)}`);
    return mapping === undefined || mapping.until < now ? undefined : mapping.inner;
  }

  #outerPort(key: string): number {
    let port = this.#outer.get(key);
    if (port === undefined) {
      port = this.#next++;
      this.#outer.set(key, port);
    }
    return port;
  }
}
