/** Magnet links, writing. @module */

import { formatEndpoint } from '../base/endpoint.ts';
import type { Magnet } from './magnet.ts';
import { formatSelectOnly } from './select-only.ts';

/** The link, in the order in which most clients write it; `parseMagnet` reads the same back. */
export function formatMagnet(magnet: Magnet): string {
  const parts = [...topics(magnet)];
  if (magnet.name !== undefined) parts.push(`dn=${escape(magnet.name)}`);
  if (magnet.length !== undefined) parts.push(`xl=${magnet.length}`);
  for (const [at, tracker] of magnet.trackers.entries()) {
    const tier = magnet.tiers?.[at];
    parts.push(`tr${tier === undefined ? '' : `.${tier}`}=${escape(tracker)}`);
  }
  for (const url of magnet.webSeeds) parts.push(`ws=${escape(url)}`);
  for (const peer of magnet.peers) parts.push(`x.pe=${formatEndpoint(peer)}`);
  for (const node of magnet.nodes) parts.push(`dht=${formatEndpoint(node)}`);
  if (magnet.selectOnly !== undefined) parts.push(`so=${formatSelectOnly(magnet.selectOnly)}`);
  return `magnet:?${parts.join('&')}`;
}

function* topics({ infoHash, infoHashV2, publicKey, salt }: Magnet): Iterable<string> {
  if (infoHash !== undefined) yield `xt=urn:btih:${infoHash.hex}`;
  if (infoHashV2 !== undefined) yield `xt=urn:btmh:1220${infoHashV2.hex}`;
  if (publicKey !== undefined) yield `xs=urn:btpk:${publicKey}`;
  if (salt !== undefined) yield `s=${salt}`;
}

/** All but unreserved characters (RFC 3986 §2.3): nothing that a shell or a chat could eat. */
function escape(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
