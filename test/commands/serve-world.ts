/** `bip tracker serve` in process, on one host of a simulated world, with clients around it. @module */

import { Interrupted, type ProcessHost } from '../../commands/cli/context.ts';
import type { SimHost } from '../../src/runtime/sim/index.ts';
import { type Client, ServiceWorld, TRACKER } from '../tracker/server/service-world.ts';
import { type BipResult, type RunOptions, startBip } from './harness.ts';
import { hangingProcess } from './process-host.ts';

/** One run of the command. */
export interface Serving {
  /** What is left of it, once it ended by itself. */
  readonly ended: Promise<BipResult>;
  /** All of stdout so far. */
  readonly stdout: string;
  /** SIGHUP. */
  hangUp(): void;
  /** Ctrl-C or `kill`, and what is left then. */
  stop(by?: 'SIGINT' | 'SIGTERM'): Promise<BipResult>;
}

export type ServeRun = Pick<RunOptions, 'files' | 'tty' | 'queuedBytes' | 'env'> & {
  readonly process?: Partial<ProcessHost>;
};

/** Plays a story to its end, after which nothing may be left open. */
export async function playServe(story: (scene: ServeScene) => Promise<void>): Promise<void> {
  const scene = new ServeScene();
  await scene.around.play(() => story(scene));
}

export class ServeScene {
  readonly around: ServiceWorld = new ServiceWorld();
  #clients = 0;

  /** Where the command runs. */
  get host(): SimHost {
    return this.around.host;
  }

  /** Starts the command and waits until it says where it listens. @throws {Error} when it ends instead. */
  async serve(argv: readonly string[], more: ServeRun = {}): Promise<Serving> {
    const { promise: listening, resolve: heard } = Promise.withResolvers<undefined>();
    const serving = this.start(argv, more, () => heard(undefined));
    const left = await Promise.race([listening, serving.ended]);
    if (left === undefined) return serving;
    throw new Error(`it ended with ${left.code}: ${left.stderr}`);
  }

  /** Starts the command, at one address: in the simulated world a port has one socket for all. */
  start(argv: readonly string[], more: ServeRun = {}, onStdout?: () => void): Serving {
    const controller = new AbortController();
    const hangups = new Set<() => void>();
    let stdout = '';
    const ended = startBip(this.host.runtime, {
      ...more,
      argv: ['tracker', 'serve', ...(argv.includes('--host') ? [] : HOST), ...argv],
      signal: controller.signal,
      process: { ...hangingProcess(hangups), ...more.process },
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
      hangUp() {
        if (hangups.size === 0) throw new Error('SIGHUP would end the process');
        for (const listener of hangups) listener();
      },
      stop(by = 'SIGINT') {
        controller.abort(new Interrupted(by));
        return ended;
      },
    };
  }

  /** A client with an address of its own: 203.0.113.1, .2, … */
  client(): Client {
    return this.around.client(`203.0.113.${++this.#clients}`);
  }

  /** Waits in virtual time. */
  pass(seconds: number): Promise<void> {
    return this.around.pass(seconds);
  }

  write(path: string, text: string): Promise<void> {
    return this.host.runtime.files.writeFile(path, new TextEncoder().encode(text));
  }
}

const HOST = ['--host', TRACKER.four];

/** The lines of JSON of a run. */
export function eventsOf({
  stdout,
}: Pick<BipResult, 'stdout'>): readonly Record<string, unknown>[] {
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const event: Record<string, unknown> = JSON.parse(line);
      return event;
    });
}
