/** Crawls of a network in the simulated world, with every query of theirs on record. @module */

import { type Endpoint, formatEndpoint } from '../../src/base/endpoint.ts';
import {
  type Contact,
  Crawl,
  type CrawlEvent,
  type CrawlState,
  DhtNode,
  type FamilyCrawlReport,
  type SizeEstimate,
} from '../../src/dht/index.ts';
import { decodeMessage } from '../../src/dht/krpc/index.ts';
import type { Datagrams, Millis, Network } from '../../src/runtime/ports.ts';
import type { SimHost } from '../../src/runtime/sim/index.ts';
import { DhtNetwork, type DhtNetworkOptions } from '../../src/simulation/index.ts';
import { makeWorld } from '../sim/world.ts';

/** A query that was sent. */
export interface Sent {
  readonly at: Millis;
  readonly to: string;
  readonly method: string;
}

export interface CrawlScript {
  readonly rate?: number;
  readonly concurrency?: number;
  readonly state?: CrawlState;
  /** Ends the crawl when it says so. */
  readonly until?: (event: CrawlEvent) => boolean;
}

export interface CrawlOutcome {
  readonly sent: readonly Sent[];
  readonly events: readonly CrawlEvent[];
  /** Addresses of nodes that were found. */
  readonly found: ReadonlySet<string>;
  readonly report: FamilyCrawlReport;
  readonly state: CrawlState;
  /** What ended it before its end. */
  readonly failure: unknown;
}

export class CrawlScene implements AsyncDisposable {
  readonly network: DhtNetwork;
  /** While it is true, what is sent is lost. */
  isCut = false;
  readonly #host: SimHost;
  readonly #stopping = new AbortController();

  constructor(options: Partial<DhtNetworkOptions>) {
    this.network = new DhtNetwork(makeWorld({ maxEvents: 1e9 }), options);
    this.#host = this.network.world.host(OUR_ADDRESS, { latencyMs: 40, jitterMs: 20 });
  }

  static async of(
    options: Partial<DhtNetworkOptions>,
    strangers: readonly Contact[] = [],
  ): Promise<CrawlScene> {
    const scene = new CrawlScene(options);
    await scene.network.openWarm({ strangers });
    return scene;
  }

  /** Addresses of all that can be found. */
  get reachable(): ReadonlySet<string> {
    const nodes = this.network.nodes.filter(({ isPublic }) => isPublic);
    return new Set(nodes.map(({ contact }) => formatEndpoint(contact.endpoint)));
  }

  async crawl(script: CrawlScript = {}): Promise<CrawlOutcome> {
    const { world } = this.network;
    const { runtime } = this.#host;
    const sent: Sent[] = [];
    const network = recorded(runtime.network, (to, method) => {
      sent.push({ at: world.now, to: formatEndpoint(to), method });
      return !this.isCut;
    });
    await using node = await DhtNode.open(
      { ...runtime, network },
      {
        ...{ signal: this.#stopping.signal, port: 6881, hosts: [OUR_ADDRESS] },
        ...{ readOnly: true, bootstrap: [], limits: { longMs: 4000 } },
      },
    );
    const ending = new AbortController();
    const events: CrawlEvent[] = [];
    const { rate = 100, concurrency = 256, state, until } = script;
    const crawl = new Crawl(runtime, {
      ...{ rate, concurrency, state, realms: node.realms },
      bootstrap: this.network.nodes.slice(0, 3).map(({ contact }) => contact.endpoint),
      onEvent: (event) => {
        events.push(event);
        if (until?.(event) === true) ending.abort(new Error('enough'));
      },
    });
    const crawling = crawl.run(ending.signal).then(
      () => undefined,
      (error: unknown) => error,
    );
    const failure = await world.run(crawling);
    const [report] = crawl.reports;
    if (report === undefined) throw new Error('there is no family');
    const found = events.flatMap((event) =>
      event.type === 'node' ? [formatEndpoint(event.node.endpoint)] : [],
    );
    return { sent, events, found: new Set(found), report, state: crawl.save(), failure };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort(new Error('the scene ends'));
    await this.network[Symbol.asyncDispose]();
  }
}

/** Ends a crawl after so many zones. */
export function afterZones(count: number): (event: CrawlEvent) => boolean {
  let zones = 0;
  return ({ type }) => type === 'zone' && ++zones === count;
}

export function estimateOf({ report }: CrawlOutcome): SizeEstimate {
  if (report.estimate === undefined) throw new Error('there is no estimate');
  return report.estimate;
}

/** How many of the one are among the other, from 0 to 1. */
export function shareOf(wanted: ReadonlySet<string>, found: ReadonlySet<string>): number {
  return [...wanted].filter((one) => found.has(one)).length / wanted.size;
}

function recorded(network: Network, maySend: (to: Endpoint, method: string) => boolean): Network {
  return {
    ...network,
    connect: (...args) => network.connect(...args),
    listen: (...args) => network.listen(...args),
    bindDatagrams: async (options) => {
      const socket = await network.bindDatagrams(options);
      const watched: Datagrams = {
        local: socket.local,
        receive: (listener) => socket.receive(listener),
        send: (bytes, to) => {
          const message = decodeMessage(bytes);
          if (message.type !== 'query' || maySend(to, message.method)) socket.send(bytes, to);
        },
        [Symbol.asyncDispose]: () => socket[Symbol.asyncDispose](),
      };
      return watched;
    },
  };
}

const OUR_ADDRESS = '90.0.0.1';
