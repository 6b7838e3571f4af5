/** What a TORRENT argument means to the local network: an infohash. @module */

import { formatHex } from '../../src/base/bytes.ts';
import { UsageError } from '../../src/base/errors.ts';
import type { Context } from '../cli/context.ts';
import { printable } from '../cli/printable.ts';
import { loadTorrent } from '../cli/torrent-argument.ts';

export interface LanTorrent {
  /** 20 bytes: of a hybrid torrent the one of v1, under which clients meet; that of v2 is cut (BEP 52). */
  readonly wire: Uint8Array;
  /** The same in hex. */
  readonly infoHash: string;
  /** Nobody but its tracker is to hear of it (BEP 27). */
  readonly private: boolean;
  readonly name: string | undefined;
}

/**
 * Reads what `argument` names.
 *
 * @throws {UsageError} when it names no torrent; what {@link loadTorrent} throws.
 */
export async function findTorrent(context: Context, argument: string): Promise<LanTorrent> {
  const source = await loadTorrent(context, argument, { signal: context.signal });
  const named = source.type === 'magnet' ? source.magnet : source.metainfo;
  const infoHash = named.infoHash ?? named.infoHashV2;
  if (infoHash === undefined) {
    throw new UsageError(
      `\`${printable(argument.slice(0, 100))}\` names no torrent but the key of who says which one it is`,
    );
  }
  const { wire } = infoHash;
  const isPrivate = 'private' in named && named.private;
  return { wire, infoHash: formatHex(wire), private: isPrivate, name: named.name };
}
