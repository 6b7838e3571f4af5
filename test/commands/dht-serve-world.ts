/** `bip dht serve` in process, on a host of a simulated DHT. @module */

import { Interrupted, type ProcessHost } from '../../commands/cli/context.ts';
import type { SimHost } from '../../src/runtime/sim/index.ts';
import { DhtScene, type Printed } from './dht-scene.ts';
import { type BipResult, type RunOptions, startBip } from './harness.ts';
import { eventsOf } from './serve-world.ts';

/** One run of the command. */
export interface ServedDht {
  /** What is left of it, once it ended by itself. */
  readonly ended: Promise<BipResult>;
  /** All of stdout so far. */
  readonly stdout: string;
  /** With `--json`: those of a type so far. */
  told(type: string): readonly Printed[];
  /** Ctrl-C or `kill`, and what is left then; no socket, file or timer may be. */
  stop(by?: 'SIGINT' | 'SIGTERM'): Promise<BipResult>;
}

export type ServeRun = Pick<RunOptions, 'files' | 'tty'> & { readonly host?: SimHost };

export const MEMORY: number = 64 * 1024 * 1024;

export class DhtServeScene extends DhtScene {
  /** Starts the command and waits until it says where it listens. @throws {Error} when it ends instead. */
  async serve(argv: readonly string[], more: ServeRun = {}): Promise<ServedDht> {
    const { promise: listening, resolve: heard } = Promise.withResolvers<undefined>();
    const serving = this.start(argv, more, () => heard(undefined));
    const left = await this.world.run(Promise.race([listening, serving.ended]));
    if (left === undefined) return serving;
    throw new Error(`it ended with ${left.code}: ${left.stderr}`);
  }

  start(argv: readonly string[], more: ServeRun = {}, onStdout?: () => void): ServedDht {
    const { host = this.us, ...rest } = more;
    const controller = new AbortController();
    let stdout = '';
    const ended = startBip(host.runtime, {
      ...rest,
      argv: ['dht', 'serve', ...argv],
      signal: controller.signal,
      process: PROCESS,
      onWrite(stream, text) {
        if (stream === 'stderr') return;
        stdout += text;
        onStdout?.();
      },
    });
    return {
      ended,
      get stdout() {
        return stdout;
      },
      told: (type) => eventsOf({ stdout }).filter((event) => event['type'] === type),
      stop: async (by = 'SIGINT') => {
        controller.abort(new Interrupted(by));
        const result = await this.world.run(ended);
        if (host.open.length > 0) throw new Error(`left open: ${host.open.join(', ')}`);
        return result;
      },
    };
  }
}

const refuse = (): never => {
  throw new Error('a node of the DHT needs no threads and no Redis');
};

const PROCESS: ProcessHost = {
  onHangup: refuse,
  openRedis: refuse,
  startTrackerThread: refuse,
  descriptorsLeft: () => undefined,
  memoryBytes: () => MEMORY,
};
