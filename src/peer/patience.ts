/** What a peer may do wrong for a while: each fault that one forgives in ones, counted (BEP 3, BEP 6). @module */

import { ProtocolError } from '../base/errors.ts';
import type { Millis } from '../runtime/ports.ts';

/** Senseless requests after which a peer is given up; libtorrent's limit. */
const MAX_INVALID_REQUESTS = 300;
/** Blocks nobody asked for, beyond those cancelled, after which a peer is given up. */
const MAX_UNSOLICITED_BLOCKS = 64;
/** Requests of a choked peer after which it is given up. */
const MAX_CHOKED_REQUESTS = 300;
/** So long after a choke, requests are taken for those that were on their way; libtorrent's two seconds. */
const CHOKE_GRACE: Millis = 2_000;

/** Each method counts one fault, and throws a ProtocolError when it is one too many. */
export class Patience {
  #invalidRequests = 0;
  #unsolicitedBlocks = 0;
  #chokedRequests = 0;
  #chokedSince: Millis;

  /** @param now a connection begins choked */
  constructor(now: Millis) {
    this.#chokedSince = now;
  }

  /** We choke or unchoke the peer: what it asked for in vain before is forgotten. */
  choking(now: Millis): void {
    this.#chokedSince = now;
    this.#chokedRequests = 0;
  }

  /** @throws {ProtocolError} */
  invalidRequest(): void {
    if (++this.#invalidRequests <= MAX_INVALID_REQUESTS) return;
    throw violation('the peer sends senseless requests without end', 'BEP 3 request');
  }

  /** @throws {ProtocolError} */
  unsolicitedBlock(): void {
    if (++this.#unsolicitedBlocks <= MAX_UNSOLICITED_BLOCKS) return;
    throw violation('the peer sends blocks that nobody asked for', 'BEP 3 piece');
  }

  /** @throws {ProtocolError} */
  chokedRequest(now: Millis): void {
    if (now - this.#chokedSince < CHOKE_GRACE) return;
    if (++this.#chokedRequests <= MAX_CHOKED_REQUESTS) return;
    throw violation('the peer goes on asking although it is choked', 'BEP 3 choking');
  }
}

function violation(message: string, rule: string): ProtocolError {
  return new ProtocolError(message, { rule });
}
