/** Some fields of many torrents: a table on a terminal, lines in a pipe, JSON. @module */

import type TableModule from 'cli-table3';
import { UsageError } from '../../src/base/errors.ts';
import { tsv } from '../cli/action.ts';
import { NO_LINES } from '../cli/plain-table.ts';
import { printable } from '../cli/printable.ts';
import type { Style } from '../cli/style.ts';
import { type Field, type FieldValue, jsonOf, parseField, rowsOf } from './fields.ts';
import { sizeFormat } from './render.ts';

/** The constructor of cli-table3, which is loaded only when a table is drawn. */
export type TableClass = typeof TableModule;

/** The values of one torrent, one a column; `undefined` where it has none. */
export type Cells = readonly (FieldValue | undefined)[];

/**
 * Fields of `--columns`, separated by commas.
 *
 * @throws {UsageError} for what is no field, and for one that comes twice.
 */
export function parseColumns(text: string): readonly Field[] {
  const names = text.split(',').map((name) => name.trim());
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) {
    throw new UsageError(`--columns: \`${printable(twice)}\` stands there twice`);
  }
  return names.map((name) => parseField(name, '--columns'));
}

/** One line, tab-separated; the values of a list are separated by spaces. */
export function plainRow(cells: Cells): string {
  return tsv(...cells.map((cell) => printable(cellText(cell))));
}

/** An object with just these keys; those that the torrent does not have are left out. */
export function jsonRow(columns: readonly Field[], cells: Cells): string {
  const entries = columns.flatMap(({ text }, at) => {
    const cell = cells[at];
    return cell === undefined ? [] : [`${JSON.stringify(text)}:${jsonOf(cell)}`];
  });
  return `{${entries.join(',')}}`;
}

/** Aligned, with a heading. */
export function table(
  columns: readonly Field[],
  rows: readonly Cells[],
  options: { readonly Table: TableClass; readonly style: Style; readonly exact: boolean },
): string {
  const { Table, style, exact } = options;
  const drawn = new Table({
    head: columns.map(({ text }) => style.cyan(printable(text))),
    chars: NO_LINES,
    colAligns: columns.map(({ kind }) => (kind === 'text' ? 'left' : 'right')),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  const size = sizeFormat(exact);
  for (const cells of rows) {
    drawn.push(
      columns.map(({ kind }, at) => {
        const text = printable(cellText(cells[at]));
        return kind === 'bytes' ? text.replace(/\d+/g, (bytes) => size(Number(bytes))) : text;
      }),
    );
  }
  const lines = drawn.toString().split('\n');
  return lines.map((line) => `${line.trimEnd()}\n`).join('');
}

function cellText(cell: FieldValue | undefined): string {
  if (cell === undefined) return '';
  return rowsOf(cell)
    .map((fields) => fields.join(' '))
    .join(' ');
}
