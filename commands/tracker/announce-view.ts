/** How the answers of trackers look. @module */

import type TableModule from 'cli-table3';
import { formatEndpoint } from '../../src/base/endpoint.ts';
import { type AnnounceResponse, TrackerRefusal } from '../../src/tracker/index.ts';
import { tsv, type View } from '../cli/action.ts';
import { labelled, type Row } from '../cli/labelled.ts';
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
  const narrow = NUMBERS.map(({ width }) => width);
  const rest = columns - narrow.reduce((sum, width) => sum + width + 1, 0) - 2;
  const drawn = new Table({
    head: ['tracker', ...NUMBERS.map(({ title }) => title)],
    colAligns: ['left', ...NUMBERS.map(() => 'right' as const)],
    colWidths: [Math.max(rest, 24), ...narrow],
    wordWrap: true,
    wrapOnWordBoundary: false,
    style: { head: [], border: [], compact: true },
  });
  for (const outcome of outcomes) drawn.push(row(outcome, style));
  const addresses = outcomes.flatMap((outcome) =>
    'response' in outcome ? outcome.response.peers.map(formatEndpoint) : [],
  );
  const distinct = [...new Set(addresses)];
  return `${[drawn.toString(), ...distinct].join('\n')}\n`;
}

type Cells = (string | { readonly colSpan: number; readonly content: string })[];

function row(outcome: Outcome, style: Style): Cells {
  if ('error' in outcome) {
    const content = style.red(outcome.error.message);
    return [outcome.tracker, { colSpan: NUMBERS.length, content }];
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
  return [`${outcome.tracker}${noted}`, ...cells.map(String)];
}

/** At most three decimals. */
function milliseconds(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

const NUMBERS = [
  { title: 'seeders', width: 9 },
  { title: 'leechers', width: 10 },
  { title: 'peers', width: 7 },
  { title: 'interval', width: 10 },
  { title: 'time', width: 11 },
] as const;
