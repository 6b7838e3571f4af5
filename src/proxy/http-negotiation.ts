/** How a client gets an HTTP proxy to connect it: CONNECT (RFC 9110 §9.3.6). @module */

import { base64 } from '../base/base64.ts';
import { decodeUtf8Lossy, encodeUtf8 } from '../base/bytes.ts';
import { type Endpoint, formatEndpoint } from '../base/endpoint.ts';
import { type ErrorCode, NetworkError } from '../base/errors.ts';
import type { Negotiation, Step } from './negotiation.ts';
import { type Login, type Proxy, proxyName } from './url.ts';

export class HttpNegotiation implements Negotiation {
  readonly #proxy: Proxy;
  readonly #to: Endpoint;
  #head: number[] = [];

  /** @param to where to connect, a name or an address */
  constructor(proxy: Proxy, to: Endpoint) {
    this.#proxy = proxy;
    this.#to = to;
  }

  begin(): Uint8Array {
    const target = formatEndpoint(this.#to);
    const { login } = this.#proxy;
    const lines = [`CONNECT ${target} HTTP/1.1`, `Host: ${target}`];
    if (login !== undefined) lines.push(`Proxy-Authorization: Basic ${basicOf(login)}`);
    return encodeUtf8(`${lines.join('\r\n')}\r\n\r\n`);
  }

  /** A 2xx has no body: what follows its head comes from the other side of the tunnel. */
  feed(bytes: Uint8Array): Step {
    for (const [at, byte] of bytes.entries()) {
      this.#head.push(byte);
      if (this.#head.length > MAX_HEAD_LENGTH) {
        throw this.#failure('answers at too great a length', 'BIP_PROXY_ANSWER');
      }
      if (byte !== LINE_FEED || !this.#isComplete) continue;
      this.#judge();
      return { used: at + 1, done: { bound: undefined } };
    }
    return { used: bytes.length };
  }

  /** An empty line was read; lines may end without a carriage return (RFC 9112 §2.2). */
  get #isComplete(): boolean {
    const before = this.#head.at(-2) === CARRIAGE_RETURN ? this.#head.at(-3) : this.#head.at(-2);
    return before === LINE_FEED;
  }

  #judge(): void {
    const [line = ''] = decodeUtf8Lossy(Uint8Array.from(this.#head)).split(/\r?\n/, 1);
    const { status = '', reason = '' } =
      /^HTTP\/1\.\d (?<status>\d{3})(?: (?<reason>.*))?$/.exec(line)?.groups ?? {};
    if (status === '') throw this.#failure('does not speak HTTP', 'BIP_PROXY_ANSWER');
    if (status.startsWith('2')) return;
    if (WANTS_LOGIN.has(status)) {
      const what =
        this.#proxy.login === undefined
          ? 'wants a user and a password'
          : 'does not accept this user and password';
      throw this.#failure(what, 'BIP_PROXY_AUTH');
    }
    const words = reason.replace(/[^\x20-\x7e]/g, '').slice(0, MAX_REASON);
    throw this.#failure(
      `did not connect to ${formatEndpoint(this.#to)}: it answers ${`${status} ${words}`.trim()}`,
      'BIP_PROXY_REFUSED',
    );
  }

  #failure(what: string, code: ErrorCode): NetworkError {
    return new NetworkError(`the proxy ${proxyName(this.#proxy)} ${what}`, { code });
  }
}

/** RFC 7617: base64 of `user:password`. */
function basicOf({ user, password }: Login): string {
  return base64(encodeUtf8(`${user}:${password}`));
}

/** tinyproxy answers 401 to a login that is wrong. */
const WANTS_LOGIN: ReadonlySet<string> = new Set(['407', '401']);
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
/** Status line and headers, bytes; proxies send a few hundred. */
const MAX_HEAD_LENGTH = 16_384;
/** Of what a proxy says, for one sentence. */
const MAX_REASON = 80;
