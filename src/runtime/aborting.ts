/** Abort signals that also fire by the clock or by an owner's disposal. @module */

import type { Clock, Millis } from './ports.ts';

/**
 * Runs `work` with a signal that fires with `signal` and `also`, and after `limit.ms` with the
 * reason `limit.error()`.
 */
export async function bounded<Result>(
  options: {
    readonly signal: AbortSignal;
    readonly also?: AbortSignal;
    readonly clock: Clock;
    readonly limit?: { readonly ms: Millis; readonly error: () => Error };
  },
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const { signal, also, clock, limit } = options;
  const controller = new AbortController();
  const sources = also === undefined ? [signal] : [signal, also];
  for (const source of sources) source.throwIfAborted();
  const listeners = sources.map((source) => {
    const listener = (): void => controller.abort(source.reason);
    source.addEventListener('abort', listener, { once: true });
    return () => source.removeEventListener('abort', listener);
  });
  const cancelTimer =
    limit === undefined
      ? undefined
      : clock.schedule(clock.now() + limit.ms, () => controller.abort(limit.error()));
  try {
    return await work(controller.signal);
  } finally {
    cancelTimer?.();
    for (const remove of listeners) remove();
  }
}

/** Waits `ms` milliseconds. @throws `signal.reason` when aborted first. */
export async function pause(clock: Clock, ms: Millis, signal: AbortSignal): Promise<void> {
  await bounded({ signal, clock }, (aborted) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const cancel = clock.schedule(clock.now() + ms, resolve);
    aborted.addEventListener(
      'abort',
      () => {
        cancel();
        reject(aborted.reason);
      },
      { once: true },
    );
    return promise;
  });
}
