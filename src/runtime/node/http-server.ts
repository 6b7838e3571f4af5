/** An HTTP server over Node's. @module */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type Endpoint, formatEndpoint } from '../../base/endpoint.ts';
import { invariant } from '../../base/errors.ts';
import { networkFailure } from '../failures.ts';
import type {
  HttpHandler,
  HttpIncoming,
  HttpReply,
  HttpServeOptions,
  Listener,
  Millis,
} from '../ports.ts';
import { abortReason } from './abort.ts';
import { plainEndpoint } from './addresses.ts';
import { plainHeaders } from './plain-headers.ts';
import { systemCode } from './system-error.ts';

const MAX_REQUEST_BYTES = 16 * 1024;
const MAX_CONNECTIONS = 10_000;
const REQUEST_TIMEOUT: Millis = 10_000;
const IDLE_TIMEOUT: Millis = 30_000;
/** Connections are looked at this often for requests that do not come to an end, at the rarest. */
const LONGEST_CHECK: Millis = 1000;
/** Bodies up to this many bytes leave by one write with their headers. */
const SMALL_BODY = 64 * 1024;

export async function serveHttp(
  handler: HttpHandler,
  options: HttpServeOptions,
): Promise<Listener> {
  options.signal.throwIfAborted();
  const server = boundedServer(options);
  const serving = new Serving(server, handler, options.requestTimeoutMs ?? REQUEST_TIMEOUT);
  try {
    await listen(server, options);
  } catch (error) {
    server.close();
    if (options.signal.aborted) throw abortReason(options.signal);
    const { host, port = 0 } = options;
    const where = host === undefined ? `port ${port}` : formatEndpoint({ host, port });
    throw networkFailure(`cannot listen on TCP ${where}`, systemCode(error), { cause: error });
  }
  serving.started();
  return serving;
}

function boundedServer(options: HttpServeOptions): Server {
  const { requestTimeoutMs = REQUEST_TIMEOUT, idleTimeoutMs = IDLE_TIMEOUT } = options;
  const server = createServer({
    maxHeaderSize: options.maxRequestBytes ?? MAX_REQUEST_BYTES,
    headersTimeout: requestTimeoutMs,
    requestTimeout: requestTimeoutMs,
    connectionsCheckingInterval: Math.min(LONGEST_CHECK, requestTimeoutMs),
    keepAliveTimeout: idleTimeoutMs,
    joinDuplicateHeaders: true,
    // What old clients leave out does no harm here: there is one site.
    requireHostHeader: false,
    noDelay: true,
  });
  server.maxConnections = options.maxConnections ?? MAX_CONNECTIONS;
  return server;
}

async function listen(
  server: Server,
  { host, port = 0, reusePort = false, signal }: HttpServeOptions,
): Promise<void> {
  // Who names `::` may want another socket for IPv4 on the same port.
  const ipv6Only = host === '::';
  server.listen({ port, reusePort, ipv6Only, ...(host === undefined ? {} : { host }) });
  await once(server, 'listening', { signal });
}

class Serving implements Listener {
  readonly #server: Server;
  readonly #handler: HttpHandler;
  readonly #answerTimeoutMs: Millis;
  /** Every connection, and how many of its requests are being answered. */
  readonly #connections = new Map<Socket, number>();
  #local: Endpoint = { host: '', port: 0 };
  #closing: Promise<void> | undefined;

