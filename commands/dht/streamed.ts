/** Searches whose findings are printed as they come, and that somebody may have enough of. @module */

import type { Millis } from '../../src/runtime/ports.ts';
import type { Invocation } from '../cli/action.ts';
import type { Context } from '../cli/context.ts';
import { EventQueue } from '../cli/event-queue.ts';
import { LimitReached } from '../cli/exit-codes.ts';
import { formatDuration } from '../cli/units.ts';

/** How a search ended: by itself, by `--limit`, by `--timeout`, or by the user. */
export type Ending = 'complete' | 'enough' | 'timeout' | 'interrupted';

/** What a search is done with. */
export interface SearchTools<Event> {
  /** Fires at every ending but `complete`. */
  readonly signal: AbortSignal;
  readonly emit: (event: Event) => void;
  /** Nothing more is wanted. */
  readonly enough: () => void;
}

/** Yields what `search` emits, takes its status away, and returns how it ended. What it throws, but the reason of its signal, is thrown. */
export async function* streamed<Event>(
  { context, reporter }: Pick<Invocation<object>, 'context' | 'reporter'>,
  timeoutMs: Millis | undefined,
  search: (tools: SearchTools<Event>) => Promise<unknown>,
): AsyncGenerator<Event, Ending, undefined> {
  const { clock } = context.runtime;
  const stopping = new AbortController();
  const queue = new EventQueue<Event>();
  let ending: Ending = 'complete';
  const end = (how: Ending): void => {
    if (stopping.signal.aborted) return;
    ending = how;
    stopping.abort(new Error(how));
  };
  const interrupt = (): void => end('interrupted');
  const cancelTimer =
    timeoutMs === undefined
      ? undefined
      : clock.schedule(clock.now() + timeoutMs, () => end('timeout'));
  context.signal.addEventListener('abort', interrupt, { once: true });
  if (context.signal.aborted) interrupt();
  const done = search({
    signal: stopping.signal,
    emit: (event) => queue.push(event),
    enough: () => end('enough'),
  })
    .catch((error: unknown) => {
      if (error !== stopping.signal.reason) throw error;
    })
    .finally(() => queue.end());
  // A failure is looked at when the events have been read.
  done.catch(() => undefined);
  try {
    yield* queue;
    await done;
    return ending;
  } finally {
    // Whoever reads may have gone away.
    interrupt();
    reporter.status([]);
    cancelTimer?.();
    context.signal.removeEventListener('abort', interrupt);
  }
}

/**
 * To be called when all was printed.
 *
 * @throws {LimitReached} exit code 6, and the reason of the user's interrupt.
 */
export function checkEnding(context: Context, ending: Ending, timeoutMs: Millis | undefined): void {
  if (ending === 'interrupted') context.signal.throwIfAborted();
  if (ending === 'timeout') {
    throw new LimitReached(
      `stopped by the --timeout of ${formatDuration(timeoutMs ?? 0)} before all was done`,
    );
  }
}
