/** HTTP and HTTPS over Node's client. @module */

import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import type { Endpoint } from '../../base/endpoint.ts';
import { NetworkError } from '../../base/errors.ts';
import { networkFailure } from '../failures.ts';
import type { Connect, Http, HttpRequest, HttpResponse, HttpTiming, Millis } from '../ports.ts';
import { abortReason } from './abort.ts';
import { literalFamily, plainEndpoint } from './addresses.ts';
import { clock } from './clock.ts';
import { unpackBody } from './content-encoding.ts';
import { type MadeConnections, madeConnections } from './made-connections.ts';
import { plainBytes } from './plain-bytes.ts';
import { plainHeaders } from './plain-headers.ts';
import { systemCode } from './system-error.ts';
import { isTlsFailure, tlsReason } from './tls-error.ts';
import { tlsFacts } from './tls-facts.ts';

/** How long an idle connection is kept for the next request, milliseconds. */
const KEEP_ALIVE = 10_000;

/** A client with its own connections, which are kept for a while for further requests. */
export function httpClient(options: {
  readonly userAgent: string;
}): Pick<Http, 'get'> & Disposable {
  const agents = {
    http: new HttpAgent({ keepAlive: true, timeout: KEEP_ALIVE }),
    // A session that is resumed does not tell the certificate.
    https: new HttpsAgent({ keepAlive: true, timeout: KEEP_ALIVE, maxCachedSessions: 0 }),
  };
  return {
    async get(request, { signal, connect }) {
      signal.throwIfAborted();
      const url = checkedUrl(request);
      try {
        return await exchange(url, request, { signal, connect, agents, ...options });
      } catch (error) {
        if (signal.aborted) throw abortReason(signal);
        throw httpFailure(url, error);
      }
    },
    [Symbol.dispose]() {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

interface Exchange {
  readonly signal: AbortSignal;
  readonly connect: Connect | undefined;
  readonly agents: { readonly http: HttpAgent; readonly https: HttpsAgent };
  readonly userAgent: string;
}

/** A kept connection may be closed by the other side just when it is used again: once more, then. */
async function exchange(url: URL, request: HttpRequest, how: Exchange): Promise<HttpResponse> {
  for (;;) {
    const attempt = await once(url, request, how);
    if (attempt !== 'stale') return attempt;
  }
}

function once(url: URL, request: HttpRequest, how: Exchange): Promise<HttpResponse | 'stale'> {
  const secure = url.protocol === 'https:';
  return new Promise((resolve, reject) => {
    const watch = new Stopwatch();
    const { connect } = how;
    const made =
      connect === undefined
        ? undefined
        : madeConnections(url, connect, { signal: how.signal, onReady: () => watch.connected() });
    const agent = secure ? how.agents.https : how.agents.http;
    const call = (secure ? httpsRequest : httpRequest)(url, {
      ...(made === undefined ? { agent } : { createConnection: made.createConnection }),
      signal: how.signal,
      headers: {
        'user-agent': how.userAgent,
        accept: '*/*',
        'accept-encoding': 'gzip, deflate',
        ...request.headers,
      },
      // Trackers in the wild end lines by LF alone and send odd header bytes; a client that
      // speaks for one user only loses nothing by reading them.
      insecureHTTPParser: true,
      ...(request.family === undefined ? {} : { family: request.family }),
    });
    if (made === undefined) call.once('socket', (socket) => watch.follow(socket, secure));
    call.once('response', (answer) => {
      readAnswer(url, answer, { maxBytes: request.maxBytes, watch, made }).then(
        resolve,
        (error: unknown) => {
          call.destroy();
          reject(asError(error));
        },
      );
    });
    call.on('error', (error) => {
      const stale = call.reusedSocket && ['ECONNRESET', 'EPIPE'].includes(systemCode(error) ?? '');
      if (stale) resolve('stale');
      else reject(error);
    });
    call.end();
  });
}

async function readAnswer(
  url: URL,
  answer: IncomingMessage,
  {
    maxBytes,
    watch,
    made,
  }: {
    readonly maxBytes: number;
    readonly watch: Stopwatch;
    readonly made: MadeConnections | undefined;
  },
): Promise<HttpResponse> {
  const remote = remoteOf(answer, made);
  const tls = tlsFacts(answer.socket);
  if (Number(answer.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(url, maxBytes);
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of answer) {
    if (!(part instanceof Uint8Array)) continue;
    length += part.length;
    if (length > maxBytes) throw tooLarge(url, maxBytes);
    parts.push(part);
  }
  const timing = watch.stop();
  const encoding = answer.headers['content-encoding'] ?? 'identity';
  const unpacked = await unpackBody(Buffer.concat(parts, length), encoding, maxBytes);
  if (unpacked === 'too large') throw tooLarge(url, maxBytes);
  return {
    status: answer.statusCode ?? 0,
    headers: plainHeaders(answer),
    body: plainBytes(unpacked),
    remote,
    timing,
    ...(tls === undefined ? {} : { tls }),
  };
}

function remoteOf({ socket }: IncomingMessage, made: MadeConnections | undefined): Endpoint {
  return made?.remote() ?? plainEndpoint(socket.remoteAddress, socket.remotePort);
}

/** One request from its beginning, when the name is looked up, over the connection to the answer. */
class Stopwatch {
  readonly #startedAt = clock.now();
  #connectedAt: Millis | undefined;

  follow(socket: Socket, secure: boolean): void {
    // One that was kept for the next request is connected.
    if (!socket.connecting) return;
    socket.once(secure ? 'secureConnect' : 'connect', () => this.connected());
  }

  connected(): void {
    this.#connectedAt = clock.now();
  }

  stop(): HttpTiming {
    const now = clock.now();
    const connectedAt = this.#connectedAt;
    if (connectedAt === undefined) return { answerMs: now - this.#startedAt };
    return { connectMs: connectedAt - this.#startedAt, answerMs: now - connectedAt };
  }
}

function checkedUrl({ url: text, family }: HttpRequest): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new NetworkError(`cannot get ${text}: it is no http or https address`, {
      code: 'BIP_HTTP',
    });
  }
  const literal = literalFamily(url.hostname.replace(/^\[(.*)\]$/, '$1'));
  if (family !== undefined && literal !== undefined && literal !== family) {
    throw networkFailure(`cannot get ${text} by IPv${family}`, 'ENODATA');
  }
  return url;
}

function tooLarge(url: URL, maxBytes: number): NetworkError {
  return new NetworkError(`the answer of ${url.host} is longer than ${maxBytes} bytes`, {
    code: 'BIP_HTTP_TOO_LARGE',
  });
}

function httpFailure(url: URL, error: unknown): Error {
  if (error instanceof NetworkError) return error;
  const system = systemCode(error);
  const doing = `cannot get ${url.protocol}//${url.host}${url.pathname}`;
  if (isTlsFailure(system)) {
    return new NetworkError(`${doing}: ${tlsReason(system)}`, { code: 'BIP_TLS', cause: error });
  }
  if (system === 'ECONNRESET' || system?.startsWith('HPE_') === true) {
    const what = system === 'ECONNRESET' ? 'broke off the answer' : 'does not speak HTTP';
    return new NetworkError(`${doing}: ${url.host} ${what}`, { code: 'BIP_HTTP', cause: error });
  }
  return networkFailure(doing, system, { cause: error });
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error('unknown failure', { cause: error });
}
