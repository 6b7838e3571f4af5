/** Asking again over transports that do not do it for themselves. @module */

import { NetworkError, TimeoutError } from '../base/errors.ts';
import { bounded, pause } from '../runtime/aborting.ts';
import type { Clock } from '../runtime/ports.ts';
import { type ExchangeOptions, HTTP_TIMEOUT_MS } from './model.ts';
import { type TrackerUrl, trackerName } from './url.ts';

/**
 * What `attempt` gives, tried again up to `retries` times while nobody answers.
 *
 * @throws {TimeoutError} with code `BIP_TRACKER_TIMEOUT`; and what the last attempt throws, without
 *   the path in sentences of the ports, which may hold a passkey.
 * @throws `signal.reason` when aborted.
 */
export async function attempts<Result>(
  clock: Clock,
  url: TrackerUrl,
  { timeoutMs, retries = 0, signal }: ExchangeOptions,
  attempt: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const started = clock.now();
  for (let tried = 0; ; tried++) {
    // Attempts share what is left of the caller's limit.
    const ms =
      timeoutMs === undefined
        ? HTTP_TIMEOUT_MS
        : Math.max(timeoutMs - (clock.now() - started), 0) / (retries + 1 - tried);
    const error = (): Error => noAnswer(url, clock.now() - started);
    try {
      return await bounded({ signal, clock, limit: { ms, error } }, attempt);
    } catch (failure) {
      const refused = failure instanceof NetworkError;
      if (tried >= retries || !(refused || failure instanceof TimeoutError)) {
        throw withoutPath(failure, url);
      }
      const left = (timeoutMs ?? Number.POSITIVE_INFINITY) - (clock.now() - started);
      if (refused) await pause(clock, Math.min(RETRY_PAUSE, left / 2), signal);
    }
  }
}

/** The ports name the path, which may hold a passkey. */
function withoutPath(failure: unknown, url: TrackerUrl): unknown {
  const [path = ''] = url.target.split('?', 1);
  if (!(failure instanceof NetworkError) || path.length < 2) return failure;
  return new NetworkError(failure.message.replaceAll(path, ''), {
    code: failure.code,
    cause: failure,
  });
}

/** The failure of a tracker that said nothing. */
export function noAnswer(url: TrackerUrl, waitedMs: number): TimeoutError {
  const seconds = Number((waitedMs / 1000).toFixed(1));
  return new TimeoutError(`${trackerName(url)} did not answer within ${seconds} s`, waitedMs, {
    code: 'BIP_TRACKER_TIMEOUT',
  });
}

/** Milliseconds: who refuses connections needs a moment to come back. */
const RETRY_PAUSE = 1000;
