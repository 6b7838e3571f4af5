/** The magnet link of a torrent. @module */

import type { Magnet } from '../../src/magnet/index.ts';
import type { Metainfo } from '../../src/metainfo/index.ts';

/** All that a link can carry of `metainfo`: hashes, name, length, trackers, web seeds. */
export function magnetOf(metainfo: Metainfo): Magnet {
  const { infoHash, infoHashV2, name, length, announce, webSeeds } = metainfo;
  return {
    ...(infoHash === undefined ? {} : { infoHash }),
    ...(infoHashV2 === undefined ? {} : { infoHashV2 }),
    name,
    length,
    // Plain `tr`, without tiers: not every client reads `tr.N`.
    trackers: [...new Set(announce.flat())],
    webSeeds,
    peers: [],
    nodes: [],
  };
}
