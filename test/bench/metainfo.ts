/**
 * `node test/bench/metainfo.ts`: bip, mktorrent, transmission-create and libtorrent make torrents of
 * the same files, and bip and libtorrent verify them, in turn, several times round. README.md beside
 * this file says more.
 *
 * @module
 */

import { readFile, rm } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { parseSize } from '../../commands/cli/units.ts';
import { Child } from '../interop/child.ts';
import { numberAt, parseJson } from '../interop/json.ts';
import { PYTHON } from '../interop/require.ts';
import { circumstances } from './download/arena.ts';
import { MEASURE } from './download/measure.ts';
import { type Sample, table } from './download/statistics.ts';
import { makeTree, SHAPES, type Shape, type Tree } from './metainfo/content.ts';
import { buildBip, type Contestant, type Job, MAKERS, VERIFIERS } from './metainfo/contestants.ts';

const RUN_MS = 600_000;

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '5' },
    scale: { type: 'string', default: '1' },
    'piece-length': { type: 'string', default: '1MiB' },
    dir: { type: 'string', default: '/dev/shm' },
    shape: { type: 'string', multiple: true, default: [] },
    format: { type: 'string', multiple: true, default: [] },
    only: { type: 'string', multiple: true, default: [] },
  },
});
const runs = Number(values.runs);
const pieceLength = parseSize(values['piece-length'], '--piece-length');

buildBip();
for (const shape of SHAPES.filter(({ name }) => chosen(values.shape, name))) {
  await using tree = await makeTree(shape, values.dir, Number(values.scale));
  for (const format of ['v1', 'v2', 'hybrid'] as const) {
    if (!chosen(values.format, format)) continue;
    const job: Job = { tree, format, pieceLength, torrent: tree.to('made.torrent') };
    await compare(shape, job, 'create', MAKERS);
    await run(MAKERS[0], job);
    await compare(shape, job, 'verify', VERIFIERS);
  }
}

function chosen(wanted: readonly string[], name: string): boolean {
  return wanted.length === 0 || wanted.flatMap((names) => names.split(',')).includes(name);
}

async function compare(
  shape: Shape,
  job: Job,
  what: 'create' | 'verify',
  contestants: readonly Contestant[],
): Promise<void> {
  const rows = contestants
    .filter(({ name, formats }) => chosen(values.only, name) && formats.includes(job.format))
    .map((contestant) => ({ contestant, samples: new Array<Sample>() }));
  for (let round = 1; round <= runs; round++) {
    for (const { contestant, samples } of rows) {
      if (what === 'create') await rm(job.torrent, { force: true });
      samples.push(await run(contestant, job));
    }
  }
  const results = rows.map(({ contestant, samples }) => ({ name: contestant.name, samples }));
  const base = what === 'create' && job.format === 'v1' ? 'mktorrent' : 'libtorrent';
  const { bytes } = job.tree;
  process.stdout.write(
    `${what} ${job.format}, ${shape.name}: ${circumstances({ size: bytes, runs, dir: values.dir, only: [] })}\n\n${table(results, base)}\n\n`,
  );
}

async function run(contestant: Contestant | undefined, job: Job): Promise<Sample> {
  if (contestant === undefined) throw new TypeError('nobody to run');
  const report = job.tree.to('report.json');
  await using child = new Child([PYTHON, MEASURE, report, ...contestant.command(job)], {
    env: { HOME: job.tree.to('home') },
  });
  await child.ended(RUN_MS);
  const taken = parseJson(await readFile(report, 'utf8'));
  if (numberAt(taken, 'exitCode') !== 0) throw new Error(`${contestant.name} failed\n${child.log}`);
  return sampleOf(taken, job.tree);
}

function sampleOf(taken: unknown, { bytes }: Tree): Sample {
  return {
    megabytesPerSecond: bytes / 1e6 / numberAt(taken, 'wallSeconds'),
    cpuSecondsPerGib: numberAt(taken, 'cpuSeconds') / (bytes / 2 ** 30),
    maxRssBytes: numberAt(taken, 'maxRssBytes'),
  };
}
