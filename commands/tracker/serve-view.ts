/** How the events of `tracker serve` look on stdout. @module */

import { tsv, type View } from '../cli/action.ts';
import type { Style } from '../cli/style.ts';
import { formatDuration } from '../cli/units.ts';
import type { ServeEvent, TrackerNumbers } from './serve-events.ts';

/**
 * In a pipe the result is where clients announce to, one URL a line, and with --log-announces each
 * announce; on a terminal the numbers stand on stderr and redraw themselves.
 */
export const serveView: View<ServeEvent> = {
  terminal(event, style) {
    switch (event.type) {
      case 'listening':
        return listening(event, style);
      case 'announce':
        return `${announce(event).join('  ')}\n`;
      case 'end':
        return `${total(event)}\n`;
      case 'numbers':
        return undefined;
      default:
        return `${style.dim(sentence(event))}\n`;
    }
  },
  plain(event) {
    if (event.type === 'listening') return event.announce.map((url) => tsv(url)).join('');
    return event.type === 'announce' ? tsv(...announce(event)) : undefined;
  },
};

function listening(
  { announce: urls, stats, restored }: Extract<ServeEvent, { type: 'listening' }>,
  style: Style,
): string {
  const lines = urls.map((url) => style.bold(url));
  if (stats !== undefined) lines.push(`${style.dim('status')} ${stats}`);
  if (restored !== undefined) {
    lines.push(style.dim(`${restored.peers} peers of ${restored.swarms} torrents are back`));
  }
  return `${lines.join('\n')}\n`;
}

/** The columns of an announce: what, of which torrent, who, seeding or not. */
function announce({
  event,
  infoHash,
  peer,
  seeding,
  transport,
  refused,
}: Extract<ServeEvent, { type: 'announce' }>): string[] {
  const state = refused ?? (seeding ? 'seeder' : 'leecher');
  return [event, infoHash, peer, state, transport];
}

/** What happened, beside the numbers, in a sentence. */
function sentence(
  event: Exclude<ServeEvent, { type: 'listening' | 'announce' | 'numbers' | 'end' }>,
): string {
  switch (event.type) {
    case 'reloaded':
      return 'the lists were read again';
    case 'reload-failed':
      return `the lists stay as they were: ${event.message}`;
    case 'store':
      return event.up
        ? 'the store is there'
        : `the store is away, answers come from this tracker alone: ${event.reason}`;
    case 'saved':
      return `${event.peers} peers of ${event.swarms} torrents were saved to ${event.path}`;
    case 'save-failed':
      return `the state was not saved: ${event.message}`;
  }
}

/** The line that redraws itself. */
export function statusLine({
  swarms,
  seeders,
  leechers,
  announcesPerSecond,
  refused,
}: TrackerNumbers): string {
  const parts = [
    `${swarms} torrents`,
    `${seeders} seeders`,
    `${leechers} leechers`,
    `${announcesPerSecond} announces/s`,
  ];
  if (refused > 0) parts.push(`${refused} refused`);
  return parts.join('  ');
}

function total({ announces, scrapes, refused, elapsedMs }: Extract<ServeEvent, { type: 'end' }>) {
  return `${announces} announces and ${scrapes} scrapes in ${formatDuration(elapsedMs)}, ${refused} refused`;
}
