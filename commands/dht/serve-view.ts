/** How the events of `dht serve` look on stdout, and its picture on a terminal. @module */

import { tsv, type View } from '../cli/action.ts';
import type { Style } from '../cli/style.ts';
import { formatDuration, formatSize } from '../cli/units.ts';
import type { ByKind, FamilyName, FamilyRates, NodeNumbers, ServeEvent } from './serve-events.ts';
import { sumOf } from './serve-numbers.ts';
import { countOf } from './words.ts';

/**
 * The result is where others can begin with this node, one HOST:PORT a line; what else happens is told on
 * stderr (`serve-notes.ts`), where on a terminal numbers redraw themselves.
 */
export const serveView: View<ServeEvent> = {
  terminal(event, style) {
    if (event.type === 'listening') return listening(event, style);
    return event.type === 'end' ? `${total(event)}\n` : undefined;
  },
  plain: (event) =>
    event.type === 'listening'
      ? event.addresses.map((address) => tsv(address)).join('')
      : undefined,
};

type Listening = Extract<ServeEvent, { type: 'listening' }>;

function listening({ addresses, nodeIds, readOnly, stats }: Listening, style: Style): string {
  const ids = FAMILIES.flatMap(([family, word]) => {
    const id = nodeIds[family];
    return id === undefined ? [] : [`${style.dim(`id in ${word}`)} ${id}`];
  });
  const lines = [...addresses.map((address) => style.bold(address)), ...ids];
  if (readOnly) lines.push(style.dim('read-only: asks, and answers nobody'));
  if (stats !== undefined) lines.push(`${style.dim('stats')} ${stats}`);
  return `${lines.join('\n')}\n`;
}

function total({ families, elapsedMs }: NodeNumbers): string {
  const asked = families.reduce((sum, { queriesIn }) => sum + sumOf(queriesIn), 0);
  const nodes = families.reduce((sum, family) => sum + family.nodes, 0);
  const queries = asked === 1 ? '1 query' : `${asked} queries`;
  return `${queries} in ${formatDuration(elapsedMs)}, ${countOf(nodes, 'node')} known at the end`;
}

/** Lines that redraw themselves; none is wider than the terminal. */
export function picture(
  numbers: NodeNumbers<FamilyRates>,
  style: Style,
  columns: number,
): readonly string[] {
  const { torrents, peers, items, memoryBytes, elapsedMs } = numbers;
  const kept = [
    `${countOf(peers, 'peer')} of ${countOf(torrents, 'torrent')}`,
    countOf(items, 'item'),
    ...(memoryBytes === undefined ? [] : [`memory ${formatSize(memoryBytes)}`]),
    `up ${formatDuration(elapsedMs)}`,
  ];
  return [
    ...numbers.families.flatMap((family) => familyLines(family, style, columns)),
    line('kept', kept, style, columns),
  ];
}

function familyLines(family: FamilyRates, style: Style, columns: number): readonly string[] {
  const word = FAMILIES.find(([name]) => name === family.family)?.[1] ?? '';
  const about = [`${countOf(family.nodes, 'node')}, ${family.goodNodes} good`, ...place(family)];
  return [
    line(word, about, style, columns),
    line('in', rates(family.queriesInPerSecond), style, columns),
    line('out', rates(family.queriesOutPerSecond), style, columns),
  ];
}

/** Where others see it, and the verdict of BEP 42. */
function place({ externalIp, secure }: FamilyRates): readonly string[] {
  if (externalIp === undefined) return ['its address is not known yet'];
  const verdict = secure === true ? 'the id fits it' : 'the id does not fit it (BEP 42)';
  return [`seen at ${externalIp}`, verdict];
}

/** The sum, and each kind that there is, the most frequent first. */
function rates(perSecond: ByKind): readonly string[] {
  const kinds = Object.entries(perSecond)
    .filter(([, rate]) => rate > 0)
    .toSorted(([, one], [, other]) => other - one)
    .map(([kind, rate]) => `${kind} ${rate}`);
  return [`${Number(sumOf(perSecond).toFixed(1))} queries/s`, ...kinds];
}

/** Of as many parts as the terminal is wide for: of a line that wraps, some would stay. */
function line(label: string, parts: readonly string[], style: Style, columns: number): string {
  const room = columns - 1 - LABEL_WIDTH;
  if (room <= 0) return '';
  const shown = [...parts];
  while (shown.length > 1 && shown.join(GAP).length > room) shown.pop();
  return `${style.dim(label.padEnd(LABEL_WIDTH))}${shown.join(GAP).slice(0, room)}`;
}

const FAMILIES: readonly (readonly [FamilyName, string])[] = [
  ['ipv4', 'IPv4'],
  ['ipv6', 'IPv6'],
];
const GAP = '  ';
const LABEL_WIDTH = 6;
