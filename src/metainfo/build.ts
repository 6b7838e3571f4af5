/** Torrents of v1 in one go, for hashes that are there already. @module */

import { invariant, UsageError } from '../base/errors.ts';
import type { SurroundingsDraft } from './draft.ts';
import { encodeInfo } from './encode-info.ts';
import { encodeTorrent } from './encode-torrent.ts';
import { nameLints } from './name-lints.ts';
import { planInfo } from './plan.ts';
import { showPath } from './report.ts';

export interface MetainfoDraft
  extends Pick<
    SurroundingsDraft,
    'announce' | 'webSeeds' | 'comment' | 'createdBy' | 'creationDate'
  > {
  readonly name: string;
  /**
   * Paths as in `FileEntry`: the name is the first part. One file whose path is the name alone
   * makes a torrent without a folder.
   */
  readonly files: readonly { readonly path: readonly string[]; readonly length: number }[];
  /** Bytes. */
  readonly pieceLength: number;
  /** SHA-1 of each piece, 20 bytes each. */
  readonly pieces: Uint8Array;
  readonly private?: boolean;
  readonly source?: string;
}

/**
 * A .torrent of v1 (BEP 3), canonical.
 *
 * @throws {UsageError} for a name that readers of torrents would change: they would look for other
 *   files than those that are here; else as `planInfo`.
 */
export function encodeMetainfo(draft: MetainfoDraft): Uint8Array {
  const { name, files, pieceLength, pieces, source } = draft;
  invariant(
    files.some(({ length }) => length > 0),
    'a torrent has content',
  );
  for (const { path } of files) refuseChanging(path, name);
  const plan = planInfo({
    name,
    version: 'v1',
    pieceLength,
    files: files.map(({ path, length }) => ({ path: path.slice(1), length })),
    ...(draft.private === undefined ? {} : { private: draft.private }),
    ...(source === undefined ? {} : { source }),
  });
  return encodeTorrent(encodeInfo(plan, { pieces }), draft);
}

function refuseChanging(path: readonly string[], name: string): void {
  invariant(path[0] === name, `${showPath(path)} lies outside of ${name}`);
  if (nameLints(path).every(({ code }) => code === 'name-not-portable')) return;
  throw new UsageError(
    `${showPath(path)} has a name that other systems cannot write; rename it to share it`,
  );
}
