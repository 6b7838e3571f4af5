/** What a source says of a torrent, and whether metadata is of that torrent. @module */

import { IntegrityError, UsageError } from '../base/errors.ts';
import type { InfoHash } from '../base/ids.ts';
import { type Magnet, magnetTiers } from '../magnet/index.ts';
import { type Metainfo, type ParseOptions, parseInfo } from '../metainfo/index.ts';
import type { TorrentSource } from './options.ts';

/**
 * The hash that the torrent goes by among peers: v1 where there is one, since hybrid swarms meet
 * under it.
 *
 * @throws {UsageError} for links that name a key instead of a torrent (BEP 46).
 */
export function infoHashOf(source: TorrentSource): InfoHash {
  const names = source.type === 'metainfo' ? source.metainfo : source.magnet;
  const infoHash = names.infoHash ?? names.infoHashV2;
  if (infoHash !== undefined) return infoHash;
  throw new UsageError(
    'the link names no torrent but the key of who says which one it is; `bip dht get LINK --torrent` asks for it',
    { code: 'BIP_MUTABLE_LINK' },
  );
}

/**
 * Reads an info dictionary that came from peers and matches the hash of {@link infoHashOf}; trackers,
 * web seeds and nodes are those of the link.
 *
 * @throws {IntegrityError} when it does not match the other hash of the link.
 * @throws {ProtocolError} when it is no info dictionary all the same.
 */
export function parseMetadata(info: Uint8Array, magnet: Magnet, options?: ParseOptions): Metainfo {
  const metainfo = parseInfo(info, surroundingsOf(magnet), options);
  for (const version of ['infoHash', 'infoHashV2'] as const) {
    const wanted = magnet[version]?.hex;
    if (wanted === undefined || metainfo[version]?.hex === wanted) continue;
    throw new IntegrityError(
      `the link names two torrents: the one of ${infoHashOf({ type: 'magnet', magnet }).hex} is not that of ${wanted}`,
      { code: 'BIP_METADATA_MISMATCH' },
    );
  }
  return metainfo;
}

/** What a .torrent would say beside the info dictionary. */
export function surroundingsOf(magnet: Magnet): Pick<Metainfo, 'announce' | 'webSeeds' | 'nodes'> {
  const { webSeeds, nodes } = magnet;
  return { announce: magnetTiers(magnet), webSeeds, nodes };
}
