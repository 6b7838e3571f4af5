/** Work that may not take forever. @module */

import type { Clock } from '../../src/runtime/ports.ts';

/**
 * Runs `work` with a signal that is aborted after `ms` milliseconds with the error `late`, or as
 * soon as `signal` is.
 */
export async function withDeadline<Result>(
  clock: Clock,
  limit: { readonly ms: number; readonly signal: AbortSignal; readonly late: () => Error },
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const { ms, signal, late } = limit;
  signal.throwIfAborted();
  const controller = new AbortController();
  const abort = (): void => controller.abort(signal.reason);
  const cancel = clock.schedule(clock.now() + ms, () => controller.abort(late()));
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await work(controller.signal);
  } finally {
    cancel();
    signal.removeEventListener('abort', abort);
  }
}
