/** Where a proxy is and who we are to it, as users write it. @module */

import { encodeUtf8 } from '../base/bytes.ts';
import { type Endpoint, formatEndpoint } from '../base/endpoint.ts';
import { ProtocolError } from '../base/errors.ts';

export interface Proxy extends Endpoint {
  readonly scheme: 'socks5' | 'http';
  /** Whom it lets through; absent when it asks nobody. */
  readonly login?: Login;
}

export interface Login {
  readonly user: string;
  readonly password: string;
}

/**
 * `socks5://[user:password@]host[:port]` (`socks5h` means the same here) or `http://…`; ports 1080 and
 * 8080 by default. User and password may have escapes (`%40`).
 *
 * @throws {ProtocolError} that says what is wrong, and never shows user or password.
 */
export function parseProxyUrl(text: string): Proxy {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const scheme = SCHEMES.get(url?.protocol ?? '');
  if (url === undefined || scheme === undefined) throw wrong(schemeReason(url));
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (host === '') throw wrong('it names no host');
  if (!/^\/?$/.test(url.pathname + url.search + url.hash)) {
    throw wrong('nothing may follow the port');
  }
  const port = portOf(text, scheme);
  const login = loginOf(url, scheme);
  return { scheme, host, port, ...(login === undefined ? {} : { login }) };
}

/** How sentences call it: without user and password. */
export function proxyName(proxy: Proxy): string {
  return `${proxy.scheme}://${formatEndpoint(proxy)}`;
}

function schemeReason(url: URL | undefined): string {
  if (url === undefined) return 'it is no URL';
  if (url.protocol === 'https:') return 'proxies that are spoken to over TLS are not supported';
  return `a proxy begins with socks5:// or http://, not ${url.protocol}//`;
}

/** The URL leaves out port 80 of `http:`, so that the text counts. */
function portOf(text: string, scheme: Proxy['scheme']): number {
  const digits = /:(\d+)\/?$/.exec(text)?.[1];
  const port = digits === undefined ? DEFAULT_PORTS[scheme] : Number(digits);
  if (port === 0) throw wrong('nobody listens on port 0');
  return port;
}

function loginOf({ username, password }: URL, scheme: Proxy['scheme']): Login | undefined {
  if (username === '' && password === '') return undefined;
  const login = { user: unescaped(username), password: unescaped(password) };
  if (scheme === 'http') {
    // RFC 7617 §2: the first colon ends the user.
    if (login.user.includes(':')) throw wrong('a user of an HTTP proxy has no colon');
    return login;
  }
  // RFC 1929 §2: one byte of length for each, and neither may be empty.
  for (const part of [login.user, login.password]) {
    const { length } = encodeUtf8(part);
    if (length === 0) throw wrong('SOCKS5 wants a user and a password');
    if (length > MAX_LOGIN_PART) throw wrong('user and password have at most 255 bytes each');
  }
  return login;
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw wrong('user or password has a broken escape; write % as %25');
  }
}

function wrong(reason: string): ProtocolError {
  return new ProtocolError(
    `this is no proxy: ${reason}; write socks5://[user:password@]host:port or http://…`,
    { rule: 'bip proxy URL', code: 'BIP_PROXY_URL' },
  );
}

const SCHEMES: ReadonlyMap<string, Proxy['scheme']> = new Map([
  ['socks5:', 'socks5'],
  ['socks5h:', 'socks5'],
  ['http:', 'http'],
] as const);
const DEFAULT_PORTS = { socks5: 1080, http: 8080 } as const;
const MAX_LOGIN_PART = 255;
