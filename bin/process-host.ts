/** What only a process of its own can do for a command. @module */

import { Worker } from 'node:worker_threads';
import type { ProcessHost } from '../commands/cli/context.ts';
import { clock } from '../src/runtime/node/clock.ts';
import { descriptorsLeft } from '../src/runtime/node/descriptors.ts';
import type { FromThread, TrackerSetup, TrackerThread } from '../src/tracker/server/index.ts';

export const processHost: ProcessHost = {
  onHangup(listener) {
    process.on('SIGHUP', listener);
    return () => void process.off('SIGHUP', listener);
  },
  async openRedis(url, options) {
    const { openRedis } = await import('../src/runtime/node/redis.ts');
    return openRedis(url, { ...options, clock });
  },
  startTrackerThread,
  descriptorsLeft,
  memoryBytes: () => process.memoryUsage.rss(),
};

/** In the built bip the program stands beside it; from source it is TypeScript, too. */
const PROGRAM = import.meta.url.endsWith('.ts') ? './tracker-worker.ts' : './tracker-worker.mjs';

function startTrackerThread(setup: TrackerSetup): TrackerThread {
  const worker = new Worker(new URL(PROGRAM, import.meta.url));
  worker.postMessage(setup);
  let disposal: Promise<unknown> | undefined;
  return {
    post: (message) => worker.postMessage(message),
    open(handler) {
      worker.on('message', (sent: FromThread) => handler.message(sent));
      worker.on('error', (error: Error) => handler.ended(error));
      worker.on('exit', () => {
        if (disposal === undefined) handler.ended(new Error('a thread of the tracker ended'));
      });
    },
    async [Symbol.asyncDispose]() {
      disposal ??= worker.terminate();
      await disposal;
    },
  };
}
