/** What a crawl has come to, for terminals. @module */

import { type FamilyCrawlReport, type SizeEstimate, versionBytes } from '../../src/dht/index.ts';
import type { Millis } from '../../src/runtime/ports.ts';
import { labelled } from '../cli/labelled.ts';
import type { Style } from '../cli/style.ts';
import { clientOr } from './client-name.ts';
import { countOf, tookTime } from './words.ts';

/** How far it is. */
export interface CrawlSum {
  readonly reports: readonly FamilyCrawlReport[];
  /** Of this run; those of the reports are of all. */
  readonly nodes: number;
  /** Infohashes that were listed in this run; undefined when none are to be listed. */
  readonly infoHashes: number | undefined;
  readonly elapsedMs: Millis;
}

/** All families, one under the other. */
export function crawlSummary(sum: CrawlSum, style: Style, columns: number): string {
  const { reports, elapsedMs, infoHashes, nodes } = sum;
  const listed = infoHashes === undefined ? '' : `, ${number(infoHashes)} infohashes listed`;
  const last = `${countOf(nodes, 'node')} found${listed} in ${tookTime(elapsedMs)}`;
  return [
    ...reports.map((report) => `${familySummary(report, style, columns)}\n`),
    `${style.dim(last)}\n`,
  ].join('');
}

/** `about 9,123,000 nodes (8,900,000 to 9,300,000)`; nothing while there is no estimate. */
export function estimateWords({ nodes, low, high }: SizeEstimate): string {
  if (high === low) return countOf(nodes, 'node').replace(String(nodes), number(nodes));
  return `about ${number(nodes)} (${number(low)} to ${number(high)}) nodes`;
}

/** One line of blocks: the id space from its beginning to its end, filled where all was asked. */
export function coverageBar(coverage: readonly number[]): string {
  return coverage
    .map((asked) => {
      const height = Math.min(BLOCKS.length - 1, Math.floor(asked * BLOCKS.length));
      return asked > 0 ? BLOCKS[height] : '·';
    })
    .join('');
}

/** With commas between thousands. */
export function number(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}

const BLOCKS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;

function familySummary(report: FamilyCrawlReport, style: Style, columns: number): string {
  const { family, zones, zonesDone, estimate, coverage, census } = report;
  const { answered, silent, secure, sampling, samples, total, queries } = census.counts;
  const size = estimate === undefined ? 'size unknown' : estimateWords(estimate);
  const rows: [string, readonly string[]][] = [
    ['zones', zones === undefined ? [] : [zoneWords(zonesDone, zones, estimate)]],
    ['asked', columns < coverage.length + MARGIN ? [] : [coverageBar(coverage)]],
    ['answered', [`${share(answered, answered + silent)} (${number(queries)} queries)`]],
    ['BEP 42', [`${share(secure, answered)} have ids that follow from their addresses`]],
    [
      'BEP 51',
      [`${share(sampling, answered)} gave ${number(samples)} of ${number(total)} infohashes`],
    ],
    ['clients', clientWords(report)],
  ];
  return `${style.bold(`IPv${family}: ${size}`)}\n${labelled(rows, style)}`;
}

function zoneWords(done: number, zones: number, estimate: SizeEstimate | undefined): string {
  const suspect = estimate?.suspect ?? 0;
  const odd = suspect === 0 ? '' : `; ${suspect} with more or fewer nodes than chance explains`;
  return `${number(done)} of ${number(zones)} asked${odd}`;
}

function clientWords({ census }: FamilyCrawlReport): readonly string[] {
  const named = new Map<string, number>();
  for (const [version, { nodes }] of census.versions) {
    const bytes = versionBytes(version);
    const name = (bytes.length > 0 && clientOr(bytes)) || 'unnamed';
    named.set(name, (named.get(name) ?? 0) + nodes);
  }
  const { answered, otherVersions } = census.counts;
  if (otherVersions > 0) named.set('others', otherVersions);
  return [...named]
    .toSorted(([, one], [, other]) => other - one)
    .slice(0, MOST_CLIENTS)
    .map(([name, nodes]) => `${share(nodes, answered)}  ${name}`);
}

/** `12 of 24, 50 %`. */
function share(part: number, whole: number): string {
  const percent = whole === 0 ? 0 : (100 * part) / whole;
  return `${number(part)} of ${number(whole)}, ${Number(percent.toFixed(1))} %`;
}

const MOST_CLIENTS = 10;
/** Of labels. */
const MARGIN = 14;
