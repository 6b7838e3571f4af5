/** Aligned labels with values, for terminals. @module */

import { printable } from './printable.ts';
import type { Style } from './style.ts';

/** A label and its values, one line each; without values there is no line. */
export type Row = readonly [label: string, values: readonly string[]];

/** Labels right-aligned; values come from outside and are made printable here. */
export function labelled(rows: readonly Row[], style: Style): string {
  const shown = rows.filter(([, values]) => values.length > 0);
  const width = Math.max(0, ...shown.map(([label]) => label.length));
  return shown
    .flatMap(([label, values]) =>
      values.map((value, at) => {
        const head = (at === 0 ? label : '').padStart(width);
        return `${style.cyan(head)}  ${printable(value)}\n`;
      }),
    )
    .join('');
}
