/** Signals in the simulated world. @module */

/** The reason of an aborted signal as an error. */
export function abortReason(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof Error ? reason : new Error('aborted', { cause: reason });
}

/** Waits for `work` unless `signal` is aborted first; then `abandon` is called. */
export function abortable<T>(
  signal: AbortSignal,
  work: Promise<T>,
  abandon: () => void = () => undefined,
): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const onAbort = (): void => {
      abandon();
      reject(abortReason(signal));
    };
    signal.addEventListener('abort', onAbort, { once: true });
    const settled = (): void => signal.removeEventListener('abort', onAbort);
    work.then(resolve, reject).finally(settled);
  });
}
