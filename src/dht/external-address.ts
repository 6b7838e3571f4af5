/** Which address others see us at, by their votes (BEP 42 "bootstrapping"). @module */

import { parseIp } from '../base/ip.ts';

interface Vote {
  /** Network of the voter: each has one vote. */
  readonly network: string;
  readonly host: string;
}

export class ExternalAddress {
  /** The latest votes, oldest first. */
  readonly #votes: Vote[] = [];
  #host: string | undefined;

  /** The address that most agree on; undefined until enough do. */
  get host(): string | undefined {
    return this.#host;
  }

  /**
   * The node at the address `voter` sees us at `host`. Returns whether {@link host} has changed.
   * A new address needs {@link MIN_VOTES} and more than half of the latest votes.
   */
  vote(voter: string, host: string): boolean {
    const network = networkOf(voter);
    const before = this.#votes.findIndex((vote) => vote.network === network);
    if (before >= 0) this.#votes.splice(before, 1);
    else if (this.#votes.length === MAX_VOTES) this.#votes.shift();
    this.#votes.push({ network, host });
    if (host === this.#host) return false;
    const count = this.#votes.filter((vote) => vote.host === host).length;
    if (count < MIN_VOTES || count * 2 <= this.#votes.length) return false;
    this.#host = host;
    return true;
  }
}

function networkOf(host: string): string {
  const ip = parseIp(host);
  return ip === undefined ? host : ip.subarray(0, ip.length === 4 ? 3 : 8).join('.');
}

const MIN_VOTES = 4;
const MAX_VOTES = 24;
