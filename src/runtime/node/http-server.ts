/** An HTTP server over Node's. @module */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
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
import { originForm } from '../request-target.ts';
import { abortReason } from './abort.ts';
import { plainEndpoint } from './addresses.ts';
import { type Connection, Connections } from './http-connections.ts';
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
  const server = patientServer(options);
  const connections = new Connections({
    maxConnections: options.maxConnections ?? MAX_CONNECTIONS,
    onDisplaced: options.onDisplaced,
    answerTimeoutMs: options.requestTimeoutMs ?? REQUEST_TIMEOUT,
  });
  const serving = new Serving(server, handler, connections);
  try {
    await listen(server, options);
  } catch (error) {
    await serving[Symbol.asyncDispose]();
    if (options.signal.aborted) throw abortReason(options.signal);
    const { host, port = 0 } = options;
    const where = host === undefined ? `port ${port}` : formatEndpoint({ host, port });
    throw networkFailure(`cannot listen on TCP ${where}`, systemCode(error), { cause: error });
  }
  serving.started();
  return serving;
}

function patientServer(options: HttpServeOptions): Server {
  const { requestTimeoutMs = REQUEST_TIMEOUT, idleTimeoutMs = IDLE_TIMEOUT } = options;
  return createServer({
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
  readonly #connections: Connections;
  #local: Endpoint = { host: '', port: 0 };
  #closing: Promise<void> | undefined;

  constructor(server: Server, handler: HttpHandler, connections: Connections) {
    this.#server = server;
    this.#handler = handler;
    this.#connections = connections;
    server.on('connection', (socket) => connections.opened(socket));
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
      this.#server.close(() => {
        this.#connections[Symbol.dispose]();
        resolve();
      });
      this.#connections.dropIdle();
    });
    return this.#closing;
  }

  #requested(request: IncomingMessage, response: ServerResponse): void {
    const connection = this.#connections.asked(request.socket);
    if (connection === undefined) return;
    const answer = { connection, response, bytes: 0 };
    response.on('close', () => this.#left(answer));
    if (this.#closing !== undefined || carriesBody(request)) response.shouldKeepAlive = false;
    if (request.method !== 'GET' && request.method !== 'HEAD') {
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
    if (reply === undefined) this.#connections.drop(answer.connection);
    else this.#send(answer, reply);
  }

  #send(answer: Answer, reply: HttpReply): void {
    const { connection, response } = answer;
    if (connection.socket.destroyed) return;
    // The connection may have been kept when the request came, and not be wanted any more.
    if (this.#closing !== undefined) response.shouldKeepAlive = false;
    const { status = 200, headers, body } = reply;
    const lines = ['content-length', String(lengthOf(body))];
    for (const name in headers) lines.push(name, headers[name] ?? '');
    try {
      response.writeHead(status, lines);
    } catch {
      // A header that cannot be sent.
      this.#connections.drop(connection);
      return;
    }
    endWith(response, reply);
    answer.bytes = reply.lasting === true ? HEAD_BYTES : HEAD_BYTES + body.length;
    this.#connections.answered(connection, answer.bytes);
  }

  #left({ connection, bytes }: Answer): void {
    const isIdle = this.#connections.left(connection, bytes);
    if (isIdle && this.#closing !== undefined) connection.socket.destroySoon();
  }
}

/** An answer in the making. */
interface Answer {
  readonly connection: Connection;
  readonly response: ServerResponse;
  /** How much memory it takes. */
  bytes: number;
}

/** What an answer takes beside its body, about. */
const HEAD_BYTES = 1024;

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
    return originForm(this.#request.url ?? '');
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

/** Bytes that may change as soon as this returns are copied here. */
function endWith(response: ServerResponse, { body, lasting = false }: HttpReply): void {
  if (typeof body === 'string') response.end(body);
  else if (lasting) response.end(Buffer.from(body.buffer, body.byteOffset, body.length));
  else if (body.length > SMALL_BODY) response.end(Buffer.from(body));
  else {
    const text = Buffer.from(body.buffer, body.byteOffset, body.length).toString('latin1');
    response.end(text, 'latin1');
  }
}
