/** How the answers of trackers look. @module */

import type TableModule from 'cli-table3';
import { formatEndpoint } from '../../src/base/endpoint.ts';
import { type AnnounceResponse, TrackerRefusal } from '../../src/tracker/index.ts';
import { tsv, type View } from '../cli/action.ts';
import { labelled, type Row } from '../cli/labelled.ts';
import { GAP, NO_LINES } from '../cli/plain-table.ts';
import type { Style } from '../cli/style.ts';
import { formatDuration } from '../cli/units.ts';
import type { Outcome } from './probe.ts';

/** The constructor of cli-table3, which is loaded only when a table is drawn. */
export type Table = typeof TableModule;

/** Outcomes one by one, or all of them for a table; `tracker` as it may be shown. */
export type Shown = Outcome | { readonly outcomes: readonly Outcome[]; readonly Table: Table };

type Answered = Extract<Outcome, { readonly response: AnnounceResponse }>;

export const announceView: View<Shown> = {
  terminal(shown, style, columns) {
    if ('outcomes' in shown) return table(shown, style, columns);
    return 'response' in shown ? details(shown, style) : failure(shown, style);
  },
  plain(shown) {
    if ('outcomes' in shown) return shown.outcomes.map(line).join('');
    return line(shown);
  },
  json(shown) {
    return 'outcomes' in shown ? shown.outcomes.map(json) : json(shown);
  },
};

/** `tracker ok seeders leechers interval rttMs peers`, or `tracker error code message`. */
function line(outcome: Outcome): string {
  if ('error' in outcome) {
    return tsv(outcome.tracker, 'error', outcome.error.code, outcome.error.message);
  }
  const { seeders, leechers, intervalSeconds, rttMs, peers } = outcome.response;
  const addresses = peers.map(formatEndpoint).join(' ');
  const time = milliseconds(rttMs);
  return tsv(outcome.tracker, 'ok', seeders, leechers, intervalSeconds, time, addresses);
}

function json(outcome: Outcome): object {
  const { tracker } = outcome;
  if ('error' in outcome) {
    const { error } = outcome;
    const { code, message } = error;
    const retryIn = error instanceof TrackerRefusal ? error.retryInSeconds : undefined;
    return { tracker, error: { code, message, retryIn } };
  }
  const { response } = outcome;
  return {
    tracker,
    address: formatEndpoint(response.remote),
    interval: response.intervalSeconds,
    minInterval: response.minIntervalSeconds,
    seeders: response.seeders,
    leechers: response.leechers,
    peers: response.peers.map(formatEndpoint),
    externalIp: response.externalIp,
    warning: response.warning,
    rttMs: milliseconds(response.rttMs),
  };
}

function details({ tracker, response }: Answered, style: Style): string {
  const { seeders, leechers, externalIp, warning, peers } = response;
  const rows: readonly Row[] = [
    ['tracker', [tracker]],
    ['answered', [`${formatEndpoint(response.remote)} in ${milliseconds(response.rttMs)} ms`]],
    ['seeders', present(seeders)],
    ['leechers', present(leechers)],
    ['interval', [interval(response)]],
    ['external ip', present(externalIp)],
    ['warning', present(warning)],
    ['peers', peers.length === 0 ? ['none'] : peers.map(formatEndpoint)],
  ];
  return labelled(rows, style);
}

function present(value: string | number | undefined): string[] {
  return value === undefined ? [] : [String(value)];
}

function interval({ intervalSeconds, minIntervalSeconds }: AnnounceResponse): string {
  const least =
    minIntervalSeconds === undefined
      ? ''
      : `, not before ${formatDuration(minIntervalSeconds * 1000)}`;
  return `${formatDuration(intervalSeconds * 1000)}${least}`;
}

function failure({ tracker, error }: Extract<Outcome, { error: unknown }>, style: Style): string {
  return `${style.bold(tracker)}  ${style.red(error.message)}\n`;
}

function table(
  { outcomes, Table }: Extract<Shown, { outcomes: unknown }>,
  style: Style,
  columns: number,
): string {
  const others = NUMBERS.reduce((sum, { width }) => sum + width + GAP.length, 0);
  const width = Math.max(columns - others, MIN_TRACKER_WIDTH);
  const drawn = new Table({
    head: ['tracker', ...NUMBERS.map(({ title }) => title)].map((title) => style.cyan(title)),
    chars: NO_LINES,
    colAligns: ['left', ...NUMBERS.map(() => 'right' as const)],
    colWidths: [width, ...NUMBERS.map((column) => column.width)],
    wordWrap: true,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  for (const outcome of outcomes) drawn.push(row(outcome, style, width));
  const addresses = outcomes.flatMap((outcome) =>
    'response' in outcome ? outcome.response.peers.map(formatEndpoint) : [],
  );
  const distinct = [...new Set(addresses)];
  const lines = drawn
    .toString()
    .split('\n')
    .map((text) => text.trimEnd());
  return `${[...lines, ...(distinct.length > 0 ? ['', ...distinct] : [])].join('\n')}\n`;
}

type Cells = (
  | string
  | { readonly colSpan: number; readonly hAlign: 'left'; readonly content: string }
)[];

function row(outcome: Outcome, style: Style, width: number): Cells {
  const tracker = broken(outcome.tracker, width);
  if ('error' in outcome) {
    const content = style.red(outcome.error.message);
    return [tracker, { colSpan: NUMBERS.length, hAlign: 'left', content }];
  }
  const { seeders, leechers, peers, rttMs, warning } = outcome.response;
  const noted = warning === undefined ? '' : `\n${style.yellow(warning)}`;
  const cells = [
    seeders ?? '',
    leechers ?? '',
    peers.length,
    formatDuration(outcome.response.intervalSeconds * 1000),
    `${milliseconds(rttMs)} ms`,
  ];
  return [`${tracker}${noted}`, ...cells.map(String)];
}

/** A URL has no words to break between. */
function broken(text: string, width: number): string {
  const lines: string[] = [];
  for (let at = 0; at < text.length; at += width) lines.push(text.slice(at, at + width));
  return lines.join('\n');
}

/** At most three decimals. */
function milliseconds(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

const NUMBERS = [
  { title: 'seeders', width: 7 },
  { title: 'leechers', width: 8 },
  { title: 'peers', width: 5 },
  { title: 'interval', width: 8 },
  { title: 'time', width: 10 },
] as const;
const MIN_TRACKER_WIDTH = 24;
