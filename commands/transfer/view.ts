/** How the events of a transfer look on stdout. @module */

import { tsv, type View } from '../cli/action.ts';
import { formatDuration, formatSize } from '../cli/units.ts';
import type { EndEvent, TransferEvent } from './events.ts';

/** On a terminal and in a pipe, only the result is printed: what was downloaded and where it is. */
export const downloadView: View<TransferEvent> = {
  terminal(event, style) {
    if (event.type !== 'end') return undefined;
    return event.complete ? `${style.green('done')} ${summary(event)}\n` : `${summary(event)}\n`;
  },
  plain: (event) => (event.type === 'end' && event.complete ? `${event.path}\n` : undefined),
};

/** A seed has its magnet for a result. */
export const seedView: View<TransferEvent> = {
  terminal(event, style) {
    if (event.type === 'seeding') return `${style.bold(String(event['magnet']))}\n`;
    return event.type === 'end'
      ? `${formatSize(event.uploaded)} sent in ${formatDuration(event.elapsedMs)}${blockedBy(event)}\n`
      : undefined;
  },
  plain: (event) => (event.type === 'seeding' ? tsv(String(event['magnet'])) : undefined),
};

function blockedBy({ blocked }: EndEvent): string {
  return blocked === undefined ? '' : `, ${blocked} connections blocked`;
}

function summary(event: EndEvent): string {
  const { path, done, total, downloaded, elapsedMs, wasted, blocked } = event;
  const rate = elapsedMs > 0 ? (downloaded * 1000) / elapsedMs : 0;
  const parts = [
    `${path}:`,
    done === total ? formatSize(total) : `${formatSize(done)} of ${formatSize(total)}`,
    `in ${formatDuration(elapsedMs)}`,
    `(${formatSize(Math.round(rate))}/s)`,
  ];
  if (wasted > 0) parts.push(`${formatSize(wasted)} wasted`);
  if (blocked !== undefined) parts.push(`${blocked} connections blocked`);
  return parts.join(' ');
}
