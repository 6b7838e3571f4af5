/** What a TORRENT argument means to the DHT: 20 bytes to look for, and nodes to begin with. @module */

import { formatHex } from '../../src/base/bytes.ts';
import type { Endpoint } from '../../src/base/endpoint.ts';
import { UsageError } from '../../src/base/errors.ts';
import type { InfoHash } from '../../src/base/ids.ts';
import type { Magnet } from '../../src/magnet/index.ts';
import type { Metainfo } from '../../src/metainfo/index.ts';
import type { Context } from '../cli/context.ts';
import { printable } from '../cli/printable.ts';
import { loadTorrent } from '../cli/torrent-argument.ts';

export interface DhtTorrent {
  /** The one that is looked for. */
  readonly infoHash: InfoHash;
  /** {@link infoHash} as it goes over the wire: 20 bytes, a v2 hash is cut (BEP 52). */
  readonly target: Uint8Array;
  readonly name: string | undefined;
  /** `nodes` of a torrent, `dht` and `x.pe` of a link: clients have one port for peers and the DHT. */
  readonly nodes: readonly Endpoint[];
}

/**
 * Reads what `argument` names. Of a hybrid torrent the v1 infohash counts, by which other clients
 * announce it, unless `v2` is set.
 *
 * @throws {UsageError} for private torrents, and when there is no such hash.
 * @throws what {@link loadTorrent} throws.
 */
export async function findTorrent(
  context: Context,
  argument: string,
  { v2 }: { readonly v2: boolean },
): Promise<DhtTorrent> {
  const source = await loadTorrent(context, argument, { signal: context.signal });
  const named = source.type === 'magnet' ? source.magnet : source.metainfo;
  const infoHash = choose(named, v2);
  if (infoHash === undefined) throw new UsageError(lack(named, v2));
  if ('private' in named && named.private) {
    throw new UsageError(
      `\`${printable(named.name)}\` is private: nobody announces it in the DHT (BEP 27); name its infohash to look all the same`,
    );
  }
  const peers = 'peers' in named ? named.peers : [];
  return {
    infoHash,
    target: infoHash.wire,
    name: named.name,
    nodes: [...named.nodes, ...peers].slice(0, MAX_NODES),
  };
}

/** What JSON says of an infohash: `infoHash` is what goes over the wire, 40 digits. */
export function hashJson(infoHash: InfoHash): object {
  return {
    infoHash: formatHex(infoHash.wire),
    infoHashV2: infoHash.version === 'v2' ? infoHash.hex : undefined,
  };
}

function choose(named: Magnet | Metainfo, v2: boolean): InfoHash | undefined {
  return v2 ? named.infoHashV2 : (named.infoHash ?? named.infoHashV2);
}

function lack(named: Magnet | Metainfo, v2: boolean): string {
  if ('publicKey' in named && named.publicKey !== undefined) {
    return 'the link names no torrent but the key of who says which one it is; ask `bip dht get` first';
  }
  return v2 ? '--v2: the torrent has no v2 infohash' : 'the torrent has no infohash';
}

/** Each that is dead costs a moment. */
const MAX_NODES = 8;
