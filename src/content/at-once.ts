/** Work on many things, some at once. @module */

import type { FileHashers } from '../runtime/ports.ts';

/** Runs that are to be under way at once, so that no thread ever waits. */
export function runsAtOnce({ lanes }: FileHashers): number {
  return 2 * lanes + 1;
}

/**
 * Works on all items, `limit` at once. After a failure or a cancellation no item is begun any more;
 * what is under way is waited for, so that nothing is open afterwards.
 *
 * @throws the first failure, or the reason of `signal`.
 */
export async function forEachAtOnce<Item>(
  items: Iterable<Item>,
  { limit, signal }: { readonly limit: number; readonly signal: AbortSignal },
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  let failure: { readonly error: unknown } | undefined;
  const lane = async (): Promise<void> => {
    while (failure === undefined && !signal.aborted) {
      const next = iterator.next();
      if (next.done === true) return;
      try {
        await work(next.value);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: limit }, lane));
  signal.throwIfAborted();
  if (failure !== undefined) throw failure.error;
}
