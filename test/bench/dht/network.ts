/** What a simulated network of nodes costs: memory of a node, time of a search. @module */

import { DhtNetwork } from '../../../src/simulation/index.ts';
import { makeWorld } from '../../sim/world.ts';

export interface NetworkCost {
  readonly nodes: number;
  readonly openSeconds: number;
  /** Bytes of resident memory and of the heap that one node takes, with its host. */
  readonly residentPerNode: number;
  readonly heapPerNode: number;
  /** Bytes of the routing table of a node, on average. */
  readonly tableBytes: number;
  /** Of real time. */
  readonly searchesPerSecond: number;
  /** Share that found all 8 closest nodes. */
  readonly complete: number;
  readonly hops: number;
  readonly queries: number;
}

export async function simulatedNetwork(nodes: number, searches: number): Promise<NetworkCost> {
  const collect = globalThis.gc;
  collect?.();
  const before = process.memoryUsage();
  let startedAt = performance.now();
  await using network = new DhtNetwork(makeWorld({ maxEvents: 1e12 }), { nodes });
  await network.openWarm();
  const openSeconds = (performance.now() - startedAt) / 1000;
  collect?.();
  const after = process.memoryUsage();
  const sum = { complete: 0, hops: 0, queries: 0 };
  startedAt = performance.now();
  for (let count = 0; count < searches; count++) {
    const searching = network.search(network.randomNode(), network.randomTarget());
    const { summary, found, wanted } = await network.world.run(searching);
    sum.complete += found === wanted ? 1 : 0;
    sum.hops += summary.hops;
    sum.queries += summary.asked;
  }
  const seconds = (performance.now() - startedAt) / 1000;
  const tables = network.nodes.flatMap(({ node }) => node.realms.map(({ table }) => table));
  return {
    nodes,
    openSeconds,
    residentPerNode: (after.rss - before.rss) / nodes,
    heapPerNode:
      (after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers) / nodes,
    tableBytes: tables.reduce((total, { byteLength }) => total + byteLength, 0) / tables.length,
    searchesPerSecond: searches / seconds,
    complete: sum.complete / searches,
    hops: sum.hops / searches,
    queries: sum.queries / searches,
  };
}
