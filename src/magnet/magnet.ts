/** What a magnet link says. @module */

import type { Endpoint } from '../base/endpoint.ts';
import type { InfoHash } from '../base/ids.ts';

/** A magnet link (BEP 9, BEP 46, BEP 52, BEP 53). At least one of the first three is there. */
export interface Magnet {
  /** `xt=urn:btih:` */
  readonly infoHash?: InfoHash;
  /** `xt=urn:btmh:1220…` (BEP 52). */
  readonly infoHashV2?: InfoHash;
  /** `xs=urn:btpk:` (BEP 46): an ed25519 key, 64 hex digits. */
  readonly publicKey?: string;
  /** `s=` (BEP 46): hex. */
  readonly salt?: string;
  /** `dn`: for display only, not safe as a file name. */
  readonly name?: string;
  /** `xl`, bytes. */
  readonly length?: number;
  /** `tr` and `tr.N`, in the order in which they are to be asked. */
  readonly trackers: readonly string[];
  /** The tier of each of `trackers`, ascending; left out when each is a tier of its own. */
  readonly tiers?: readonly number[];
  /** `ws` (BEP 19). */
  readonly webSeeds: readonly string[];
  /** `xs` of http and https: where the .torrent itself is. */
  readonly sources?: readonly string[];
  /** `x.pe`; hosts may be names. */
  readonly peers: readonly Endpoint[];
  /** `dht`: nodes to start from; hosts may be names. */
  readonly nodes: readonly Endpoint[];
  /** `so` (BEP 53): indices of files from 0, ascending, each once. */
  readonly selectOnly?: readonly number[];
}

/** The trackers of `magnet`, grouped by tier (BEP 12). */
export function magnetTiers({ trackers, tiers }: Magnet): readonly (readonly string[])[] {
  const grouped: string[][] = [];
  let last: number | undefined;
  for (const [at, tracker] of trackers.entries()) {
    const tier = tiers?.[at];
    const group = grouped.at(-1);
    if (group !== undefined && tier !== undefined && tier === last) group.push(tracker);
    else grouped.push([tracker]);
    last = tier;
  }
  return grouped;
}
