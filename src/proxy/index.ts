/**
 * Proxies: SOCKS5 for TCP and UDP (RFC 1928, 1929) and HTTP CONNECT (RFC 9110 §9.3.6), as ports around
 * ports. Not here: BIND of SOCKS5, GSSAPI, SOCKS4, proxies behind TLS.
 *
 * @module
 */

export { type ProxiedRuntime, proxied } from './proxied.ts';
export { type Proxy, parseProxyUrl, proxyName } from './url.ts';
