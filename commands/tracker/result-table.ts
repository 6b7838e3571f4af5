/** A table of what several trackers said. @module */

import { GAP, NO_LINES } from '../cli/plain-table.ts';
import type { Style } from '../cli/style.ts';
import { notes } from './facts-view.ts';
import type { Shown } from './outcome.ts';
import type { Column, Rendering } from './rendering.ts';
import type { Table } from './result.ts';

interface Drawing {
  readonly style: Style;
  /** Of the terminal. */
  readonly columns: number;
}

/** One block of rows for each tracker, its failure in words, and what else there is to say below. */
export function drawTable<Response>(
  { outcomes, Table }: { readonly outcomes: readonly Shown<Response>[]; readonly Table: Table },
  rendering: Rendering<Response>,
  { style, columns: available }: Drawing,
): string {
  const columns = rendering.columns(outcomes);
  const others = columns.reduce((sum, { width }) => sum + width + GAP.length, 0);
  const width = Math.max(available - others, MIN_TRACKER_WIDTH);
  const drawn = new Table({
    head: ['tracker', ...columns.map(({ title }) => title)].map((title) => style.cyan(title)),
    chars: NO_LINES,
    colAligns: ['left', ...columns.map(({ align }) => align)],
    colWidths: [width, ...columns.map((column) => column.width)],
    wordWrap: true,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  for (const shown of outcomes) {
    drawn.push(...block(shown, rendering, { style, columns, width }));
  }
  const lines = drawn
    .toString()
    .split('\n')
    .map((text) => text.trimEnd());
  const below = rendering.footer(outcomes);
  return `${[...lines, ...(below.length > 0 ? ['', ...below] : [])].join('\n')}\n`;
}

type Wide = { readonly colSpan: number; readonly hAlign: 'left'; readonly content: string };
type Cells = (string | Wide)[];

function block<Response>(
  shown: Shown<Response>,
  rendering: Rendering<Response>,
  how: { readonly style: Style; readonly columns: readonly Column[]; readonly width: number },
): readonly Cells[] {
  const { style, columns, width } = how;
  const tracker = broken(shown.tracker, width);
  const said: Cells[] =
    'error' in shown
      ? [[tracker, wide(style.red(shown.error.message), columns.length)]]
      : rendering.rows(shown, columns).map((cells, at) => [at === 0 ? tracker : '', ...cells]);
  const warning = 'response' in shown ? rendering.warning(shown.response) : undefined;
  const more = [
    ...(warning === undefined ? [] : [style.yellow(warning)]),
    ...notes(shown).map((note) => style.dim(note)),
  ];
  return [...said, ...more.map((text) => [wide(`${GAP}${text}`, columns.length + 1)])];
}

function wide(content: string, colSpan: number): Wide {
  return { colSpan, hAlign: 'left', content };
}

/** A URL has no words to break between. */
function broken(text: string, width: number): string {
  const lines: string[] = [];
  for (let at = 0; at < text.length; at += width) lines.push(text.slice(at, at + width));
  return lines.join('\n');
}

const MIN_TRACKER_WIDTH = 24;
