/** What is printed. @module */

import { cpus } from 'node:os';
import { median } from '../download/statistics.ts';

/** One measurement of one tracker. */
export interface Sample {
  readonly perSecond: number;
  /** CPU of the tracker for one of what is counted, of all threads and of the one that worked most. */
  readonly cpuMicros: number;
  readonly busiestMicros: number;
  readonly generatorMicros: number;
  /** Peers or torrents in an answer. */
  readonly entries: number;
  /** Part of all packets. */
  readonly lost: number;
  readonly wrong: number;
}

export interface Row {
  readonly name: string;
  readonly samples: readonly Sample[];
}

/** Ratios are of CPU: the generator is the wall for the others. */
export function caseTable(unit: string, rows: readonly Row[]): string {
  const of = (name: string): number | undefined => {
    const row = rows.find((one) => one.name === name);
    return row && middle(row, (sample) => sample.cpuMicros);
  };
  const bases = ['opentracker', 'bittorrent-tracker'];
  const lines = rows.map((row) => {
    const cpu = middle(row, (sample) => sample.cpuMicros);
    const micros = row.samples.map((sample) => sample.cpuMicros);
    return cells([
      row.name,
      kilo(middle(row, (sample) => sample.perSecond)),
      cpu.toFixed(2),
      `${Math.min(...micros).toFixed(2)}–${Math.max(...micros).toFixed(2)}`,
      kilo(1e6 / cpu),
      kilo(1e6 / middle(row, (sample) => sample.busiestMicros)),
      ...bases.map((base) => ratio(of(base), cpu)),
      middle(row, (sample) => sample.entries).toFixed(1),
      `${(100 * middle(row, (sample) => sample.lost)).toFixed(2)} %`,
      String(row.samples.reduce((sum, { wrong }) => sum + wrong, 0)),
      middle(row, (sample) => sample.generatorMicros).toFixed(1),
    ]);
  });
  const titles = [
    'tracker',
    `k ${unit}/s here`,
    'CPU µs each',
    'min–max',
    'k/s of one core',
    'k/s with cores enough',
    ...bases.map((base) => `× ${base}`),
    unit === 'scrapes' ? 'torrents' : 'peers',
    'lost',
    'wrong',
    'generator µs',
  ];
  return [cells(titles), rule(titles.length), ...lines].join('\n');
}

/** Resident memory of those that know all peers. */
export function memoryTable(
  rows: readonly { readonly contestant: { readonly name: string }; readonly fullBytes: number }[],
): string {
  const lines = rows.map(({ contestant, fullBytes }) =>
    cells([contestant.name, (fullBytes / 2 ** 20).toFixed(0)]),
  );
  return [cells(['tracker', 'RSS MiB']), rule(2), ...lines].join('\n');
}

/** What the figures depend on. */
export function machine(): string {
  const processors = cpus();
  return `${processors.length} × ${processors[0]?.model ?? 'unknown processor'}, Node ${process.version}`;
}

export function cells(texts: readonly string[]): string {
  return `| ${texts.join(' | ')} |`;
}

/** Below the titles: names to the left, numbers to the right. */
export function rule(columns: number): string {
  return `|---|${'---:|'.repeat(columns - 1)}`;
}

function middle({ samples }: Row, value: (sample: Sample) => number): number {
  return median(samples.map(value));
}

function kilo(value: number): string {
  return (value / 1000).toFixed(1);
}

/** How often as much CPU the base takes. */
function ratio(base: number | undefined, cpu: number): string {
  return base === undefined ? '' : (base / cpu).toFixed(2);
}
