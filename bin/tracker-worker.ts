/** A further thread of `tracker serve --workers`: it has sockets of its own and shares the swarms. @module */

import { parentPort } from 'node:worker_threads';
import { invariant } from '../src/base/errors.ts';
import { nodeRuntime } from '../src/runtime/node/index.ts';
import {
  serveThread,
  shareByRedis,
  type ToThread,
  type TrackerSetup,
} from '../src/tracker/server/index.ts';

invariant(parentPort !== null, 'this file is the program of a thread');
const port = parentPort;
// The first message; the rest is for who serves.
const setup = await new Promise<TrackerSetup>((resolve) => {
  port.once('message', (first: TrackerSetup) => resolve(first));
});
const { signal } = new AbortController();
await using runtime = nodeRuntime();
await serveThread(runtime, {
  openShared: shareByRedis(runtime, {
    async open(url) {
      const { openRedis } = await import('../src/runtime/node/redis.ts');
      return openRedis(url, { signal, clock: runtime.clock });
    },
  }),
  port: {
    setup,
    post: (message) => port.postMessage(message),
    receive: (listener) => void port.on('message', (message: ToThread) => listener(message)),
  },
});
port.close();
