/** Joins a state machine to timers and promises; the only place that does. @module */

import type { Clock, Machine } from './ports.ts';

/** What one output of a machine asks of the world; `return` and `throw` end the run. */
export type Effect<Result> =
  | { readonly do: 'perform'; readonly perform: () => void }
  | { readonly do: 'return'; readonly result: Result }
  | { readonly do: 'throw'; readonly error: Error };

/**
 * Runs one machine to its result. Each input is followed by a complete drain; after the result no
 * further input reaches the machine.
 *
 * @throws what a `throw` effect carries, or `signal.reason` when aborted.
 */
export async function drive<Input, Output, Result>(options: {
  readonly machine: Machine<Input, Output>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Subscribes to the inputs; called once, before the first one. */
  readonly connect: (feed: (input: Input) => void) => void;
  readonly effect: (output: Output) => Effect<Result>;
}): Promise<Result> {
  const { machine, clock, signal, connect, effect } = options;
  signal.throwIfAborted();
  let cancelTimer: (() => void) | undefined;
  let ended = false;
  let onAbort: (() => void) | undefined;
  try {
    return await new Promise<Result>((resolve, reject) => {
      const feed = (input: Input | { readonly type: 'timeout' }): void => {
        if (ended) return;
        machine.handle(input, clock.now());
        for (const output of machine.drain()) {
          const next = effect(output);
          if (next.do === 'perform') next.perform();
          else {
            ended = true;
            if (next.do === 'return') resolve(next.result);
            else reject(next.error);
            return;
          }
        }
        cancelTimer?.();
        const deadline = machine.deadline();
        cancelTimer =
          deadline === undefined
            ? undefined
            : clock.schedule(deadline, () => feed({ type: 'timeout' }));
      };
      onAbort = () => reject(asError(signal.reason));
      signal.addEventListener('abort', onAbort, { once: true });
      connect(feed);
    });
  } finally {
    ended = true;
    cancelTimer?.();
    if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('aborted', { cause: reason });
}
