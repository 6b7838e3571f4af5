/** WebSockets over the package `ws`. @module */

import { type IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import type { Endpoint } from '../../base/endpoint.ts';
import { NetworkError } from '../../base/errors.ts';
import { networkFailure } from '../failures.ts';
import type { Millis, TlsFacts, WebSocketLink, WebSockets } from '../ports.ts';
import { abortReason, onAbort } from './abort.ts';
import { literalFamily, plainEndpoint } from './addresses.ts';
import { type MadeConnections, madeConnections } from './made-connections.ts';
import { systemCode } from './system-error.ts';
import { isTlsFailure, tlsReason } from './tls-error.ts';
import { tlsFacts } from './tls-facts.ts';

/** How long the other side may take to agree to the end, milliseconds. */
const FAREWELL: Millis = 1000;

export function nodeWebSockets({ userAgent }: { readonly userAgent: string }): WebSockets {
  return {
    async connect(text, { signal, family, maxBytes, connect }) {
      signal.throwIfAborted();
      const url = checkedUrl(text, family);
      const made =
        connect === undefined
          ? undefined
          : madeConnections(url, connect, { signal, onReady: () => undefined });
      const socket = new WebSocket(url, {
        family,
        maxPayload: maxBytes,
        perMessageDeflate: false,
        followRedirects: false,
        headers: { 'user-agent': userAgent },
        ...(made === undefined ? {} : { createConnection: made.createConnection }),
      });
      const link = new NodeWebSocket(socket, { name: url.host, maxBytes, made });
      try {
        await opened(socket, signal);
        return link;
      } catch (error) {
        // Later failures of what was given up are nobody's business.
        socket.on('error', () => undefined);
        socket.terminate();
        if (signal.aborted) throw abortReason(signal);
        throw connectFailure(url, error);
      }
    },
  };
}

function opened(socket: WebSocket, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = onAbort(signal, reject);
    socket.once('open', () => {
      stop();
      resolve();
    });
    socket.once('unexpected-response', (_, { statusCode }) => {
      stop();
      reject(new NotSpoken(`it answers with the HTTP status ${statusCode ?? 0}`));
    });
    socket.once('error', (error) => {
      stop();
      reject(error);
    });
  });
}

class NodeWebSocket implements WebSocketLink {
  readonly #socket: WebSocket;
  readonly #early: string[] = [];
  readonly #ended = Promise.withResolvers<void>();
  remote: Endpoint = { host: '', port: 0 };
  tls?: TlsFacts;
  #handler: Parameters<WebSocketLink['open']>[0] | undefined;
  #closed: { readonly error: Error | undefined } | undefined;
  #disposed: Promise<void> | undefined;

  constructor(
    socket: WebSocket,
    {
      name,
      maxBytes,
      made,
    }: {
      readonly name: string;
      readonly maxBytes: number;
      readonly made: MadeConnections | undefined;
    },
  ) {
    this.#socket = socket;
    let failure: Error | undefined;
    socket.once('upgrade', (answer) => this.#upgraded(answer, made));
    socket.on('message', (data) =>
      this.#receive(data instanceof Uint8Array ? data.toString() : ''),
    );
    socket.on('error', (error) => {
      failure = linkFailure(name, error, maxBytes);
    });
    socket.once('close', () => this.#end(failure));
  }

  send(text: string): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(text);
  }

  open(handler: Parameters<WebSocketLink['open']>[0]): void {
    this.#handler = handler;
    for (const text of this.#early.splice(0)) handler.message(text);
    if (this.#closed !== undefined && this.#disposed === undefined) {
      handler.closed(this.#closed.error);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= this.#dispose();
    return this.#disposed;
  }

  async #dispose(): Promise<void> {
    if (this.#closed !== undefined) return;
    this.#socket.close(1000);
    const timer = setTimeout(() => this.#socket.terminate(), FAREWELL);
    await this.#ended.promise;
    clearTimeout(timer);
  }

  #upgraded({ socket }: IncomingMessage, made: MadeConnections | undefined): void {
    this.remote = made?.remote() ?? plainEndpoint(socket.remoteAddress, socket.remotePort);
    const tls = tlsFacts(socket);
    if (tls !== undefined) this.tls = tls;
  }

  #receive(text: string): void {
    if (this.#disposed !== undefined) return;
    if (this.#handler === undefined) this.#early.push(text);
    else this.#handler.message(text);
  }

  #end(error: Error | undefined): void {
    this.#closed = { error };
    this.#ended.resolve();
    if (this.#disposed === undefined) this.#handler?.closed(error);
  }
}

/** There is somebody, but he does not speak WebSocket. */
class NotSpoken extends Error {}

function checkedUrl(text: string, family: 4 | 6 | undefined): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['ws:', 'wss:'].includes(url.protocol)) {
    throw new NetworkError(`cannot connect to ${text}: it is no ws or wss address`, {
      code: 'BIP_WEBSOCKET',
    });
  }
  const literal = literalFamily(url.hostname.replace(/^\[(.*)\]$/, '$1'));
  if (family !== undefined && literal !== undefined && literal !== family) {
    throw networkFailure(`cannot connect to ${text} by IPv${family}`, 'ENODATA');
  }
  return url;
}

function connectFailure(url: URL, error: unknown): NetworkError {
  if (error instanceof NetworkError) return error;
  const system = systemCode(error);
  const doing = `cannot connect to ${url.protocol}//${url.host}${url.pathname}`;
  if (isTlsFailure(system)) {
    return new NetworkError(`${doing}: ${tlsReason(system)}`, { code: 'BIP_TLS', cause: error });
  }
  if (error instanceof NotSpoken) {
    const message = `${doing}: ${error.message} instead of a WebSocket`;
    return new NetworkError(message, { code: 'BIP_WEBSOCKET', cause: error });
  }
  if (system === undefined || system === 'ECONNRESET' || system.startsWith('HPE_')) {
    const message = `${doing}: it does not speak WebSocket`;
    return new NetworkError(message, { code: 'BIP_WEBSOCKET', cause: error });
  }
  return networkFailure(doing, system, { cause: error });
}

function linkFailure(name: string, error: Error, maxBytes: number): NetworkError {
  const system = systemCode(error);
  if (system === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') {
    return new NetworkError(`a message of ${name} is longer than ${maxBytes} bytes`, {
      code: 'BIP_WEBSOCKET_TOO_LARGE',
      cause: error,
    });
  }
  const broken = system?.startsWith('WS_ERR_') === true;
  if (!broken) return networkFailure(`the connection to ${name} broke`, system, { cause: error });
  return new NetworkError(`${name} broke the rules of WebSocket: ${error.message}`, {
    code: 'BIP_WEBSOCKET',
    cause: error,
  });
}
