/**
 * `node test/bench/utp.ts`: bip and libtorrent download from bip and libtorrent over uTP alone, each
 * from each, several times round. README.md beside this file says more.
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
import { MEASURE } from './download/measure.ts';
import { type Sample, table } from './download/statistics.ts';

const RUN_MS = 600_000;
const UTP_ONLY = ['--utp', '--no-tcp'] as const;
const ALONE = ['--no-dht', '--no-trackers', '--transport', 'utp', '--host', '127.0.0.1'] as const;

interface Program {
  seed(torrent: string, source: string, port: number): readonly string[];
  /** Whether a line of its output says that it serves. */
  isReady(line: Readonly<Record<string, unknown>>): boolean;
  download(torrent: string, dir: string, ports: Ports): readonly string[];
}

interface Ports {
  readonly own: number;
  readonly seeder: number;
}

const PROGRAMS: Readonly<Record<'bip' | 'libtorrent', Program>> = {
  bip: {
    seed: (torrent, source, port) => {
      const bip = [process.execPath, BIP, '--json', 'seed', torrent, '--content', source];
      return bip.concat('--port', String(port), ALONE);
    },
    isReady: (line) => line['type'] === 'seeding',
    download: (torrent, dir, { own, seeder }) => {
      const bip = [process.execPath, BIP, 'download', torrent, '--output', dir, '--quiet'];
      return bip.concat('--port', String(own), '--peer', `127.0.0.1:${seeder}`, ALONE);
    },
  },
  libtorrent: {
    seed: (torrent, source, port) => {
      return [PYTHON, SCRIPT, 'seed', torrent, source, '--port', String(port), ...UTP_ONLY];
    },
    isReady: (line) => line['event'] === 'ready',
    download: (torrent, dir, { own, seeder }) => {
      const peer = ['--port', String(own), '--peer', `127.0.0.1:${seeder}`];
      return [PYTHON, SCRIPT, 'download', torrent, dir, ...peer, ...UTP_ONLY];
    },
  },
};

type Name = keyof typeof PROGRAMS;

/** Who downloads from whom; the last one is the measure of the others. */
const PAIRS: readonly { readonly leecher: Name; readonly seeder: Name }[] = [
  { leecher: 'bip', seeder: 'bip' },
  { leecher: 'bip', seeder: 'libtorrent' },
  { leecher: 'libtorrent', seeder: 'bip' },
  { leecher: 'libtorrent', seeder: 'libtorrent' },
];

const options = benchOptions(process.argv.slice(2));
for (const { name, prepare } of CONTESTANTS) {
  const missing = name in PROGRAMS ? prepare() : undefined;
  if (missing !== undefined) throw new Error(missing);
}
await using arena = await openArena(options);
const torrent = await arena.makeTorrent();
const expected = await digest(arena.content);
const rows = PAIRS.map((pair) => ({
  ...pair,
  name: `${pair.leecher} from ${pair.seeder}`,
  samples: new Array<Sample>(),
}));
for (let round = 1; round <= options.runs; round++) {
  for (const { samples, name, ...pair } of rows) {
    const sample = await measure(pair, arena);
    samples.push(sample);
    process.stderr.write(`round ${round}: ${name} ${sample.megabytesPerSecond.toFixed(0)} MB/s\n`);
  }
}
process.stdout.write(
  `Over uTP alone, the leecher measured: ${circumstances(options)}\n\n${table(rows, 'libtorrent from libtorrent')}\n`,
);

async function measure(
  { leecher, seeder }: { readonly leecher: Name; readonly seeder: Name },
  place: Arena,
): Promise<Sample> {
  const port = await freePort();
  const served = PROGRAMS[seeder];
  await using server = new Child(served.seed(torrent, place.source, port));
  const isReady = (): boolean => server.lines.map(parseJson).filter(isRecord).some(served.isReady);
  await server.until(isReady, { deadlineMs: RUN_MS, what: `${seeder} to serve` });
  const dir = place.to('download');
  const report = place.to('report.json');
  await mkdir(dir);
  const ports = { own: await freePort(), seeder: port };
  const command = PROGRAMS[leecher].download(torrent, dir, ports);
  await using child = new Child([PYTHON, MEASURE, report, ...command], {
    env: { HOME: place.to('home') },
    stopBy: 'eof',
  });
  await child.ended(RUN_MS);
  const taken = parseJson(await readFile(report, 'utf8'));
  if (numberAt(taken, 'exitCode') !== 0) throw new Error(`${leecher} failed\n${child.log}`);
  if ((await digest(join(dir, CONTENT_NAME))) !== expected) throw new Error('a wrong download');
  await rm(dir, { recursive: true });
  return {
    megabytesPerSecond: options.size / 1e6 / numberAt(taken, 'wallSeconds'),
    cpuSecondsPerGib: numberAt(taken, 'cpuSeconds') / (options.size / 2 ** 30),
    maxRssBytes: numberAt(taken, 'maxRssBytes'),
  };
}
