/** What a magnet link says, in the shape that scripts rely on. @module */

import { formatEndpoint } from '../../src/base/endpoint.ts';
import { type Magnet, magnetTiers } from '../../src/magnet/index.ts';
import { maskSecrets } from '../cli/secrets.ts';

export interface InspectedMagnet {
  readonly infoHash?: string;
  readonly infoHashV2?: string;
  readonly publicKey?: string;
  readonly salt?: string;
  readonly name?: string;
  readonly length?: number;
  readonly trackers: readonly string[];
  /** The same by tier, when there are tiers of several. */
  readonly tiers?: readonly (readonly string[])[];
  readonly webSeeds: readonly string[];
  /** Where the .torrent itself is. */
  readonly sources?: readonly string[];
  readonly peers: readonly string[];
  readonly nodes?: readonly string[];
  readonly selectOnly?: readonly number[];
}

/** `reveal`: with the secrets of URLs. */
export function inspectedOf(
  magnet: Magnet,
  { reveal }: { readonly reveal: boolean },
): InspectedMagnet {
  const mask = reveal ? (url: string): string => url : maskSecrets;
  const { tiers, sources, nodes, selectOnly } = magnet;
  return {
    ...topicOf(magnet),
    trackers: magnet.trackers.map(mask),
    ...(tiers === undefined ? {} : { tiers: magnetTiers(magnet).map((tier) => tier.map(mask)) }),
    webSeeds: magnet.webSeeds.map(mask),
    ...(sources === undefined ? {} : { sources: sources.map(mask) }),
    peers: magnet.peers.map(formatEndpoint),
    ...(nodes.length === 0 ? {} : { nodes: nodes.map(formatEndpoint) }),
    ...(selectOnly === undefined ? {} : { selectOnly }),
  };
}

type Topic = 'infoHash' | 'infoHashV2' | 'publicKey' | 'salt' | 'name' | 'length';

function topicOf(magnet: Magnet): Pick<InspectedMagnet, Topic> {
  const { infoHash, infoHashV2, publicKey, salt, name, length } = magnet;
  return {
    ...(infoHash === undefined ? {} : { infoHash: infoHash.hex }),
    ...(infoHashV2 === undefined ? {} : { infoHashV2: infoHashV2.hex }),
    ...(publicKey === undefined ? {} : { publicKey }),
    ...(salt === undefined ? {} : { salt }),
    ...(name === undefined ? {} : { name }),
    ...(length === undefined ? {} : { length }),
  };
}
