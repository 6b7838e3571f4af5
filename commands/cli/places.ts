/** What others can be told of where a command listens. @module */

import { formatEndpoint } from '../../src/base/endpoint.ts';
import { ipFamily } from '../../src/base/ip.ts';

/**
 * URLs that others can use: one that stands for all addresses of a family becomes one for each that
 * this machine has, `own`. Where it has none, it is still there for itself.
 */
export function reachableUrls(urls: readonly string[], own: readonly string[]): readonly string[] {
  const reachable = urls.flatMap((url) => {
    const family = familyOfAll(url);
    if (family === undefined) return url;
    return own
      .filter((address) => ipFamily(address) === family)
      .map((address) => withHost(url, address));
  });
  const found = reachable.length > 0 ? reachable : urls.map((url) => withHost(url, 'localhost'));
  return [...new Set(found)];
}

/** Where members announce to, with a word that is no passkey where theirs is to stand. */
export function withPasskey(url: string): string {
  return url.replace(/\/announce$/, '/PASSKEY/announce');
}

/** Of a URL with an address that means every address; `undefined` of any other. */
function familyOfAll(url: string): 4 | 6 | undefined {
  const { hostname } = new URL(url);
  if (hostname === '0.0.0.0') return 4;
  return hostname === '[::]' ? 6 : undefined;
}

/** Not by the setter of `URL`, which leaves the hosts of `udp:` alone. */
function withHost(url: string, host: string): string {
  const { protocol, port, pathname } = new URL(url);
  const authority = port === '' ? formatHost(host) : formatEndpoint({ host, port: Number(port) });
  return `${protocol}//${authority}${pathname}`;
}

function formatHost(host: string): string {
  return ipFamily(host) === 6 ? `[${host}]` : host;
}
