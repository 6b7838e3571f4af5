/**
 * The real world: the only place with sockets, files, resolvers, timers and threads of Node. Only
 * bin/ and tests of integration make one; everything else gets it as a parameter.
 *
 * @module
 */

import type { Http, Runtime, WebSockets } from '../ports.ts';
import { clock, wallClock } from './clock.ts';
import { bindDatagrams } from './datagrams.ts';
import { nodeFiles } from './files.ts';
import { nodeHashers } from './hashers.ts';
import { nodeLookup } from './lookup.ts';
import { systemRandom } from './random.ts';
import { nodeStreams } from './streams.ts';
import { Threads } from './threads.ts';

export interface NodeRuntimeOptions {
  /** How HTTP requests introduce themselves unless they do it by a header; default `bip`. */
  readonly userAgent?: string;
  /** Who is asked for TXT records, literal addresses with or without a port; default the system's. */
  readonly nameServers?: readonly string[];
}

/** Dispose it at the end, after all that was made with it: it keeps idle HTTP connections. */
export function nodeRuntime({
  userAgent = 'bip',
  nameServers,
}: NodeRuntimeOptions = {}): Runtime & AsyncDisposable {
  const http = lazyHttp(userAgent);
  const threads = new Threads();
  return {
    clock,
    wallClock,
    random: systemRandom(),
    network: { bindDatagrams, ...nodeStreams() },
    lookup: nodeLookup(nameServers),
    http,
    webSockets: lazyWebSockets(userAgent),
    files: nodeFiles(threads),
    hashers: nodeHashers(threads),
    async [Symbol.asyncDispose]() {
      await http[Symbol.asyncDispose]();
      await threads[Symbol.asyncDispose]();
    },
  };
}

/** Node's HTTP takes longer to load than all of bip: the first use of it loads it. */
function lazyHttp(userAgent: string): Http & AsyncDisposable {
  type Client = Pick<Http, 'get'> & Disposable;
  let client: Promise<Client> | undefined;
  const load = async (): Promise<Client> => {
    const { httpClient } = await import('./http.ts');
    return httpClient({ userAgent });
  };
  return {
    async get(request, options) {
      client ??= load();
      return (await client).get(request, options);
    },
    async serve(handler, options) {
      const { serveHttp } = await import('./http-server.ts');
      return serveHttp(handler, options);
    },
    async [Symbol.asyncDispose]() {
      (await client)?.[Symbol.dispose]();
    },
  };
}

/** The package is loaded by the first connection. */
function lazyWebSockets(userAgent: string): WebSockets {
  return {
    async connect(url, options) {
      options.signal.throwIfAborted();
      const { nodeWebSockets } = await import('./web-sockets.ts');
      return nodeWebSockets({ userAgent }).connect(url, options);
    },
  };
}
