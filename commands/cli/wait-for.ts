/** Work that lasts until somebody has enough of it. @module */

import type { Context } from './context.ts';

/**
 * Waits for `work`, the limit of time, or the user's interrupt, whichever is first.
 *
 * @returns how it ended; a failure of `work` is thrown.
 */
export async function waitFor(
  context: Context,
  work: Promise<unknown>,
  timeoutMs: number | undefined,
): Promise<'done' | 'timeout' | 'interrupted'> {
  const { clock } = context.runtime;
  let cancelTimer: (() => void) | undefined;
  let onAbort: (() => void) | undefined;
  try {
    return await new Promise<'done' | 'timeout' | 'interrupted'>((resolve, reject) => {
      work.then(() => resolve('done'), reject);
      onAbort = () => resolve('interrupted');
      if (context.signal.aborted) onAbort();
      context.signal.addEventListener('abort', onAbort, { once: true });
      if (timeoutMs !== undefined) {
        cancelTimer = clock.schedule(clock.now() + timeoutMs, () => resolve('timeout'));
      }
    });
  } finally {
    cancelTimer?.();
    if (onAbort !== undefined) context.signal.removeEventListener('abort', onAbort);
  }
}
