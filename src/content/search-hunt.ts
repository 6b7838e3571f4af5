/** What the ways of finding files work with. @module */

import type { LayoutMap } from '../disk/index.ts';
import type { Metainfo } from '../metainfo/index.ts';
import type { HashedRun, HashRun } from '../runtime/ports.ts';

/** What the hashes say of files of the right size. */
export interface Findings {
  /** Where proven content of wanted files is, by their index. */
  readonly found: ReadonlyMap<number, string>;
  /** Files of the right size that nothing proves or disproves, by the index of the wanted one. */
  readonly candidates: ReadonlyMap<number, readonly string[]>;
}

/** What the two ways of finding work with. */
export interface Hunt {
  readonly metainfo: Metainfo;
  readonly map: LayoutMap;
  /** Wanted files with bytes. */
  readonly wanted: readonly number[];
  /** Where a file is that belongs there, when it has the right size. */
  readonly inPlace: (file: number) => string | undefined;
  /** Files of the same size, those of the same name. */
  readonly namesakes: (file: number) => readonly string[];
  /** All files of the same size. */
  readonly candidates: (file: number) => readonly string[];
  readonly hash: (run: HashRun) => Promise<HashedRun>;
  /** How many runs are to be under way at once, and until when. */
  readonly pace: { readonly limit: number; readonly signal: AbortSignal };
}
