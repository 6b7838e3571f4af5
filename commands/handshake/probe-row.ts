/** A peer as a row of a table that grows. @module */

import { formatEndpoint } from '../../src/base/endpoint.ts';
import { formatClient } from '../../src/handshake/index.ts';
import type { ProbeReport } from '../../src/probe/index.ts';
import { printable } from '../cli/printable.ts';
import type { Style } from '../cli/style.ts';
import { formatMillis } from '../cli/units.ts';
import { percent, wayWords } from './probe-details.ts';
import { attemptsByEncryption, takenTransports } from './probe-transports.ts';
import type { Probed } from './probed.ts';

/** With the heading before the first one. */
export function probeRow(probed: Probed, style: Style): string {
  const head = probed.first ? `${style.cyan(line(HEADING))}\n` : '';
  const address = formatEndpoint(probed.named);
  const row =
    'error' in probed
      ? `${address.padEnd(WIDTHS[0])}  ${style.red(printable(probed.error.message))}`
      : line([address, ...cellsOf(probed.report)]);
  return `${head}${row}\n`;
}

function cellsOf(report: ProbeReport): readonly string[] {
  const { client, pieces, connectMs, handshakeMs, attempts, otherClient } = report;
  const doubt = client.doubt === undefined && otherClient === undefined ? '' : '?';
  const accepted = attemptsByEncryption(report).filter(({ error }) => error === undefined);
  return [
    `${formatClient(client) ?? 'unknown'}${doubt}`,
    pieces?.share === undefined ? '' : percent(pieces.share),
    formatMillis(connectMs),
    formatMillis(handshakeMs),
    takenTransports(attempts).join(' '),
    accepted.map(wayWords).join(' '),
  ];
}

const HEADING = ['peer', 'client', 'has', 'connect', 'handshake', 'over', 'accepts'] as const;
const WIDTHS = [21, 26, 5, 8, 9, 7, 0] as const;

function line(cells: readonly string[]): string {
  return cells
    .map((cell, at) => printable(cell).padEnd(WIDTHS[at] ?? 0))
    .join('  ')
    .trimEnd();
}
