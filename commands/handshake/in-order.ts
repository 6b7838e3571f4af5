/** Work on what comes one by one, many at once, with results in the order of what came. @module */

import { EventQueue } from '../cli/event-queue.ts';
import { Slots } from '../cli/slots.ts';

/**
 * At most `concurrency` pieces of work at once; a result is given on as soon as all before it are.
 *
 * @throws what `signal` was aborted with, what `items` throw after the results of those before, and
 *   what `work` throws.
 */
export async function* inOrder<Item, Result>(
  items: AsyncIterable<Item>,
  { concurrency, signal }: { readonly concurrency: number; readonly signal: AbortSignal },
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const slots = new Slots(concurrency);
  const results = new EventQueue<Promise<Result>>();
  const read = async (): Promise<void> => {
    try {
      for await (const item of items) {
        const result = slots.run(() => work(item));
        // Each is looked at in its turn.
        result.catch(() => undefined);
        results.push(result);
      }
    } finally {
      results.end();
    }
  };
  // Standard input may be silent for ever.
  const onAbort = (): void => results.end();
  signal.addEventListener('abort', onAbort);
  const done = read();
  done.catch(() => undefined);
  try {
    for await (const result of results) yield result;
    signal.throwIfAborted();
    await done;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
