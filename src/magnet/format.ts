/** Magnet links, writing. @module */

import { formatEndpoint } from '../base/endpoint.ts';
import type { Magnet } from './magnet.ts';
import { formatSelectOnly } from './select-only.ts';

/** The link, in the order in which most clients write it; `parseMagnet` reads the same back. */
export function formatMagnet(magnet: Magnet): string {
  const { selectOnly = [] } = magnet;
  const parts = [
    ...topics(magnet),
    ...description(magnet),
    ...trackers(magnet),
    ...magnet.webSeeds.map((url) => `ws=${escape(url)}`),
    ...(magnet.sources ?? []).map((url) => `xs=${escape(url)}`),
    ...magnet.peers.map((peer) => `x.pe=${formatEndpoint(peer)}`),
    ...magnet.nodes.map((node) => `dht=${formatEndpoint(node)}`),
    ...(selectOnly.length === 0 ? [] : [`so=${formatSelectOnly(selectOnly)}`]),
  ];
  return `magnet:?${parts.join('&')}`;
}

function* topics({ infoHash, infoHashV2, publicKey, salt }: Magnet): Iterable<string> {
  if (infoHash !== undefined) yield `xt=urn:btih:${infoHash.hex}`;
  if (infoHashV2 !== undefined) yield `xt=urn:btmh:1220${infoHashV2.hex}`;
  if (publicKey !== undefined) yield `xs=urn:btpk:${publicKey}`;
  if (salt !== undefined) yield `s=${salt}`;
}

function* description({ name, length }: Magnet): Iterable<string> {
  if (name !== undefined) yield `dn=${escape(name)}`;
  if (length !== undefined) yield `xl=${length}`;
}

function* trackers({ trackers: urls, tiers }: Magnet): Iterable<string> {
  for (const [at, url] of urls.entries()) {
    const tier = tiers?.[at];
    yield `tr${tier === undefined ? '' : `.${tier}`}=${escape(url)}`;
  }
}

/** All but unreserved characters (RFC 3986 §2.3): nothing that a shell or a chat could eat. */
function escape(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
