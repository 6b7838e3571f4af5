/**
 * `node test/bench/download.ts`: bip, libtorrent, aria2 and webtorrent download the same torrent from
 * one libtorrent seeder on loopback, one after the other, several times round. README.md beside this
 * file says more.
 *
 * @module
 */

import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Child } from '../interop/child.ts';
import { freePort } from '../interop/free-port.ts';
import { numberAt, parseJson } from '../interop/json.ts';
import { startLibtorrent } from '../interop/peers/libtorrent.ts';
import { PYTHON } from '../interop/require.ts';
import {
  type Arena,
  type BenchOptions,
  benchOptions,
  CONTENT_NAME,
  circumstances,
  digest,
  openArena,
} from './download/arena.ts';
import { CONTESTANTS, type Contestant } from './download/contestants.ts';
import { openFixedTracker } from './download/fixed-tracker.ts';
import { MEASURE } from './download/measure.ts';
import { type Sample, table } from './download/statistics.ts';

const RUN_MS = 600_000;

interface Race {
  readonly arena: Arena;
  readonly torrent: string;
  readonly digest: string;
  readonly size: number;
}

const options = benchOptions(process.argv.slice(2));
const contestants = prepared(options);
await using arena = await openArena(options);
const trackerPort = await freePort();
await using seeder = await startLibtorrent({
  mode: 'seed',
  torrent: await arena.makeTorrent(),
  dir: arena.source,
});
const seederPort = Number(seeder.address.split(':')[1]);
await using tracker = await openFixedTracker(trackerPort, seederPort);
const given: Race = {
  arena,
  torrent: await arena.makeTorrent(tracker.url),
  digest: await digest(arena.content),
  size: options.size,
};
const rows = contestants.map((contestant) => ({ contestant, samples: new Array<Sample>() }));
for (let round = 1; round <= options.runs; round++) {
  for (const { contestant, samples } of rows) {
    const sample = await measure(contestant, given);
    samples.push(sample);
    say(`round ${round}: ${contestant.name} ${sample.megabytesPerSecond.toFixed(0)} MB/s`);
  }
}
const results = rows.map(({ contestant, samples }) => ({ name: contestant.name, samples }));
process.stdout.write(
  `Download from one libtorrent seeder: ${circumstances(options)}\n\n${table(results, 'libtorrent')}\n`,
);

function prepared({ only }: BenchOptions): readonly Contestant[] {
  const chosen = CONTESTANTS.filter(({ name }) => only.length === 0 || only.includes(name));
  return chosen.filter((contestant) => {
    const missing = contestant.prepare();
    if (missing !== undefined) say(`without ${contestant.name}: ${missing}`);
    return missing === undefined;
  });
}

async function measure(contestant: Contestant, race: Race): Promise<Sample> {
  const dir = race.arena.to('download');
  const report = race.arena.to('report.json');
  await mkdir(dir);
  const command = contestant.command({ torrent: race.torrent, dir, port: await freePort() });
  await using child = new Child([PYTHON, MEASURE, report, ...command], {
    env: { HOME: race.arena.to('home') },
  });
  await child.ended(RUN_MS);
  const taken = parseJson(await readFile(report, 'utf8'));
  if (numberAt(taken, 'exitCode') !== 0) throw new Error(`${contestant.name} failed\n${child.log}`);
  if ((await digest(join(dir, CONTENT_NAME))) !== race.digest) {
    throw new Error(`${contestant.name} downloaded something else`);
  }
  await rm(dir, { recursive: true });
  return {
    megabytesPerSecond: race.size / 1e6 / numberAt(taken, 'wallSeconds'),
    cpuSecondsPerGib: numberAt(taken, 'cpuSeconds') / (race.size / 2 ** 30),
    maxRssBytes: numberAt(taken, 'maxRssBytes'),
  };
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
