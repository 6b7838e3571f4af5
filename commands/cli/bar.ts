/** A bar that fills, for terminals. @module */

import type { Style } from './style.ts';
import { formatSize } from './units.ts';

const BAR_FULL = '█';
/** Eighths of a cell, so that the bar moves smoothly. */
const BAR_PARTS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const;

export interface BarOptions {
  readonly style: Style;
  /** Columns. */
  readonly width: number;
}

/** A bar with the share and the sizes, at most `width` wide. */
export function bar(done: number, total: number, { style, width }: BarOptions): string {
  const share = total === 0 ? 0 : done / total;
  const text = ` ${(Math.floor(share * 1000) / 10).toFixed(1).padStart(5)} %  ${formatSize(done)} of ${formatSize(total)}`;
  const cells = Math.max(8, Math.min(50, width - text.length - 4));
  const eighths = Math.floor(share * cells * 8);
  const full = BAR_FULL.repeat(Math.floor(eighths / 8)) + (BAR_PARTS[eighths % 8] ?? '');
  return `  ${style.cyan(full)}${style.dim('·'.repeat(cells - full.length))}${text}`;
}
