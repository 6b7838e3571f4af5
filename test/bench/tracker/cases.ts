/** What trackers are asked in the comparison. @module */

import { blast } from './blast.ts';
import { loadHttp } from './http-load.ts';
import { type Load, writeAnnounces, writeConnects, writeScrapes } from './packets.ts';
import type { Population } from './population.ts';
import type { Contestant, Server } from './servers.ts';

/** What a load saw. */
export interface Outcome {
  readonly seconds: number;
  readonly generatorSeconds: number;
  readonly answered: number;
  readonly lost: number;
  readonly wrong: number;
  readonly entries: number;
}

export interface Case {
  readonly name: string;
  /** What is counted. */
  readonly unit: 'announces' | 'scrapes';
  /** Whether the tracker can be asked so. */
  suits(contestant: Contestant): boolean;
  run(server: Server, contestant: Contestant): Promise<Outcome>;
}

const HTTP_CONNECTIONS = 50;
const HTTP_PEERS = 50;

export interface CaseOptions {
  readonly population: Population;
  readonly seconds: number;
  /** Where packets are written. */
  readonly to: (name: string) => string;
}

/** Those that are named, all when `names` is empty, with what they send. */
export async function casesOf(names: readonly string[], options: CaseOptions): Promise<Case[]> {
  const { population, to } = options;
  const makers: Readonly<Record<string, () => Promise<Case>>> = {
    'udp-1': () => announces(1, options),
    'udp-50': () => announces(50, options),
    'udp-200': () => announces(200, options),
    'udp-connect': async () => {
      const load = await writeConnects(to('connects'), population, 50);
      const name = 'UDP, 50 peers wanted, a connect before each announce';
      return overUdp(name, 'announces', load, options);
    },
    'udp-scrape': async () => {
      const load = await writeScrapes(to('scrapes'), population);
      return overUdp('UDP, scrapes of 10 torrents', 'scrapes', load, options);
    },
    'http-keep': () => Promise.resolve(overHttp(true, options)),
    'http-close': () => Promise.resolve(overHttp(false, options)),
  };
  const chosen = Object.entries(makers).filter(
    ([name]) => names.length === 0 || names.includes(name),
  );
  return Promise.all(chosen.map(([, make]) => make()));
}

async function announces(numWant: number, options: CaseOptions): Promise<Case> {
  const { population, to } = options;
  const what = { numWant, event: 'none' } as const;
  const load = await writeAnnounces(to(`announces-${numWant}`), population, what);
  const name = `UDP, ${numWant} peer${numWant === 1 ? '' : 's'} wanted`;
  return overUdp(name, 'announces', load, options);
}

function overUdp(name: string, unit: Case['unit'], load: Load, { seconds }: CaseOptions): Case {
  return {
    name,
    unit,
    suits: () => true,
    async run({ port }, { mostPeers }) {
      const least = unit === 'scrapes' ? load.least : Math.min(load.least, mostPeers);
      const report = await blast({ ...load, least, port, seconds, mode: 'load' });
      // Of a connect and its announce, the announce counts.
      return { ...report, answered: report.answered / load.lengths.length };
    },
  };
}

function overHttp(keepAlive: boolean, { population, seconds }: CaseOptions): Case {
  const connections = keepAlive
    ? `${HTTP_CONNECTIONS} connections that are kept`
    : `a connection for each, ${HTTP_CONNECTIONS} at once`;
  return {
    name: `HTTP, ${HTTP_PEERS} peers wanted, ${connections}`,
    unit: 'announces',
    suits: ({ keepsAlive }) => keepsAlive || !keepAlive,
    run: ({ port }, { mostPeers }) =>
      loadHttp({
        port,
        population,
        seconds,
        keepAlive,
        connections: HTTP_CONNECTIONS,
        numWant: HTTP_PEERS,
        least: Math.min(HTTP_PEERS, mostPeers),
      }),
  };
}
