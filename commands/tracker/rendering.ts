/** What has to be said of the answers to one question, so that they can be printed. @module */

import type { Row } from '../cli/labelled.ts';
import type { Shown } from './outcome.ts';

/** An outcome that is an answer. */
export type Answered<Response> = Extract<Shown<Response>, { readonly response: unknown }>;

/** How the answers to one question look. */
export interface Rendering<Response> {
  /** After the tracker's own. */
  columns(outcomes: readonly Shown<Response>[]): readonly Column[];
  /** Cells for the columns; the first row stands beside the tracker. */
  rows(shown: Answered<Response>, columns: readonly Column[]): readonly (readonly string[])[];
  /** Lines below a table. */
  footer(outcomes: readonly Shown<Response>[]): readonly string[];
  /** What a tracker wants to be heard. */
  warning(response: Response): string | undefined;
  /** On a terminal; facts of the exchange follow. */
  details(shown: Answered<Response>): readonly Row[];
  /** On a terminal, in a watch. */
  brief(shown: Answered<Response>): string;
  /** In a pipe: lines. */
  lines(shown: Answered<Response>): string;
  /** Without the tracker, and facts of the exchange. */
  json(response: Response): object;
}

/** Of a table. */
export interface Column {
  readonly title: string;
  readonly width: number;
  readonly align: 'left' | 'right';
}
