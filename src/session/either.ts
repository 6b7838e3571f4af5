/** One connection by TCP or uTP, whichever answers first. @module */

import type { Endpoint } from '../base/endpoint.ts';
import { BipError } from '../base/errors.ts';
import { pause } from '../runtime/aborting.ts';
import type { ByteStream, Clock, Millis, Network } from '../runtime/ports.ts';

/** TCP is asked so long before uTP (RFC 8305 §5): where both work, it costs less of the processor. */
const HEAD_START: Millis = 250;

type Connect = Network['connect'];

/** Calls by `first`, and after a moment, or when that fails, by `second` as well. */
export function either(first: Connect, second: Connect, clock: Clock): Connect {
  return async (to, options) => {
    options.signal.throwIfAborted();
    const stop = new AbortController();
    const onAbort = (): void => stop.abort(options.signal.reason);
    options.signal.addEventListener('abort', onAbort, { once: true });
    const calls = startCalls(to, { ...options, signal: stop.signal }, { first, second, clock });
    let winner: ByteStream | undefined;
    try {
      winner = await Promise.any(calls);
      return winner;
    } catch (error) {
      options.signal.throwIfAborted();
      throwBug(error);
      // The reason of the first one says more: whether somebody is there at all.
      return await calls[0];
    } finally {
      options.signal.removeEventListener('abort', onAbort);
      stop.abort(new Error('another way was faster'));
      for (const call of calls) call.then((stream) => drop(stream, winner), ignore);
    }
  };
}

function startCalls(
  to: Endpoint,
  options: Parameters<Connect>[1],
  {
    first,
    second,
    clock,
  }: { readonly first: Connect; readonly second: Connect; readonly clock: Clock },
): readonly [Promise<ByteStream>, Promise<ByteStream>] {
  const failed = Promise.withResolvers<void>();
  const one = first(to, options);
  one.catch(() => failed.resolve());
  const waited = new AbortController();
  const stopWaiting = (): void => waited.abort(options.signal.reason);
  options.signal.addEventListener('abort', stopWaiting, { once: true });
  const two = Promise.race([failed.promise, pause(clock, HEAD_START, waited.signal)]).then(() => {
    stopWaiting();
    options.signal.throwIfAborted();
    return second(to, options);
  });
  return [one, two];
}

/** What is no failure of the network must not hide behind one that is. */
function throwBug(error: unknown): void {
  const reasons: readonly unknown[] = error instanceof AggregateError ? error.errors : [error];
  for (const reason of reasons) if (!(reason instanceof BipError)) throw reason;
}

function drop(stream: ByteStream, winner: ByteStream | undefined): void {
  if (stream !== winner) void stream[Symbol.asyncDispose]();
}

function ignore(): void {
  // Who lost the race failed, or was stopped.
}
