/** Joins signals to callbacks of Node. @module */

/** The reason of an aborted signal as an error. */
export function abortReason(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof Error ? reason : new Error('aborted', { cause: reason });
}

/** Calls `cancel` when `signal` is aborted; the returned function ends that. */
export function onAbort(signal: AbortSignal, cancel: (reason: Error) => void): () => void {
  const listener = (): void => cancel(abortReason(signal));
  signal.addEventListener('abort', listener, { once: true });
  return () => signal.removeEventListener('abort', listener);
}
