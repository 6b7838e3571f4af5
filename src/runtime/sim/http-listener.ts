/** The serving half of the Http port of a simulated host. @module */

import type { Endpoint } from '../../base/endpoint.ts';
import { Crowd } from '../crowd.ts';
import type {
  ByteStream,
  Clock,
  HttpHandler,
  HttpServeOptions,
  Listener,
  Millis,
  Network,
} from '../ports.ts';
import { originForm } from '../request-target.ts';
import {
  SimHttpConnection,
  type SimHttpHandler,
  type SimHttpResponse,
  type SimPatience,
} from './http-server.ts';

/** The defaults of the port. */
const MAX_REQUEST_BYTES = 16 * 1024;
const MAX_CONNECTIONS = 10_000;
const REQUEST_TIMEOUT: Millis = 10_000;
const IDLE_TIMEOUT: Millis = 30_000;

/** What serving needs of its host. */
export interface ServingHost {
  readonly network: Network;
  readonly clock: Clock;
}

export async function serveHttp(
  { network, clock }: ServingHost,
  handler: HttpHandler,
  options: HttpServeOptions,
): Promise<Listener> {
  const patience: SimPatience = {
    clock,
    maxRequestBytes: options.maxRequestBytes ?? MAX_REQUEST_BYTES,
    requestTimeoutMs: options.requestTimeoutMs ?? REQUEST_TIMEOUT,
    idleTimeoutMs: options.idleTimeoutMs ?? IDLE_TIMEOUT,
  };
  const serving = new Serving(handler, patience, options);
  serving.listener = await network.listen((stream) => serving.accept(stream), options);
  return serving;
}

class Serving implements Listener {
  readonly #handler: SimHttpHandler;
  readonly #patience: SimPatience;
  readonly #connections = new Set<SimHttpConnection>();
  readonly #crowd: Crowd<SimHttpConnection>;
  readonly #onDisplaced: (() => void) | undefined;
  readonly #ended = Promise.withResolvers<void>();
  #closing: Promise<void> | undefined;
  listener: Listener | undefined;

  constructor(
    handler: HttpHandler,
    patience: SimPatience,
    { maxConnections = MAX_CONNECTIONS, onDisplaced }: HttpServeOptions,
  ) {
    this.#handler = (request) =>
      request.method === 'GET' || request.method === 'HEAD'
        ? handler({ ...request, target: originForm(request.target) })
        : NOT_ALLOWED;
    this.#patience = patience;
    this.#crowd = new Crowd(maxConnections);
    this.#onDisplaced = onDisplaced;
  }

  get local(): Endpoint {
    return this.listener?.local ?? { host: '', port: 0 };
  }

  accept(stream: ByteStream): void {
    if (this.#closing !== undefined) {
      void stream[Symbol.asyncDispose]();
      return;
    }
    const connection: SimHttpConnection = new SimHttpConnection(stream, {
      handler: (request) => {
        this.#crowd.heard(connection);
        return this.#handler(request);
      },
      patience: this.#patience,
      closed: () => this.#closed(connection),
    });
    this.#connections.add(connection);
    const leaver = this.#crowd.enter(connection, stream.remote.host);
    if (leaver === undefined) return;
    void leaver.close();
    this.#onDisplaced?.();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.listener?.[Symbol.asyncDispose]();
    for (const connection of [...this.#connections]) connection.finish();
    if (this.#connections.size > 0) await this.#ended.promise;
  }

  #closed(connection: SimHttpConnection): void {
    this.#connections.delete(connection);
    this.#crowd.leave(connection);
    if (this.#connections.size === 0 && this.#closing !== undefined) this.#ended.resolve();
  }
}

const NOT_ALLOWED: SimHttpResponse = {
  status: 405,
  headers: { allow: 'GET, HEAD', connection: 'close' },
};
