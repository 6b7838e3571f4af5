/** Torrents of v1 in one step, for files whose hashes are known. @module */

import { encodeUtf8 } from '../base/bytes.ts';
import { invariant, UsageError } from '../base/errors.ts';
import { encodeInfo } from './encode-info.ts';
import { encodeTorrent } from './encode-torrent.ts';
import { sanitizeComponent } from './path.ts';
import { planInfo } from './plan.ts';
import { showPath } from './report.ts';

export interface MetainfoDraft {
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
  readonly announce?: readonly (readonly string[])[];
  readonly webSeeds?: readonly string[];
  readonly private?: boolean;
  readonly source?: string;
  readonly comment?: string;
  readonly createdBy?: string;
  /** Seconds since 1970. */
  readonly creationDate?: number;
}

/**
 * A .torrent of v1 (BEP 3), canonical.
 *
 * @throws {UsageError} for a name that readers of torrents would change: they would look for other
 *   files than those that are here; and as `planInfo`.
 */
export function encodeMetainfo(draft: MetainfoDraft): Uint8Array {
  const { name, files, pieceLength, pieces } = draft;
  invariant(
    files.some(({ length }) => length > 0),
    'a torrent has content',
  );
  for (const { path } of files) refuseUnsafe(path, name);
  const plan = planInfo({
    name,
    version: 'v1',
    pieceLength,
    files: files.map(({ path, length }) => ({ path: path.slice(1), length })),
    ...(draft.private === undefined ? {} : { private: draft.private }),
    ...(draft.source === undefined ? {} : { source: draft.source }),
  });
  return encodeTorrent(encodeInfo(plan, { pieces }), draft);
}

function refuseUnsafe(path: readonly string[], name: string): void {
  invariant(path[0] === name, `${showPath(path)} lies outside of ${name}`);
  for (const part of path) {
    if (sanitizeComponent(encodeUtf8(part), { force: true }) === part) continue;
    throw new UsageError(
      `${showPath(path)} has a name that other systems cannot write; rename it to share it`,
    );
  }
}
