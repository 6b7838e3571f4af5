/** What a TORRENT argument means to a handshake. @module */

import type { Endpoint } from '../../src/base/endpoint.ts';
import { UsageError } from '../../src/base/errors.ts';
import type { InfoHash } from '../../src/base/ids.ts';
import type { Context } from '../cli/context.ts';
import { loadTorrent } from '../cli/torrent-argument.ts';

export interface ProbedTorrent {
  /** The one that peers are asked for. */
  readonly infoHash: InfoHash;
  /** The other one of a hybrid torrent. */
  readonly otherHash: InfoHash | undefined;
  /** Known of torrents, not of links. */
  readonly pieceCount: number | undefined;
  /** Its peers are not to name others (BEP 27). */
  readonly private: boolean;
  /** Peers that a link names. */
  readonly peers: readonly Endpoint[];
}

/**
 * Reads what `argument` names. Of a hybrid torrent the v1 infohash counts, which most clients know,
 * unless `v2` is set.
 *
 * @throws {UsageError} when there is no such hash.
 * @throws what {@link loadTorrent} throws.
 */
export async function probedTorrent(
  context: Context,
  argument: string,
  { v2 }: { readonly v2: boolean },
): Promise<ProbedTorrent> {
  const source = await loadTorrent(context, argument, { signal: context.signal });
  const { infoHash: v1, infoHashV2 } = source.type === 'magnet' ? source.magnet : source.metainfo;
  const infoHash = v2 ? infoHashV2 : (v1 ?? infoHashV2);
  if (infoHash === undefined) {
    const lack = v2 ? '--v2: the torrent has no v2 infohash' : 'the torrent has no infohash';
    throw new UsageError(lack);
  }
  const hashes = { infoHash, otherHash: infoHash === v1 ? infoHashV2 : v1 };
  if (source.type === 'magnet') {
    return { ...hashes, pieceCount: undefined, private: false, peers: source.magnet.peers };
  }
  const { pieceCount, private: isPrivate } = source.metainfo;
  return { ...hashes, pieceCount, private: isPrivate, peers: [] };
}
