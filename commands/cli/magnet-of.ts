/** The magnet link of a torrent. @module */

import { type Magnet, magnetTiers } from '../../src/magnet/index.ts';
import type { Metainfo } from '../../src/metainfo/index.ts';
import { maskSecrets } from './secrets.ts';

/** All that a link can carry of `metainfo`: hashes, name, length, trackers, web seeds, nodes. */
export function magnetOf(metainfo: Metainfo): Magnet {
  const { infoHash, infoHashV2, name, length, announce, webSeeds, nodes } = metainfo;
  return {
    ...(infoHash === undefined ? {} : { infoHash }),
    ...(infoHashV2 === undefined ? {} : { infoHashV2 }),
    name,
    length,
    ...trackersOf(announce),
    webSeeds,
    peers: [],
    nodes,
  };
}

/**
 * Tiers as a link has them: a tracker in several tiers stays in the first. `tr.N` is for tiers that
 * have several trackers; plain `tr`, which every client reads, says as much of others.
 */
export function trackersOf(
  announce: readonly (readonly string[])[],
): Pick<Magnet, 'trackers' | 'tiers'> {
  const tierOf = new Map<string, number>();
  let tier = 0;
  for (const urls of announce) {
    const fresh = urls.filter((url) => !tierOf.has(url));
    if (fresh.length > 0) tier++;
    for (const url of fresh) tierOf.set(url, tier);
  }
  const trackers = [...tierOf.keys()];
  return tier === trackers.length ? { trackers } : { trackers, tiers: [...tierOf.values()] };
}

/**
 * `magnet` without the URLs that have secrets in them: a masked URL in a link would only mislead
 * whoever opens it. `withheld`: those, masked.
 */
export function withoutSecrets(magnet: Magnet): {
  readonly magnet: Magnet;
  readonly withheld: readonly string[];
} {
  const { tiers: _, sources, ...rest } = magnet;
  const urls = [...magnet.trackers, ...magnet.webSeeds, ...(sources ?? [])];
  const openSources = sources?.filter(isOpen) ?? [];
  return {
    magnet: {
      ...rest,
      ...trackersOf(magnetTiers(magnet).map((tier) => tier.filter(isOpen))),
      webSeeds: magnet.webSeeds.filter(isOpen),
      ...(openSources.length === 0 ? {} : { sources: openSources }),
    },
    withheld: urls.filter((url) => !isOpen(url)).map(maskSecrets),
  };
}

function isOpen(url: string): boolean {
  return maskSecrets(url) === url;
}
