/** What `metainfo create` prints: the shape that scripts rely on. @module */

import type { Skipped } from '../../src/content/index.ts';
import type { InfoPlan } from '../../src/metainfo/index.ts';
import type { Inspection } from './inspection.ts';
import type { Finding } from './lints.ts';

/** How much of a result text is to show: all of it, one line, or the magnet link. */
export type Show = 'all' | 'line' | 'magnet';

/** A torrent that was made. */
export interface Created extends Omit<Inspection, 'warnings'> {
  readonly type: 'created';
  readonly show: Show;
  /** Where the .torrent was written. */
  readonly path: string;
  /** Bytes of the .torrent. */
  readonly torrentLength: number;
  readonly skipped: readonly Skipped[];
  /** The .torrent whose hashes were taken. */
  readonly reused?: string;
  readonly warnings: readonly { readonly code: string; readonly message: string }[];
  readonly elapsedMs: number;
}

/** The bytes of a torrent, for stdout. */
export interface CreatedBytes {
  readonly type: 'bytes';
  readonly bytes: Uint8Array;
}

/** What `--dry-run` worked out: everything but hashes. */
export interface Planned {
  readonly type: 'planned';
  readonly show: Show;
  readonly dryRun: true;
  /** Where the .torrent would be written. */
  readonly path: string;
  readonly name: string;
  readonly version: InfoPlan['draft']['version'];
  readonly length: number;
  readonly pieceLength: number;
  readonly pieceCount: number;
  readonly torrentLength: number;
  readonly private: boolean;
  readonly source?: string;
  readonly files: readonly {
    readonly path: string;
    readonly length: number;
    readonly padding?: true;
    readonly executable?: true;
    readonly symlink?: string;
  }[];
  readonly skipped: readonly Skipped[];
  readonly warnings: readonly { readonly code: string; readonly message: string }[];
}

/** The automatic piece lengths (`--piece-length help`). */
export interface PieceTable {
  readonly type: 'pieces';
  readonly rows: readonly {
    /** Bytes of content. */
    readonly maxLength: number;
    readonly pieceLength: number;
  }[];
}

export type CreateResult = Created | CreatedBytes | Planned | PieceTable;

/** The plan of a torrent as `--dry-run` shows it. */
export function plannedOf(
  plan: InfoPlan,
  facts: Pick<Planned, 'show' | 'path' | 'torrentLength' | 'skipped'> & {
    readonly warnings: readonly Finding[];
  },
): Planned {
  const { name, version, source } = plan.draft;
  return {
    type: 'planned',
    show: facts.show,
    dryRun: true,
    path: facts.path,
    name,
    version,
    length: plan.draft.files.reduce((sum, { length }) => sum + length, 0),
    pieceLength: plan.pieceLength,
    pieceCount: plan.pieceCount,
    torrentLength: facts.torrentLength,
    private: plan.draft.private === true,
    ...(source === undefined ? {} : { source }),
    files: plan.files.map(({ path: parts, length, padding, executable, symlink }) => ({
      path: parts.join('/'),
      length,
      ...(padding ? { padding } : {}),
      ...(executable === true ? { executable } : {}),
      ...(symlink === undefined ? {} : { symlink: symlink.join('/') }),
    })),
    skipped: facts.skipped,
    warnings: warningsOf(facts.warnings),
  };
}

/** Findings as warnings are printed. */
export function warningsOf(findings: readonly Finding[]): Planned['warnings'] {
  return findings.map(({ lint, message }) => ({ code: lint, message }));
}
