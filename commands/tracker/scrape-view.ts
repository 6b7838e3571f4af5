/** How the answers to scrapes look. @module */

import { formatEndpoint } from '../../src/base/endpoint.ts';
import type { ScrapedFile, ScrapeResponse } from '../../src/tracker/index.ts';
import { tsv, type View } from '../cli/action.ts';
import { printable } from '../cli/printable.ts';
import { formatDuration, formatMillis, roundMillis } from '../cli/units.ts';
import type { Shown } from './outcome.ts';
import type { Answered, Rendering } from './rendering.ts';
import type { Result } from './result.ts';
import { resultView } from './result-view.ts';
import type { NamedTorrent } from './sources.ts';

const rendering: Rendering<ScrapeResponse> = {
  columns: (outcomes) =>
    outcomes.some(({ inquiry }) => inquiry.torrents.length > 1) || distinct(outcomes) > 1
      ? [TORRENT_COLUMN, ...COLUMNS]
      : COLUMNS,
  rows(shown, columns) {
    const { response } = shown;
    const rest = [formatMillis(response.rttMs), String(response.exchange.family)];
    return [...torrentsOf(shown)].map(([torrent, file], at) => {
      const counts = file === undefined ? ['', '', 'unknown'] : figures(file).map(String);
      const name = columns.includes(TORRENT_COLUMN) ? [shortName(torrent)] : [];
      return [...name, ...counts, ...(at === 0 ? rest : ['', ''])];
    });
  },
  footer: () => [],
  warning: () => undefined,
  details(shown) {
    const { remote, rttMs, minRequestIntervalSeconds: least } = shown.response;
    const all = [...torrentsOf(shown)];
    const several = all.length > 1;
    return [
      ['answered', [`${formatEndpoint(remote)} in ${formatMillis(rttMs)}`]],
      ['not before', least === undefined ? [] : [formatDuration(least * 1000)]],
      ...all.flatMap(([torrent, file]): [string, string[]][] => [
        ['torrent', several ? [nameOf(torrent)] : []],
        ...countRows(file),
      ]),
    ];
  },
  brief(shown) {
    const counts = [...torrentsOf(shown)].map(([torrent, file]) => {
      const [seeders, leechers, completed] = file === undefined ? ['?', '?', '?'] : figures(file);
      const name = shown.inquiry.torrents.length > 1 ? `${shortName(torrent)} ` : '';
      return `${name}${seeders} seeders  ${leechers} leechers  ${completed} completed`;
    });
    return `${counts.join('  ')}  ${formatMillis(shown.response.rttMs)}`;
  },
  /** `tracker ok infoHash seeders leechers completed rttMs`, a line for each torrent. */
  lines(shown) {
    const { tracker, response } = shown;
    const time = roundMillis(response.rttMs);
    return [...torrentsOf(shown)]
      .map(([{ infoHash }, file]) => {
        const known = file === undefined ? 'unknown' : 'ok';
        const counts = [file?.seeders, file?.leechers, file?.completed];
        return tsv(tracker, known, infoHash.hex, ...counts, time);
      })
      .join('');
  },
  json({ files, minRequestIntervalSeconds, remote, rttMs }) {
    return {
      address: formatEndpoint(remote),
      files: files.map(({ infoHash, ...counts }) => ({ infoHash: infoHash.hex, ...counts })),
      minRequestInterval: minRequestIntervalSeconds,
      rttMs: roundMillis(rttMs),
    };
  },
};

export const scrapeView: View<Result<ScrapeResponse>> = resultView(rendering);

/** Each torrent that was asked for, with what the tracker says of it. */
function* torrentsOf({
  inquiry,
  response,
}: Answered<ScrapeResponse>): Iterable<readonly [NamedTorrent, ScrapedFile | undefined]> {
  const files = new Map(response.files.map((file) => [file.infoHash.hex, file]));
  for (const torrent of inquiry.torrents) yield [torrent, files.get(torrent.infoHash.hex)];
}

function distinct(outcomes: readonly Shown<unknown>[]): number {
  const all = outcomes.flatMap(({ inquiry }) => inquiry.torrents);
  return new Set(all.map(({ infoHash }) => infoHash.hex)).size;
}

function figures({ seeders, leechers, completed }: ScrapedFile): (number | string)[] {
  return [seeders ?? '', leechers ?? '', completed ?? ''];
}

function countRows(file: ScrapedFile | undefined): [string, string[]][] {
  if (file === undefined) return [['known', ['no']]];
  const { seeders, leechers, completed, downloaders } = file;
  return Object.entries({ seeders, leechers, downloaders, completed }).map(([label, count]) => [
    label,
    count === undefined ? [] : [String(count)],
  ]);
}

function nameOf({ name, infoHash }: NamedTorrent): string {
  return name === undefined ? infoHash.hex : `${infoHash.hex} ${printable(name)}`;
}

/** Fits into its column. */
function shortName({ name, infoHash }: NamedTorrent): string {
  const text = name === undefined ? infoHash.hex : printable(name);
  const { width } = TORRENT_COLUMN;
  return text.length > width ? `${text.slice(0, width - 1)}…` : text;
}

const TORRENT_COLUMN = { title: 'torrent', width: 16, align: 'left' } as const;
const COLUMNS = [
  { title: 'seeders', width: 7, align: 'right' },
  { title: 'leechers', width: 8, align: 'right' },
  { title: 'completed', width: 9, align: 'right' },
  { title: 'time', width: 8, align: 'right' },
  { title: 'ip', width: 2, align: 'right' },
] as const;
