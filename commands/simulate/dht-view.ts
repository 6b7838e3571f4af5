/** How searches in a simulated DHT look. @module */

import type { Millis } from '../../src/runtime/ports.ts';
import { tsv, type View } from '../cli/action.ts';
import type { Style } from '../cli/style.ts';
import { formatDuration, formatMillis, roundMillis } from '../cli/units.ts';
import { type Statistics, statisticsOf } from './statistics.ts';

export interface SimulatedLookup {
  /** Of the closest nodes that live, those that it found, and those that there were: 8 at most. */
  readonly found: number;
  readonly wanted: number;
  readonly hops: number;
  readonly queries: number;
  /** Queries without an answer in the short time, a second. */
  readonly slow: number;
  /** Virtual. */
  readonly elapsedMs: Millis;
}

export interface Simulated {
  readonly nodes: number;
  readonly seed: number;
  /** Percent. */
  readonly churn: number;
  readonly loss: number;
  readonly nat: number;
  /** Virtual time before the searches. */
  readonly afterMs: Millis;
  /** At least one. */
  readonly lookups: readonly SimulatedLookup[];
  /** Hash of all that happened: the same for the same seed and flags. */
  readonly events: string;
  /** Real time: to open the network, and of one search. */
  readonly openMs: Millis;
  readonly lookupMs: Millis;
}

export const dhtView: View<Simulated> = {
  terminal(simulated, style, columns) {
    const { lookups } = simulated;
    const found = `${lookups.length} searches found ${percent(foundShare(lookups))} of the closest nodes; ${percent(completeShare(lookups))} of them found all`;
    const real = `opened in ${formatDuration(simulated.openMs)}, ${formatMillis(simulated.lookupMs)} of real time each`;
    return [
      `${style.bold(heading(simulated))}\n${found}\n`,
      measureTable(measuresOf(simulated), style),
      hopPlot(lookups, style, columns),
      `${style.dim(real)}\n`,
    ].join('\n');
  },
  plain(simulated) {
    const { lookups } = simulated;
    const measures = measuresOf(simulated).map(({ name, statistics }) => {
      const { mean, median, p95, max } = statistics;
      return tsv(name, ...[mean, median, p95, max].map(rounded));
    });
    const hops = hopCounts(lookups).map(({ hops: count, searches, complete }) =>
      tsv('hops', count, searches, complete),
    );
    return [
      ...measures,
      tsv('foundShare', rounded(foundShare(lookups))),
      tsv('completeShare', rounded(completeShare(lookups))),
      ...hops,
    ].join('');
  },
  json(simulated) {
    const { nodes, seed, churn, loss, nat, afterMs, lookups, events } = simulated;
    return {
      ...{ nodes, seed, churn, loss, nat, after: afterMs / 1000, lookups: lookups.length },
      found: rounded(foundShare(lookups)),
      complete: rounded(completeShare(lookups)),
      ...measuresJson(measuresOf(simulated)),
      byHops: hopCounts(lookups),
      events,
      realTime: {
        openMs: roundMillis(simulated.openMs),
        lookupMs: roundMillis(simulated.lookupMs),
      },
    };
  },
};

interface Measure {
  readonly name: 'hops' | 'queries' | 'slow' | 'elapsedMs';
  readonly statistics: Statistics;
}

interface HopCount {
  readonly hops: number;
  readonly searches: number;
  /** Of them, those that found all. */
  readonly complete: number;
}

function heading({ nodes, seed, churn, loss, nat, afterMs }: Simulated): string {
  return [
    `A DHT of ${nodes} nodes`,
    ...(nat > 0 ? [`${nat} % behind NATs`] : []),
    ...(loss > 0 ? [`${loss} % loss`] : []),
    ...(churn > 0 ? [`${churn} % leave in an hour`] : []),
    ...(afterMs > 0 ? [`after ${formatDuration(afterMs)}`] : []),
    `seed ${seed}`,
  ].join(', ');
}

