/** How the events of `tracker serve` look on stdout. @module */

import { tsv, type View } from '../cli/action.ts';
import type { Style } from '../cli/style.ts';
import { formatDuration } from '../cli/units.ts';
import type { ServeEvent, TrackerNumbers } from './serve-events.ts';

/**
 * The result is where clients announce to, one URL a line, and with --log-announces each announce;
 * what else happens is told on stderr (`serve-notes.ts`), where on a terminal numbers redraw themselves.
 */
export const serveView: View<ServeEvent> = {
  terminal(event, style, columns) {
    switch (event.type) {
      case 'listening':
        return listening(event, style);
      case 'announce':
        return announceLine(event, style, columns);
      case 'end':
        return `${total(event)}\n`;
      default:
        return undefined;
    }
  },
  plain(event) {
    if (event.type === 'listening') return event.announce.map((url) => tsv(url)).join('');
    if (event.type !== 'announce') return undefined;
    return tsv(event.event, event.infoHash, event.peer, stateOf(event), event.transport);
  },
};

type Announce = Extract<ServeEvent, { type: 'announce' }>;

function listening(
  { announce, stats }: Extract<ServeEvent, { type: 'listening' }>,
  style: Style,
): string {
  const lines = announce.map((url) => style.bold(url));
  if (stats !== undefined) lines.push(`${style.dim('status')} ${stats}`);
  return `${lines.join('\n')}\n`;
}

/** In columns; of the infohash as much as leaves the line one line. */
function announceLine(event: Announce, style: Style, columns: number): string {
  const begin = [
    event.event.padEnd('completed'.length),
    (event.seeding ? 'seeder' : 'leecher').padEnd('leecher'.length),
    event.transport.padEnd('http'.length),
  ].join(' ');
  const refusal = event.refused === undefined ? '' : ` refused: ${event.refused}`;
  const room = columns - begin.length - event.peer.length - refusal.length - 2;
  const infoHash = shortened(event.infoHash, room);
  return `${begin} ${style.dim(infoHash)} ${event.peer}${style.yellow(refusal)}\n`;
}

/** The beginning of what is longer than `room`, of which a few characters stay in any case. */
function shortened(text: string, room: number): string {
  return text.length <= room ? text : `${text.slice(0, Math.max(LEAST_SHOWN, room - 1))}…`;
}

const LEAST_SHOWN = 8;

/** Seeding or not; of a refused announce, why it was. */
function stateOf({ refused, seeding }: Announce): string {
  return refused ?? (seeding ? 'seeder' : 'leecher');
}

/**
 * The line that redraws itself, of as many parts as the terminal is wide for: of a line that wraps,
 * some would stay when it is drawn again.
 */
export function statusLine(
  { swarms, seeders, leechers, announcesPerSecond, refused }: TrackerNumbers,
  columns: number,
): string {
  const parts = [
    count(swarms, 'torrent'),
    count(seeders, 'seeder'),
    count(leechers, 'leecher'),
    `${announcesPerSecond} announces/s`,
  ];
  if (refused > 0) parts.push(`${refused} refused`);
  while (parts.length > 1 && parts.join(GAP).length >= columns) parts.pop();
  return parts.join(GAP).slice(0, columns - 1);
}

const GAP = '  ';

function total({ announces, scrapes, refused, elapsedMs }: Extract<ServeEvent, { type: 'end' }>) {
  const answered = `${count(announces, 'announce')} and ${count(scrapes, 'scrape')}`;
  return `${answered} in ${formatDuration(elapsedMs)}, ${refused} refused`;
}

/** `1 peer`, `2 peers`. */
export function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
