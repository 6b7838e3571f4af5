/** The context of a command made of the process: its streams, its environment, its signals. @module */

import { fstatSync } from 'node:fs';
import { addAbortSignal } from 'node:stream';
import { isatty } from 'node:tty';
import { type Context, Interrupted, type Output } from '../commands/cli/context.ts';
import { StorageError } from '../src/base/errors.ts';
import { settler } from '../src/runtime/node/settle.ts';
import type { Runtime } from '../src/runtime/ports.ts';
import { processHost } from './process-host.ts';

/** What {@link processContext} gives: the context, and the way to end. */
export interface ProcessContext {
  readonly context: Context;
  /** Waits until everything written has left, then ends the process with `exitCode`. */
  readonly exit: (exitCode: number) => Promise<never>;
}

/**
 * Wires the process to a context. The first SIGINT or SIGTERM aborts its signal, the second ends the
 * process at once. A reader that went away (EPIPE) aborts quietly, a full disk behind a redirected
 * stream aborts with a {@link StorageError}, an error that nobody caught with itself.
 */
export function processContext(runtime: Runtime): ProcessContext {
  const stop = new AbortController();
  let broken: StorageError | undefined;
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      const reason = new Interrupted(name);
      if (stop.signal.reason instanceof Interrupted) process.exit(reason.exitCode);
      stop.abort(reason);
    });
  }
  process.on('uncaughtException', (error) => {
    if (stop.signal.aborted) {
      process.stderr.write(`${error.stack ?? error.message}\n`);
      process.exit(70);
    }
    stop.abort(error);
  });
  const watch = (stream: NodeJS.WriteStream, name: string): NodeJS.WriteStream =>
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') return stop.abort(new Interrupted('EPIPE'));
      broken = new StorageError(`cannot write to ${name}: ${error.message}`, { cause: error });
      stop.abort(broken);
    });
  const outputs = [watch(process.stdout, 'stdout'), watch(process.stderr, 'stderr')] as const;
  return {
    context: {
      runtime,
      stdin: standardInput(stop.signal),
      stdout: output(outputs[0], 1),
      stderr: output(outputs[1], 2),
      env: process.env,
      signal: stop.signal,
      settle: settler(),
      host: processHost,
    },
    exit: async (exitCode) => {
      const knewOf = broken;
      await Promise.all(outputs.map(flushed));
      // The last write may fail after the command has ended with success.
      if (broken !== undefined && knewOf === undefined && exitCode === 0) {
        process.stderr.write(`error: ${broken.message}\n`);
        process.exit(4);
      }
      process.exit(exitCode);
    },
  };
}

function output(stream: NodeJS.WriteStream, fd: 1 | 2): Output {
  return {
    isTTY: isatty(fd),
    get columns() {
      return stream.columns > 0 ? stream.columns : 80;
    },
    get queuedBytes() {
      return stream.writableLength;
    },
    write: (data) => void stream.write(data),
  };
}

/** Touches `process.stdin` only when asked: opening it costs time and keeps the process alive. */
function standardInput(signal: AbortSignal): Context['stdin'] {
  return {
    get isTTY() {
      return isatty(0);
    },
    async *[Symbol.asyncIterator]() {
      try {
        // Node would read nothing from one, and call that the end.
        if (fstatSync(0).isDirectory()) throw new Error('it is a directory');
        for await (const chunk of addAbortSignal(signal, process.stdin)) yield chunk;
      } catch (error) {
        if (signal.aborted || !(error instanceof Error)) throw error;
        throw new StorageError(`cannot read from stdin: ${error.message}`, { cause: error });
      }
    },
  };
}

/** Streams to pipes are asynchronous: what is queued would be lost by an exit. */
function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableLength === 0) setImmediate(resolve);
    else stream.write('', () => resolve());
  });
}
