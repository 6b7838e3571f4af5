/** What a command may touch of the outside world. @module */

import type { Proxy } from '../../src/proxy/index.ts';
import type { RedisLink, Runtime } from '../../src/runtime/ports.ts';
import type { TrackerSetup, TrackerThread } from '../../src/tracker/server/index.ts';

/** Where text and bytes go. A stream of the process in bin/, a buffer in tests. */
export interface Output {
  readonly isTTY: boolean;
  /** Width of the terminal in columns; 80 where there is none. */
  readonly columns: number;
  /** Bytes written that the reader has not taken yet; absent where there is no reader to wait for. */
  readonly queuedBytes?: number;
  write(data: string | Uint8Array): void;
}

/** What only a process of its own can do. */
export interface ProcessHost {
  /** Calls `listener` on each SIGHUP, which then does not end the process. @returns how to stop that. */
  onHangup(listener: () => void): () => void;
  /** @throws {NetworkError} when nobody answers at `url`. */
  openRedis(url: string, options: { readonly signal: AbortSignal }): Promise<RedisLink>;
  /** Starts a thread that shares the swarms of this one; see `serveThread`. */
  startTrackerThread(setup: TrackerSetup): TrackerThread;
  /** How many more files and sockets the system lets it open; `undefined` where that is not told. */
  descriptorsLeft(): number | undefined;
  /** Bytes of memory that the whole process takes. */
  memoryBytes(): number;
}

/** Everything a command may touch; nothing under commands/ reads `process`. */
export interface Context {
  readonly runtime: Runtime;
  /** Where the network of {@link runtime} goes through. */
  readonly proxy?: Proxy;
  /** Standard input, read when asked for. */
  readonly stdin: AsyncIterable<Uint8Array> & { readonly isTTY: boolean };
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborts on SIGINT, SIGTERM and EPIPE; the reason is an {@link Interrupted}. */
  readonly signal: AbortSignal;
  /** Lets all promises settle that can; what a simulated world needs to go on. */
  readonly settle: () => Promise<void>;
  /** Absent where bip is no process: in tests that run it inside of theirs. */
  readonly host?: ProcessHost;
}

/**
 * Why the signal of the context was aborted. Not an error of anybody: exit code 130 or 143, and 0
 * when the reader of stdout or stderr went away (`bip … | head`).
 */
export class Interrupted extends Error {
  readonly exitCode: 0 | 130 | 143;
  constructor(by: 'SIGINT' | 'SIGTERM' | 'EPIPE') {
    super(INTERRUPTIONS[by].message);
    this.exitCode = INTERRUPTIONS[by].exitCode;
  }
}

const INTERRUPTIONS = {
  SIGINT: { exitCode: 130, message: 'interrupted' },
  SIGTERM: { exitCode: 143, message: 'terminated' },
  EPIPE: { exitCode: 0, message: 'the reader went away' },
} as const;