function measuresOf({ lookups }: Simulated): readonly Measure[] {
  const measure = (name: Measure['name']): Measure => ({
    name,
    statistics: statisticsOf(lookups.map((lookup) => lookup[name])),
  });
  return [measure('hops'), measure('queries'), measure('slow'), measure('elapsedMs')];
}

function measuresJson(measures: readonly Measure[]): Readonly<Record<string, Statistics>> {
  const json: Record<string, Statistics> = {};
  for (const { name, statistics } of measures) {
    const { mean, median, p95, max } = statistics;
    json[name] = {
      mean: rounded(mean),
      median: rounded(median),
      p95: rounded(p95),
      max: rounded(max),
    };
  }
  return json;
}

function isComplete({ found, wanted }: SimulatedLookup): boolean {
  return found === wanted;
}

function foundShare(lookups: readonly SimulatedLookup[]): number {
  const sum = (of: (lookup: SimulatedLookup) => number): number =>
    lookups.reduce((total, lookup) => total + of(lookup), 0);
  return (
    sum(({ found }) => found) /
    Math.max(
      1,
      sum(({ wanted }) => wanted),
    )
  );
}

function completeShare(lookups: readonly SimulatedLookup[]): number {
  return lookups.filter(isComplete).length / lookups.length;
}

function hopCounts(lookups: readonly SimulatedLookup[]): readonly HopCount[] {
  const most = Math.max(...lookups.map(({ hops }) => hops));
  const least = Math.min(...lookups.map(({ hops }) => hops));
  return Array.from({ length: most - least + 1 }, (_, at) => {
    const those = lookups.filter(({ hops }) => hops === least + at);
    const complete = those.filter(isComplete).length;
    return { hops: least + at, searches: those.length, complete };
  });
}

function measureTable(measures: readonly Measure[], style: Style): string {
  const head = `${' '.repeat(LABEL)}${cells(['mean', 'median', '95 %', 'most'])}`;
  const rows = measures.map(({ name, statistics: { mean, median, p95, max } }) => {
    const texts = [mean, median, p95, max].map((value) =>
      name === 'elapsedMs' ? formatMillis(value) : `${Math.round(value * 10) / 10}`,
    );
    return `${LABELS[name].padEnd(LABEL)}${cells(texts)}`;
  });
  return `${[style.cyan(head), ...rows].join('\n')}\n`;
}

function cells(texts: readonly string[]): string {
  return texts.map((text) => text.padStart(10)).join('');
}

/** A bar for each number of hops: searches that found all in green, the others in red. */
function hopPlot(lookups: readonly SimulatedLookup[], style: Style, columns: number): string {
  const counts = hopCounts(lookups);
  const most = Math.max(...counts.map(({ searches }) => searches));
  const room = Math.max(MIN_BAR, Math.min(MAX_BAR, columns - LABEL - BESIDE));
  const rows = counts.map(({ hops, searches, complete }) => {
    const width = Math.ceil((searches / most) * room);
    // Whoever failed is seen.
    const failed = Math.ceil(((searches - complete) / most) * room);
    const bar =
      style.green('█'.repeat(Math.max(0, width - failed))) + style.red('▒'.repeat(failed));
    const incomplete = searches - complete;
    const note = incomplete === 0 ? '' : style.dim(`, ${incomplete} not all`);
    return `${`${hops} hop${hops === 1 ? '' : 's'}`.padEnd(LABEL)}${bar} ${searches}${note}`;
  });
  return `${rows.join('\n')}\n`;
}

function percent(share: number): string {
  // 100 % are all of them.
  return `${Math.floor(share * 1000) / 10} %`;
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

const LABELS: Readonly<Record<Measure['name'], string>> = {
  hops: 'hops',
  queries: 'queries',
  slow: 'slow',
  elapsedMs: 'time',
};
const LABEL = 10;
/** Numbers behind a bar. */
const BESIDE = 22;
const MIN_BAR = 10;
const MAX_BAR = 60;
