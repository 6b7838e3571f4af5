/** Starting trackers, making them know all peers, and watching one at work. @module */

import { join } from 'node:path';
import { blast } from './blast.ts';
import type { Outcome } from './cases.ts';
import type { TrackerBenchOptions } from './options.ts';
import { type Load, writeAnnounces } from './packets.ts';
import { Population } from './population.ts';
import { busiest, residentBytes, usageOf } from './process.ts';
import type { Contestant, Server } from './servers.ts';
import type { Sample } from './tables.ts';

/** How long a tracker may take to learn of all peers, seconds. */
const FILL_SECONDS = 420;

export interface Arena {
  readonly options: TrackerBenchOptions;
  /** For files. */
  readonly to: (name: string) => string;
  readonly say: (text: string) => void;
}

/** A tracker that knows all peers. */
export interface Runner {
  readonly contestant: Contestant;
  readonly server: Server;
  /** Peers that it knows. */
  readonly peers: number;
  /** Resident, bytes, before it knew any and afterwards. */
  readonly emptyBytes: number;
  readonly fullBytes: number;
  /** By its own count. */
  readonly emptyStore: number | undefined;
  readonly fullStore: number | undefined;
}

/** Those that are wanted and can run. */
function chosen(
  contestants: readonly Contestant[],
  { options, say }: Arena,
): readonly Contestant[] {
  const { only } = options;
  const wanted = contestants.filter(({ name }) => only.length === 0 || only.includes(name));
  return wanted.filter((contestant) => {
    const missing = contestant.missing();
    if (missing !== undefined) say(`without ${contestant.name}: ${missing}`);
    return missing === undefined;
  });
}

/** Starts them one after the other; `stack` ends them. */
export async function fillAll(
  contestants: readonly Contestant[],
  arena: Arena,
  stack: AsyncDisposableStack,
): Promise<{ readonly population: Population; readonly runners: readonly Runner[] }> {
  const population = new Population(arena.options);
  const load = await writeAnnounces(arena.to('started'), population, {
    numWant: 0,
    event: 'started',
  });
  const runners: Runner[] = [];
  for (const contestant of chosen(contestants, arena)) {
    const state = join(arena.to(contestant.name.replaceAll(/\W+/g, '-')));
    const server = stack.use(await contestant.start({ population, state }));
    runners.push(await fill({ contestant, server }, load, arena));
  }
  return { population, runners };
}

async function fill(
  { contestant, server }: Pick<Runner, 'contestant' | 'server'>,
  load: Load,
  { say }: Arena,
): Promise<Runner> {
  const { pids, port } = server;
  const emptyBytes = await residentBytes(pids[0]);
  const emptyStore = await server.storeBytes?.();
  const report = await blast({ ...load, port, mode: 'fill', seconds: FILL_SECONDS });
  say(`${contestant.name} knows ${report.filled} peers after ${report.seconds.toFixed(1)} s`);
  const fullBytes = await residentBytes(pids[0]);
  const fullStore = await server.storeBytes?.();
  const peers = report.filled;
  return { contestant, server, peers, emptyBytes, fullBytes, emptyStore, fullStore };
}

/** What the tracker spends while `run` asks it. */
export async function watch(server: Server, run: () => Promise<Outcome>): Promise<Sample> {
  const before = await usageOf(server.pids);
  const { answered, seconds, entries, lost, wrong, generatorSeconds } = await run();
  const after = await usageOf(server.pids);
  const each = (spent: number): number => (spent * 1e6) / answered;
  return {
    perSecond: answered / seconds,
    cpuMicros: each(after.cpuSeconds - before.cpuSeconds),
    busiestMicros: each(busiest(before, after)),
    generatorMicros: each(generatorSeconds),
    entries: entries / answered,
    lost: lost / (answered + lost),
    wrong,
  };
}