  constructor(server: Server, handler: HttpHandler, answerTimeoutMs: Millis) {
    this.#server = server;
    this.#handler = handler;
    this.#answerTimeoutMs = answerTimeoutMs;
    server.on('connection', (socket) => this.#connected(socket));
    server.on('request', (request, response) => this.#requested(request, response));
  }

  get local(): Endpoint {
    return this.#local;
  }

  started(): void {
    const bound = this.#server.address();
    invariant(typeof bound === 'object' && bound !== null, 'a listening server has an address');
    this.#local = plainEndpoint(bound.address, bound.port);
    // Failures of single accepts (no descriptor left) come and go.
    this.#server.on('error', () => undefined);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      this.#server.close(() => resolve());
      for (const [socket, running] of this.#connections) if (running === 0) socket.destroy();
    });
    return this.#closing;
  }

  #connected(socket: Socket): void {
    this.#connections.set(socket, 0);
    socket.on('close', () => this.#connections.delete(socket));
  }

  #requested(request: IncomingMessage, response: ServerResponse): void {
    const { socket, method } = request;
    const answer = { socket, response };
    this.#connections.set(socket, (this.#connections.get(socket) ?? 0) + 1);
    response.on('close', () => this.#answered(socket));
    if (this.#closing !== undefined || carriesBody(request)) response.shouldKeepAlive = false;
    if (method !== 'GET' && method !== 'HEAD') {
      response.shouldKeepAlive = false;
      this.#send(answer, { status: 405, headers: { allow: 'GET, HEAD' }, body: '' });
      return;
    }
    try {
      const reply = this.#handler(new Incoming(request));
      if (reply instanceof Promise) this.#later(reply, answer);
      else this.#reply(answer, reply);
    } catch {
      this.#send(answer, SERVER_FAULT);
    }
  }

  #later(reply: Promise<HttpReply | undefined>, answer: Answer): void {
    reply.then(
      (settled) => this.#reply(answer, settled),
      () => this.#send(answer, SERVER_FAULT),
    );
  }

  #reply(answer: Answer, reply: HttpReply | undefined): void {
    if (reply === undefined) answer.socket.destroy();
    else this.#send(answer, reply);
  }

  #send({ socket, response }: Answer, { status = 200, headers, body }: HttpReply): void {
    if (socket.destroyed) return;
    // The connection may have been kept when the request came, and not be wanted any more.
    if (this.#closing !== undefined) response.shouldKeepAlive = false;
    const lines = ['content-length', String(lengthOf(body))];
    for (const name in headers) lines.push(name, headers[name] ?? '');
    try {
      response.writeHead(status, lines);
    } catch {
      // A header that cannot be sent.
      socket.destroy();
      return;
    }
    endWith(response, body);
    if (socket.writableLength > 0) this.#expectDrain(response, socket);
  }

  /** Whoever does not read loses the connection. */
  #expectDrain(response: ServerResponse, socket: Socket): void {
    const late = setTimeout(() => socket.destroy(), this.#answerTimeoutMs);
    response.on('close', () => clearTimeout(late));
  }

  #answered(socket: Socket): void {
    const running = this.#connections.get(socket);
    if (running === undefined) return;
    this.#connections.set(socket, running - 1);
    if (this.#closing !== undefined && running === 1) socket.destroySoon();
  }
}

/** An answer in the making; its own `socket` is unknown while earlier ones are under way. */
interface Answer {
  readonly socket: Socket;
  readonly response: ServerResponse;
}

const SERVER_FAULT: HttpReply = { status: 500, body: '' };

class Incoming implements HttpIncoming {
  readonly #request: IncomingMessage;
  #headers: Readonly<Record<string, string>> | undefined;

  constructor(request: IncomingMessage) {
    this.#request = request;
  }
  get method(): string {
    return this.#request.method ?? '';
  }
  get target(): string {
    return this.#request.url ?? '';
  }
  get headers(): Readonly<Record<string, string>> {
    this.#headers ??= plainHeaders(this.#request);
    return this.#headers;
  }
  get from(): Endpoint {
    const { remoteAddress, remotePort } = this.#request.socket;
    return plainEndpoint(remoteAddress, remotePort);
  }
}

/** What comes after the head of a GET is not read: the connection ends with the answer. */
function carriesBody({ rawHeaders }: IncomingMessage): boolean {
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    // Lengths first: nothing is made of the headers when nobody asks for them.
    if (name.length === 17 && name.toLowerCase() === 'transfer-encoding') return true;
    if (name.length === 14 && name.toLowerCase() === 'content-length') {
      return rawHeaders[at + 1] !== '0';
    }
  }
  return false;
}

function lengthOf(body: Uint8Array | string): number {
  return typeof body === 'string' ? Buffer.byteLength(body) : body.length;
}

/** The bytes are copied here: they may change as soon as this returns. */
function endWith(response: ServerResponse, body: Uint8Array | string): void {
  if (typeof body === 'string') response.end(body);
  else if (body.length > SMALL_BODY) response.end(Buffer.from(body));
  else {
    const text = Buffer.from(body.buffer, body.byteOffset, body.length).toString('latin1');
    response.end(text, 'latin1');
  }
}
