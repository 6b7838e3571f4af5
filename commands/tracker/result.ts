/** What commands that ask trackers print. @module */

import type TableModule from 'cli-table3';
import type { Shown } from './outcome.ts';
import type { Round, WatchEnd } from './watching.ts';

/** The constructor of cli-table3, which is loaded only when a table is drawn. */
export type Table = typeof TableModule;

/** Outcomes one by one, all of them for a table, or those of a watch. */
export type Result<Response> =
  | { readonly type: 'outcome'; readonly shown: Shown<Response> }
  | {
      readonly type: 'table';
      readonly outcomes: readonly Shown<Response>[];
      readonly Table: Table;
    }
  | (Omit<Round<Response>, 'outcome'> & { readonly shown: Shown<Response> })
  | WatchEnd;
