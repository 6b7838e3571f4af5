/** A few nodes of the DHT in the simulated world. @module */

import type { Endpoint } from '../../src/base/endpoint.ts';
import { DhtNode, type DhtOptions } from '../../src/dht/index.ts';
import type { HostOptions, SimHost, World } from '../../src/runtime/sim/index.ts';
import { makeWorld } from '../sim/world.ts';

export const PORT = 6881;

export interface Member {
  readonly host: SimHost;
  readonly node: DhtNode;
  readonly endpoint: Endpoint;
}

export class DhtWorld implements AsyncDisposable {
  readonly world: World;
  readonly members: Member[] = [];
  readonly #stopping = new AbortController();

  constructor(host: Partial<HostOptions> = {}) {
    this.world = makeWorld({ host: { latencyMs: 20, ...host } });
  }

  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Opens a node at an address, which begins with the first one. */
  async open(
    address: string,
    options: Partial<DhtOptions> = {},
    addresses: readonly string[] = [],
  ): Promise<Member> {
    const host = this.world.host(address, { addresses });
    const node = await DhtNode.open(host.runtime, {
      signal: this.signal,
      port: PORT,
      hosts: [address, ...addresses],
      bootstrap: this.members
        .slice(0, 1)
        .map(({ host: first }) => ({ host: first.address, port: PORT })),
      readOnly: false,
      ...options,
    });
    return { host, node, endpoint: { host: address, port: PORT } };
  }

  /** Opens so many nodes, each joining by the first. */
  async populate(count: number, addressOf: (at: number) => string = publicAddress): Promise<void> {
    for (let at = 0; at < count; at++) {
      const member = await this.open(addressOf(this.members.length));
      this.members.push(member);
      await this.world.run(member.node.join());
    }
    await this.world.runFor(SETTLED_MS);
  }

  member(at: number): Member {
    const member = this.members.at(at);
    if (member === undefined) throw new RangeError(`there is no member ${at}`);
    return member;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort(new Error('the world ends'));
    for (const { node } of this.members) await node[Symbol.asyncDispose]();
  }
}

/** Until nodes know their neighbours and their addresses, and have ids that follow from these. */
const SETTLED_MS = 60_000;

/** Each in a network of its own. */
export function publicAddress(at: number): string {
  return `80.${at >>> 8}.${at & 255}.1`;
}

export function publicAddress6(at: number): string {
  return `2001:db8:${at.toString(16)}::1`;
}
