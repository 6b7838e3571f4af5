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
  terminal(event, style) {
    switch (event.type) {
      case 'listening':
        return listening(event, style);
      case 'announce':
        return announceLine(event, style);
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

/** In columns; the last one is as long as it is. */
function announceLine(event: Announce, style: Style): string {
  const state = stateOf(event).padEnd('leecher'.length);
  const columns = [
    event.event.padEnd('completed'.length),
    event.refused === undefined ? state : style.yellow(state),
    event.transport.padEnd('http'.length),
    style.dim(event.infoHash),
    event.peer,
  ];
  return `${columns.join(' ')}\n`;
}

/** Seeding or not; of a refused announce, why it was. */
function stateOf({ refused, seeding }: Announce): string {
  return refused ?? (seeding ? 'seeder' : 'leecher');
}

/** The line that redraws itself, no longer than the terminal is wide: of one that wraps, a part would stay. */
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
  return parts.join('  ').slice(0, columns - 1);
}

function total({ announces, scrapes, refused, elapsedMs }: Extract<ServeEvent, { type: 'end' }>) {
  const answered = `${count(announces, 'announce')} and ${count(scrapes, 'scrape')}`;
  return `${answered} in ${formatDuration(elapsedMs)}, ${refused} refused`;
}

/** `1 peer`, `2 peers`. */
export function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
