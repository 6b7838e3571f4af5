/**
 * The DHT: queries that a node answers, beside npm's bittorrent-dht and a socket that only echoes, and what
 * simulated networks cost. `npx node --expose-gc test/bench/dht.ts [--nodes N] [--runs N] [--seconds N]`
 *
 * @module
 */

import { parseArgs } from 'node:util';
import { inProcess } from './dht/in-process.ts';
import { Program, type Reached } from './dht/load.ts';
import { simulatedNetwork } from './dht/network.ts';
import { KINDS, type Kind, packetsOf } from './dht/packets.ts';
import { PEERS_PER_TORRENT, population, TORRENTS } from './dht/population.ts';
import { median } from './download/statistics.ts';

const NAMES = { bip: 'bip', npm: 'bittorrent-dht', echo: 'Node that echoes' } as const;
const PACKETS = 1024;

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '10000' },
    runs: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
  },
});
const print = (text: string): boolean => process.stdout.write(`${text}\n`);

print(`One node with ${TORRENTS * PEERS_PER_TORRENT} peers, in process, bytes in to bytes out:\n`);
print('| query | µs | queries/s | bytes of an answer |\n|---|---:|---:|---:|');
for (const { kind, micros, bytes } of await inProcess()) {
  print(`| ${kind} | ${micros.toFixed(1)} | ${Math.round(1e6 / micros)} | ${bytes} |`);
}

print('\nOver UDP on loopback; CPU is that of the program, with the kernel:\n');
print('| query | program | queries/s | CPU µs | × npm | × echo | bytes | lost | RSS MiB |');
print('|---|---|---:|---:|---:|---:|---:|---:|---:|');
await overUdp(Number(values.runs), Number(values.seconds));

const nodes = Number(values.nodes);
const cost = await simulatedNetwork(nodes, 1000);
print(`\nA simulated network of ${nodes} nodes, opened in ${cost.openSeconds.toFixed(1)} s:\n`);
print(
  '| KiB RSS of a node | KiB heap | bytes of its table | searches/s | found all | hops | queries |',
);
print('|---:|---:|---:|---:|---:|---:|---:|');
const kib = (bytes: number): string => (bytes / 1024).toFixed(0);
print(
  `| ${[
    kib(cost.residentPerNode),
    kib(cost.heapPerNode),
    cost.tableBytes.toFixed(0),
    cost.searchesPerSecond.toFixed(0),
    cost.complete.toFixed(3),
    cost.hops.toFixed(2),
    cost.queries.toFixed(1),
  ].join(' | ')} |`,
);

/** The programs take turns, round after round. */
async function overUdp(rounds: number, seconds: number): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const programs = new Map<keyof typeof NAMES, Program>();
  for (const kind of ['bip', 'npm', 'echo'] as const) {
    const program = await Program.start(kind);
    if (program === undefined) print(`(${NAMES[kind]} cannot be had here)`);
    else programs.set(kind, stack.use(program));
  }
  for (const query of KINDS) {
    const packets = packetsOf(query, population(), PACKETS);
    const reached = new Map<keyof typeof NAMES, Reached[]>();
    for (let round = 0; round < rounds; round++) {
      for (const [kind, program] of programs) {
        reached.set(kind, [...(reached.get(kind) ?? []), await program.load(packets, seconds)]);
      }
    }
    for (const [kind, program] of programs) {
      const mebibytes = ((await program.residentBytes()) / 2 ** 20).toFixed(0);
      print(line(query, kind, reached, mebibytes));
    }
  }
}

function line(
  query: Kind,
  kind: keyof typeof NAMES,
  all: ReadonlyMap<keyof typeof NAMES, readonly Reached[]>,
  mebibytes: string,
): string {
  const of = (name: keyof typeof NAMES, field: keyof Reached): number => {
    const runs = all.get(name) ?? [];
    return runs.length === 0 ? Number.NaN : median(runs.map((run) => run[field]));
  };
  const micros = of(kind, 'micros');
  return `| ${[
    query,
    NAMES[kind],
    Math.round(of(kind, 'perSecond')),
    micros.toFixed(1),
    (of('npm', 'micros') / micros).toFixed(1),
    (of('echo', 'micros') / micros).toFixed(2),
    of(kind, 'bytes').toFixed(0),
    (all.get(kind) ?? []).reduce((sum, { lost }) => sum + lost, 0),
    mebibytes,
  ].join(' | ')} |`;
}
