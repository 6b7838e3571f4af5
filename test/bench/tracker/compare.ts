/** All trackers, all cases, in turns. @module */

import { type Case, casesOf } from './cases.ts';
import { type Arena, fillAll, type Runner, watch } from './measure.ts';
import { BARE, bip, type Contestant, NPM, OPENTRACKER } from './servers.ts';
import { caseTable, memoryTable, type Sample } from './tables.ts';

const CONTESTANTS: readonly Contestant[] = [
  bip('bip'),
  bip('bip, 2 workers', ['--workers', '2']),
  OPENTRACKER,
  NPM,
  BARE,
];

/** A table of memory and one for each case. */
export async function compare(arena: Arena): Promise<string> {
  await using stack = new AsyncDisposableStack();
  const { population, runners } = await fillAll(
    [...CONTESTANTS, ...furtherBuilds(arena)],
    arena,
    stack,
  );
  const { seconds, cases: names } = arena.options;
  const cases = await casesOf(names, { population, seconds, to: arena.to });
  const tables = [memoryTable(runners)];
  for (const one of cases) {
    tables.push(`${one.name}\n\n${await compareCase(one, runners, arena)}`);
  }
  return tables.join('\n\n');
}

function furtherBuilds({ options }: Arena): Contestant[] {
  return [...options.bundles].map(([name, path]) => bip(name, [], path));
}

async function compareCase(
  one: Case,
  runners: readonly Runner[],
  { options, say }: Arena,
): Promise<string> {
  const rows = runners
    .filter(({ contestant }) => one.suits(contestant))
    .map(({ contestant, server }) => ({ contestant, server, samples: new Array<Sample>() }));
  for (let round = 1; round <= options.runs; round++) {
    for (const { contestant, server, samples } of rows) {
      const sample = await watch(server, () => one.run(server, contestant));
      samples.push(sample);
      const rate = `${Math.round(sample.perSecond)} a second, ${sample.cpuMicros.toFixed(2)} us each`;
      say(`${one.name}, round ${round}: ${contestant.name} ${rate}`);
    }
  }
  const named = rows.map(({ contestant, samples }) => ({ name: contestant.name, samples }));
  return caseTable(one.unit, named);
}
