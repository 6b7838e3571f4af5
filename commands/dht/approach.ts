/**
 * A small picture of how a search closes in: a row for each hop, in it the nodes that were asked, the
 * farther to the right the closer to the target.
 *
 * @module
 */

import { formatEndpoint } from '../../src/base/endpoint.ts';
import type { LookupEvent } from '../../src/dht/index.ts';
import type { Style } from '../cli/style.ts';

type Mark = keyof typeof MARKS;

interface Spot {
  /** Logarithm of the distance, base 2; undefined while only the address of the node is known. */
  readonly bits: number | undefined;
  readonly mark: Mark;
}

export class Approach {
  readonly #target: Uint8Array;
  /** By hop, then by address. */
  readonly #rows = new Map<number, Map<string, Spot>>();

  constructor(target: Uint8Array) {
    this.#target = target;
  }

  add({ type, node }: LookupEvent): void {
    const hop = Math.min(node.hop, MAX_ROWS - 1);
    const row = this.#rows.get(hop) ?? new Map<string, Spot>();
    this.#rows.set(hop, row);
    const bits = node.id && logarithm(this.#target, node.id);
    row.set(formatEndpoint(node.endpoint), { bits, mark: OUTCOMES[type] });
  }

  /** Lines for a terminal of so many columns; none where that is too few, or nobody has an id yet. */
  draw(style: Style, columns: number): readonly string[] {
    const rows = [...this.#rows].toSorted(([a], [b]) => a - b);
    const all = rows.flatMap(([, row]) => [...row.values()].flatMap(({ bits }) => bits ?? []));
    const room = columns - LABEL_WIDTH - 1;
    if (all.length === 0 || room < MIN_WIDTH) return [];
    const axis = {
      far: Math.max(...all),
      near: Math.min(...all),
      width: Math.min(room, MAX_WIDTH),
    };
    const lines = rows.map(([hop, row]) => {
      const spots = [...row.values()];
      const answered = spots.filter(({ mark }) => mark === 'answered').length;
      const counts = `${answered}/${spots.length}`.padStart(LABEL_WIDTH - 10);
      return `${`hop ${hop}`.padEnd(8)}${counts}  ${drawRow(spots, axis, style)}`;
    });
    return [...lines, drawAxis(axis, style)];
  }
}

interface Axis {
  readonly far: number;
  readonly near: number;
  readonly width: number;
}

function drawRow(spots: readonly Spot[], axis: Axis, style: Style): string {
  const cells = new Map<number, Mark>();
  for (const { bits, mark } of spots) {
    if (bits === undefined) continue;
    const at = cellOf(bits, axis);
    const there = cells.get(at);
    if (there === undefined || ORDER.indexOf(mark) < ORDER.indexOf(there)) cells.set(at, mark);
  }
  const last = Math.max(-1, ...cells.keys());
  return Array.from({ length: last + 1 }, (_, at) => {
    const mark = cells.get(at);
    if (mark === undefined) return ' ';
    return mark === 'answered' ? style.green(MARKS[mark]) : style.dim(MARKS[mark]);
  }).join('');
}

function cellOf(bits: number, { far, near, width }: Axis): number {
  return far === near ? 0 : Math.round(((far - bits) / (far - near)) * (width - 1));
}

function drawAxis({ far, near, width }: Axis, style: Style): string {
  const [from, to] = [`${Math.ceil(far)} bits `, ` ${Math.ceil(near)}`];
  const line = '─'.repeat(Math.max(1, width - from.length - to.length - 1));
  return style.dim(`${' '.repeat(LABEL_WIDTH)}${from}${line}▶${to}`);
}

/** Of the distance between two ids: below 160, and finer than whole bits, which most nodes share. */
function logarithm(target: Uint8Array, id: Uint8Array): number {
  const first = target.findIndex((byte, at) => byte !== id[at]);
  if (first === -1) return 0;
  let distance = 0;
  for (let at = first; at < first + PRECISE_BYTES; at++) {
    distance = 256 * distance + ((target[at] ?? 0) ^ (id[at] ?? 0));
  }
  return Math.log2(distance) + 8 * (target.length - first - PRECISE_BYTES);
}

const PRECISE_BYTES = 4;
const MARKS = { answered: '●', waiting: '·', silent: '○' } as const;
/** What is shown of several in one place. */
const ORDER: readonly Mark[] = ['answered', 'waiting', 'silent'];
const OUTCOMES: Readonly<Record<LookupEvent['type'], Mark>> = {
  answered: 'answered',
  asked: 'waiting',
  slow: 'silent',
  timedOut: 'silent',
  refused: 'silent',
};

/** Searches take 4 to 8 hops; what is beyond stands in the last row. */
const MAX_ROWS = 12;
const LABEL_WIDTH = 17;
const MIN_WIDTH = 20;
const MAX_WIDTH = 60;
