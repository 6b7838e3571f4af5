/**
 * The real world: the only place with sockets, files, resolvers, timers and threads of Node. Only
 * bin/ and tests of integration make one; everything else gets it as a parameter.
 *
 * @module
 */

import type { Runtime } from '../ports.ts';
import { clock, wallClock } from './clock.ts';
import { bindDatagrams } from './datagrams.ts';
import { files } from './files.ts';
import { hashers } from './hashers.ts';
import { httpClient } from './http.ts';
import { lookup } from './lookup.ts';
import { systemRandom } from './random.ts';
import { connect, listen } from './streams.ts';

export interface NodeRuntimeOptions {
  /** How HTTP requests introduce themselves unless they do it by a header; default `bip`. */
  readonly userAgent?: string;
}

/** Dispose it at the end, after all that was made with it: it keeps idle HTTP connections. */
export function nodeRuntime({
  userAgent = 'bip',
}: NodeRuntimeOptions = {}): Runtime & AsyncDisposable {
  const http = httpClient({ userAgent });
  return {
    clock,
    wallClock,
    random: systemRandom(),
    network: { bindDatagrams, connect, listen },
    lookup,
    http,
    files,
    hashers,
    async [Symbol.asyncDispose]() {
      http[Symbol.dispose]();
    },
  };
}
