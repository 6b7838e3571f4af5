/**
 * `node test/bench/seed.ts`: one libtorrent leecher downloads from bip, then from libtorrent, several
 * times round. What is measured is the leecher's time and the seeder's CPU. README.md says more.
 *
 * @module
 */

import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Child } from '../interop/child.ts';
import { freePort } from '../interop/free-port.ts';
import { isRecord, numberAt, parseJson } from '../interop/json.ts';
import { SCRIPT } from '../interop/peers/libtorrent.ts';
import { PYTHON } from '../interop/require.ts';
import {
  type Arena,
  benchOptions,
  CONTENT_NAME,
  circumstances,
  digest,
  openArena,
} from './download/arena.ts';
import { BIP, CONTESTANTS } from './download/contestants.ts';
import { type Sample, table } from './download/statistics.ts';

const RUN_MS = 600_000;
/** USER_HZ of every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

interface Seeder {
  readonly name: string;
  command(torrent: string, source: string, port: number): readonly string[];
  /** Whether a line of its output says that it serves. */
  isReady(line: Readonly<Record<string, unknown>>): boolean;
}

const SEEDERS: readonly Seeder[] = [
  {
    name: 'bip',
    command: (torrent, source, port) => {
      const bip = [process.execPath, BIP, '--json', 'seed', torrent, '--content', source];
      return bip.concat('--port', String(port), '--no-dht', '--no-lpd');
    },
    isReady: (line) => line['type'] === 'seeding',
  },
  {
    name: 'libtorrent',
    command: (torrent, source, port) => [
      PYTHON,
      SCRIPT,
      'seed',
      torrent,
      source,
      '--port',
      String(port),
    ],
    isReady: (line) => line['event'] === 'ready',
  },
];

const options = benchOptions(process.argv.slice(2));
for (const contestant of CONTESTANTS.filter(
  ({ name }) => name === 'bip' || name === 'libtorrent',
)) {
  const missing = contestant.prepare();
  if (missing !== undefined) throw new Error(missing);
}
await using arena = await openArena(options);
const torrent = await arena.makeTorrent();
const expected = await digest(arena.content);
const rows = SEEDERS.filter(
  ({ name }) => options.only.length === 0 || options.only.includes(name),
).map((seeder) => ({ seeder, samples: new Array<Sample>() }));
for (let round = 1; round <= options.runs; round++) {
  for (const { seeder, samples } of rows) {
    const sample = await measure(seeder, arena);
    samples.push(sample);
    const speed = sample.megabytesPerSecond.toFixed(0);
    process.stderr.write(`round ${round}: from ${seeder.name} ${speed} MB/s\n`);
  }
}
const results = rows.map(({ seeder, samples }) => ({ name: seeder.name, samples }));
process.stdout.write(
  `One libtorrent leecher: ${circumstances(options)}\n\n${table(results, 'libtorrent')}\n`,
);

async function measure(seeder: Seeder, { source, ...place }: Arena): Promise<Sample> {
  const port = await freePort();
  await using server = new Child(seeder.command(torrent, source, port));
  await server.until(() => linesOf(server).some((line) => seeder.isReady(line)), {
    deadlineMs: RUN_MS,
    what: `${seeder.name} to serve`,
  });
  const before = await usageOf(server.pid);
  const seconds = await download(place.to('download'), port);
  const after = await usageOf(server.pid);
  return {
    megabytesPerSecond: options.size / 1e6 / seconds,
    cpuSecondsPerGib: (after.cpuSeconds - before.cpuSeconds) / (options.size / 2 ** 30),
    maxRssBytes: after.maxRssBytes,
  };
}

/** Seconds that libtorrent took, by its own clock: the start of Python does not count. */
async function download(dir: string, seederPort: number): Promise<number> {
  await mkdir(dir);
  const listen = ['--port', String(await freePort()), '--peer', `127.0.0.1:${seederPort}`];
  const command = [PYTHON, SCRIPT, 'download', torrent, dir, ...listen];
  await using child = new Child(command, { stopBy: 'eof' });
  const { code } = await child.ended(RUN_MS);
  const complete = linesOf(child).find((line) => line['event'] === 'complete');
  if (code !== 0 || complete === undefined) throw new Error(`no download\n${child.log}`);
  if ((await digest(join(dir, CONTENT_NAME))) !== expected) throw new Error('a wrong download');
  await rm(dir, { recursive: true });
  return numberAt(complete, 'seconds');
}

function linesOf(child: Child): readonly Readonly<Record<string, unknown>>[] {
  return child.lines.map(parseJson).filter(isRecord);
}

/** CPU seconds of all threads and the greatest memory of a running process, as /proc tells. */
async function usageOf(pid: number): Promise<{ cpuSeconds: number; maxRssBytes: number }> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // Behind the name, which may hold anything, utime and stime are the 12th and 13th field.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kibibytes = Number(/VmHWM:\s*(\d+)/.exec(status)?.[1] ?? 0);
  return { cpuSeconds: ticks / TICKS_PER_SECOND, maxRssBytes: kibibytes * 1024 };
}
