/** Nodes of bip's DHT in this process, on real sockets, that others may join. @module */

import type { Endpoint } from '../../src/base/endpoint.ts';
import { DhtNode, type DhtOptions } from '../../src/dht/index.ts';
import { nodeRuntime } from '../../src/runtime/node/index.ts';
import { until } from './until.ts';

/** Of so many nodes any number may be in one bucket (BEP 5). */
const BUCKET = 8;
/** Greeting newcomers takes a node some seconds at most. */
const MESHED_MS = 20_000;
/** No search on loopback takes so long. */
export const SEARCH_MS = 20_000;

/** A node with one socket. */
export interface CrowdNode {
  readonly dht: DhtNode;
  readonly endpoint: Endpoint;
}

export class DhtCrowd implements AsyncDisposable {
  readonly nodes: readonly CrowdNode[];
  readonly #stack: AsyncDisposableStack;

  /** A node at each of `hosts`; all begin with the first, and know each other, or eight, when this settles. */
  static async open(hosts: readonly string[]): Promise<DhtCrowd> {
    await using stack = new AsyncDisposableStack();
    const runtime = stack.use(nodeRuntime());
    const stop = new AbortController();
    const options: Omit<DhtOptions, 'hosts' | 'bootstrap'> = {
      signal: stop.signal,
      port: 0,
      readOnly: false,
      // All are on one machine, and ask as if they were one.
      limitAddresses: false,
      limits: { queriesPerSecond: 1000 },
    };
    const nodes: CrowdNode[] = [];
    for (const host of hosts) {
      const bootstrap = nodes.slice(0, 1).map(({ endpoint }) => endpoint);
      const dht = stack.use(await DhtNode.open(runtime, { ...options, hosts: [host], bootstrap }));
      nodes.push({ dht, endpoint: { host, port: dht.port } });
      await dht.join();
    }
    const crowd = new DhtCrowd(nodes, stack.move());
    await crowd.knows(Math.min(hosts.length - 1, BUCKET));
    return crowd;
  }

  private constructor(nodes: readonly CrowdNode[], stack: AsyncDisposableStack) {
    this.nodes = nodes;
    this.#stack = stack;
  }

  node(index: number): CrowdNode {
    const node = this.nodes[index];
    if (node === undefined) throw new Error(`there are ${this.nodes.length} nodes`);
    return node;
  }

  /** Lets all nodes look around until each has at least `count` others in its table. */
  async knows(count: number): Promise<void> {
    await until(
      async () => {
        await Promise.all(this.nodes.map(lookAround));
        return this.nodes.every((node) => sizeOf(node) >= count);
      },
      {
        deadlineMs: MESHED_MS,
        what: `each node of bip to know ${count} others`,
        log: () => `they know ${this.nodes.map(sizeOf).join(', ')}`,
      },
    );
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}

async function lookAround({ dht, endpoint }: CrowdNode): Promise<void> {
  const ownId = dht.idOf(endpoint.host.includes(':') ? 6 : 4);
  if (ownId === undefined) throw new Error('this node has no id');
  await dht.findNodes(ownId, { signal: AbortSignal.timeout(SEARCH_MS) });
}

function sizeOf({ dht }: CrowdNode): number {
  return dht.realms[0]?.table.size ?? 0;
}
