/** The Http port of a simulated host: speaks HTTP/1.1 over simulated connections. @module */

import { concatBytes, encodeUtf8 } from '../../base/bytes.ts';
import { type Endpoint } from '../../base/endpoint.ts';
import { type ErrorCode, NetworkError } from '../../base/errors.ts';
import { ipFamily } from '../../base/ip.ts';
import { networkFailure } from '../failures.ts';
import type {
  ByteStream,
  Connect,
  Http,
  HttpRequest,
  HttpResponse,
  Lookup,
  TlsFacts,
} from '../ports.ts';
import { abortReason } from './aborting.ts';
import { type ServingHost, serveHttp } from './http-listener.ts';
import { HttpReader } from './http-message.ts';

/** What the client needs of its host. */
export interface HttpHost extends ServingHost {
  readonly lookup: Lookup;
  /** Of connections that could be secured. */
  readonly tls: TlsFacts;
  /**
   * Secures a connection: `undefined` when done, else what is wrong with the other side, as a
   * sentence; `secure` tells what the client wants.
   */
  handshake(to: Endpoint, secure: boolean, signal: AbortSignal): Promise<string | undefined>;
}

export function httpOf(host: HttpHost): Http {
  return {
    async get(request, { signal, connect }) {
      signal.throwIfAborted();
      const { clock } = host;
      const startedAt = clock.now();
      const target = await findTarget(lookupFor(host, connect), request, signal);
      const { url, to } = target;
      try {
        await using stream = await makeStream(host, to, { signal, connect });
        const secure = url.protocol === 'https:';
        const fault = await host.handshake(to, secure, signal);
        if (fault !== undefined) throw failure(url, fault, secure ? 'BIP_TLS' : 'BIP_HTTP');
        const sentAt = clock.now();
        const response = await exchange(stream, target, { request, signal });
        const timing = { connectMs: sentAt - startedAt, answerMs: clock.now() - sentAt };
        return { ...response, timing, ...(secure ? { tls: host.tls } : {}) };
      } catch (error) {
        // Who makes the connections has a sentence of his own.
        throw connect === undefined ? inWords(url, error) : error;
      }
    },
    serve: (handler, options) => serveHttp(host, handler, options),
  };
}

/** What the network says, as a client of HTTP says it. */
function inWords(url: URL, error: unknown): unknown {
  if (!(error instanceof NetworkError) || error.message.startsWith('cannot get')) return error;
  const reason = error.message.slice(error.message.lastIndexOf(': ') + 2);
  const code = error.code === 'BIP_RESET' ? 'BIP_HTTP' : error.code;
  return failure(url, reason, code, error);
}

/** Who makes the connections in place of the host looks the names up as well. */
export function lookupFor(
  { lookup }: Pick<HttpHost, 'lookup'>,
  connect: Connect | undefined,
): Pick<Lookup, 'addresses'> {
  return connect === undefined ? lookup : { addresses: async (host) => [host] };
}

/** A connection of the host, or of who makes them in its place. */
export function makeStream(
  { network }: Pick<HttpHost, 'network'>,
  to: Endpoint,
  { signal, connect }: { readonly signal: AbortSignal; readonly connect: Connect | undefined },
): Promise<ByteStream> {
  return connect === undefined ? network.connect(to, { signal }) : connect(to, { signal });
}

interface Target {
  readonly url: URL;
  readonly to: Endpoint;
}

async function findTarget(
  lookup: Pick<Lookup, 'addresses'>,
  request: HttpRequest,
  signal: AbortSignal,
): Promise<Target> {
  const url = checkedUrl(request);
  const { family } = request;
  const [address = url.hostname] = await lookup.addresses(hostIn(url), {
    signal,
    ...(family === undefined ? {} : { family }),
  });
  const standard = url.protocol === 'https:' ? 443 : 80;
  return { url, to: { host: address, port: url.port === '' ? standard : Number(url.port) } };
}

function checkedUrl({ url: text, family }: HttpRequest): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new NetworkError(`cannot get ${text}: it is no http or https address`, {
      code: 'BIP_HTTP',
    });
  }
  const literal = ipFamily(hostIn(url));
  if (family !== undefined && literal !== undefined && literal !== family) {
    throw networkFailure(`cannot get ${text} by IPv${family}`, 'ENODATA');
  }
  return url;
}

/** Without the brackets of IPv6. */
function hostIn(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1');
}

function exchange(
  stream: ByteStream,
  { url, to }: Target,
  { request, signal }: { readonly request: HttpRequest; readonly signal: AbortSignal },
): Promise<Omit<HttpResponse, 'timing'>> {
  const reader = new HttpReader();
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(abortReason(signal));
    signal.addEventListener('abort', onAbort, { once: true });
    const look = (closed: boolean): void => {
      const body = reader.body(closed);
      if (body === 'bad') reject(failure(url, `${url.host} broke off the answer`, 'BIP_HTTP'));
      else if (reader.rest.length > request.maxBytes) reject(tooLarge(url, request.maxBytes));
      else if (body !== undefined) resolve(responseOf(reader, body, to));
    };
    stream.open({
      data(bytes) {
        if (reader.push(bytes) === 'more') look(false);
        else reject(failure(url, `${url.host} does not speak HTTP`, 'BIP_HTTP'));
      },
      drain: () => undefined,
      closed: (error) => (error === undefined ? look(true) : reject(error)),
    });
    stream.write(encodeRequest(url, request));
  });
}

function encodeRequest(url: URL, { headers = {} }: HttpRequest): Uint8Array {
  const all = { host: url.host, 'user-agent': 'bip', connection: 'close', ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return encodeUtf8(`GET ${url.pathname}${url.search} HTTP/1.1\r\n${lines.join('')}\r\n`);
}

function responseOf(
  reader: HttpReader,
  body: Uint8Array,
  remote: Endpoint,
): Omit<HttpResponse, 'timing'> {
  const { start = '', headers = {} } = reader.head ?? {};
  const status = Number(/ (\d{3})/.exec(start)?.[1] ?? 0);
  return { status, headers, body: concatBytes(body), remote };
}

function tooLarge(url: URL, maxBytes: number): NetworkError {
  return new NetworkError(`the answer of ${url.host} is longer than ${maxBytes} bytes`, {
    code: 'BIP_HTTP_TOO_LARGE',
  });
}

function failure(url: URL, reason: string, code: ErrorCode, cause?: unknown): NetworkError {
  const doing = `cannot get ${url.protocol}//${url.host}${url.pathname}`;
  return new NetworkError(`${doing}: ${reason}`, { code, cause });
}
