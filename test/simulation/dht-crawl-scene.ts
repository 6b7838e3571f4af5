/** A crawl of a network in the simulated world. @module */

import { formatEndpoint } from '../../src/base/endpoint.ts';
import { Crawl, type CrawlEvent, type CrawlState, DhtNode } from '../../src/dht/index.ts';
import type { SimHost } from '../../src/runtime/sim/index.ts';
import { DhtNetwork, type DhtNetworkOptions } from '../../src/simulation/index.ts';
import { makeWorld } from '../sim/world.ts';

export class CrawlScene implements AsyncDisposable {
  readonly network: DhtNetwork;
  readonly host: SimHost;
  readonly #stopping = new AbortController();

  static async of(options: Partial<DhtNetworkOptions>): Promise<CrawlScene> {
    const network = new DhtNetwork(makeWorld({ maxEvents: 1e9 }), options);
    await network.openWarm();
    return new CrawlScene(network);
  }

  private constructor(network: DhtNetwork) {
    this.network = network;
    this.host = network.world.host('90.0.0.1', { latencyMs: 40, jitterMs: 20 });
  }

  async crawl(
    options: { rate?: number; state?: CrawlState; until?: (event: CrawlEvent) => boolean } = {},
  ) {
    const { network, host } = this;
    const signal = new AbortController();
    await using node = await DhtNode.open(host.runtime, {
      signal: this.#stopping.signal,
      port: 6881,
      hosts: [host.address],
      readOnly: true,
      bootstrap: [],
      limits: { longMs: 4000 },
    });
    const events: CrawlEvent[] = [];
    const first = network.nodes[0];
    const crawl = new Crawl(host.runtime, {
      realms: node.realms,
      bootstrap: first === undefined ? [] : [first.contact.endpoint],
      rate: options.rate ?? 100,
      concurrency: 256,
      state: options.state,
      onEvent: (event) => {
        events.push(event);
        if (options.until?.(event)) signal.abort(new Error('enough'));
      },
    });
    const failure = await network.world.run(crawl.run(signal.signal).catch((e: unknown) => e));
    const found = new Set(
      events.flatMap((e) => (e.type === 'node' ? formatEndpoint(e.node.endpoint) : [])),
    );
    return { crawl, events, found, failure, report: crawl.reports[0], state: crawl.save() };
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort(new Error('end'));
    await this.network[Symbol.asyncDispose]();
  }
}
