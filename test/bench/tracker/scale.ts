/** Trackers that know very many peers: memory, and how long an answer takes. @module */

import { median } from '../download/statistics.ts';
import { blast } from './blast.ts';
import { type Arena, fillAll, type Runner, watch } from './measure.ts';
import { writeAnnounces } from './packets.ts';
import { BIP_REDIS, bip, type Contestant, NPM, OPENTRACKER } from './servers.ts';
import { cells, rule } from './tables.ts';

const CONTESTANTS: readonly Contestant[] = [bip('bip'), OPENTRACKER, NPM, BIP_REDIS];
const NUM_WANT = 50;
/** Announces a second at which latency is measured: every tracker here can do more. */
const RATE = 2_000;

interface Sampled {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly lost: number;
  readonly cpuMicros: number;
  readonly perSecond: number;
}

export async function scale(arena: Arena): Promise<string> {
  await using stack = new AsyncDisposableStack();
  const { population, runners } = await fillAll(CONTESTANTS, arena, stack);
  const announce = { numWant: NUM_WANT, event: 'none' } as const;
  const load = await writeAnnounces(arena.to('announces'), population, announce);
  // Swarms are smaller than what is wanted.
  const job = { ...load, least: 0, seconds: arena.options.seconds };
  const rows = runners.map((runner) => ({ runner, samples: new Array<Sampled>() }));
  for (let round = 1; round <= arena.options.runs; round++) {
    for (const { runner, samples } of rows) {
      const { server, contestant } = runner;
      const { port } = server;
      const paced = await blast({ ...job, port, mode: 'pace', rate: RATE });
      const { cpuMicros, perSecond } = await watch(server, () =>
        blast({ ...job, port, mode: 'load' }),
      );
      const { p50, p99, p999, lost } = paced;
      samples.push({ p50, p99, p999, lost, cpuMicros, perSecond });
      const times = `${p50.toFixed(0)} us, ${p99.toFixed(0)} us of 99 %`;
      arena.say(`round ${round}: ${contestant.name} ${times}, ${Math.round(perSecond)} a second`);
    }
  }
  return `${memory(runners, population.swarms)}\n\n${latency(rows)}`;
}

function memory(runners: readonly Runner[], swarms: number): string {
  const lines = runners.map((runner) => {
    const { contestant, peers, emptyBytes, fullBytes, emptyStore, fullStore } = runner;
    const each = (bytes: number): string => (bytes / peers).toFixed(1);
    const own =
      emptyStore === undefined || fullStore === undefined ? '' : each(fullStore - emptyStore);
    return cells([
      contestant.name,
      String(peers),
      (emptyBytes / 2 ** 20).toFixed(0),
      (fullBytes / 2 ** 20).toFixed(0),
      each(fullBytes - emptyBytes),
      own,
    ]);
  });
  const titles = ['tracker', 'peers', 'RSS empty MiB', 'full', 'bytes a peer', 'by its own count'];
  return [`${swarms} swarms`, '', cells(titles), rule(titles.length), ...lines].join('\n');
}

function latency(
  rows: readonly { readonly runner: Runner; readonly samples: readonly Sampled[] }[],
): string {
  const lines = rows.map(({ runner, samples }) => {
    const middle = (value: (sample: Sampled) => number): number => median(samples.map(value));
    return cells([
      runner.contestant.name,
      middle(({ p50 }) => p50).toFixed(0),
      middle(({ p99 }) => p99).toFixed(0),
      middle(({ p999 }) => p999).toFixed(0),
      String(samples.reduce((sum, { lost }) => sum + lost, 0)),
      (middle(({ perSecond }) => perSecond) / 1000).toFixed(1),
      middle(({ cpuMicros }) => cpuMicros).toFixed(2),
    ]);
  });
  const titles = [
    'tracker',
    `p50 µs at ${RATE}/s`,
    'p99 µs',
    'p99.9 µs',
    'lost',
    'k announces/s here',
    'CPU µs each',
  ];
  return [cells(titles), rule(titles.length), ...lines].join('\n');
}
