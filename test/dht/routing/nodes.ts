/** Nodes for tests of the routing table, with ids at a chosen depth and addresses of their own. @module */

import { parseIp } from '../../../src/base/ip.ts';
import type { Contact, Family } from '../../../src/dht/contact.ts';
import { commonPrefixBits, randomIdAtDepth } from '../../../src/dht/distance.ts';
import { type RoutingOptions, RoutingTable } from '../../../src/dht/routing/index.ts';
import { makeSecureId } from '../../../src/dht/secure-id.ts';
import { SeededRandom } from '../../../src/runtime/sim/index.ts';
import { TEST_SEED } from '../../sim/world.ts';

/** Our own id: all zeros, so that a node's depth is the number of zeros that its id begins with. */
export const OWN_ID: Uint8Array = new Uint8Array(20);

export const SECOND = 1000;
export const MINUTE: number = 60 * SECOND;

/** A table of ours; buckets have 8 places each unless told otherwise. */
export function makeTable(options: Partial<RoutingOptions> = {}): RoutingTable {
  const random = new SeededRandom(TEST_SEED);
  return new RoutingTable({ family: 4, ownId: OWN_ID, extended: false, random, ...options });
}

/** Ids and addresses of one seed. */
export class Nodes {
  readonly random: SeededRandom;
  readonly #family: Family;
  #count = 0;

  constructor(family: Family = 4, seed: number = TEST_SEED) {
    this.random = new SeededRandom(seed, 77);
    this.#family = family;
  }

  /** A node that shares exactly `depth` bits with us. Any id is right at its address, which is private. */
  at(depth: number, host: string = this.host()): Contact {
    const id = randomIdAtDepth(OWN_ID, depth, this.random);
    return { id, endpoint: { host, port: 1024 + this.random.below(60_000) } };
  }

  /** The same on the internet, where its id is not right. */
  wrongAt(depth: number): Contact {
    return this.at(
      depth,
      this.#family === 4 ? `20.${this.#pair()}.7` : `2001:${this.#pair()}:1::7`,
    );
  }

  /** The same with an id that follows from the address (BEP 42). */
  rightAt(depth: number): Contact {
    for (;;) {
      const { endpoint } = this.wrongAt(depth);
      const id = makeSecureId(ipOf(endpoint.host), this.random);
      if (commonPrefixBits(id, OWN_ID) === depth) return { id, endpoint };
    }
  }

  many(count: number, depth: number): Contact[] {
    return Array.from({ length: count }, () => this.at(depth));
  }

  /** A private address in a network of its own. */
  host(): string {
    return this.#family === 4 ? `10.${this.#pair()}.7` : `fd00:${this.#pair()}:1::7`;
  }

  /** Never the same twice. */
  #pair(): string {
    const count = this.#count++;
    const [high, low] = [count >>> 8, count & 0xff];
    return this.#family === 4 ? `${high}.${low}` : `${(high + 1).toString(16)}:${low.toString(16)}`;
  }
}

export function ipOf(host: string): Uint8Array {
  const ip = parseIp(host);
  if (ip === undefined) throw new Error(`no address: ${host}`);
  return ip;
}

/** Another endpoint on the same host. */
export function moved({ id, endpoint }: Contact, port: number = endpoint.port ^ 1): Contact {
  return { id, endpoint: { ...endpoint, port } };
}

/** Another id at the same endpoint. */
export function renamed({ endpoint }: Contact, id: Uint8Array): Contact {
  return { id, endpoint };
}
