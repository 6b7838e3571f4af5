/** Asking trackers again and again, each at its own pace. @module */

import { ProtocolError } from '../../src/base/errors.ts';
import type { Clock, Millis } from '../../src/runtime/ports.ts';
import { TrackerRefusal } from '../../src/tracker/index.ts';
import { EventQueue } from '../cli/event-queue.ts';
import { Slots } from '../cli/slots.ts';
import { type AskOptions, askOnce } from './asking.ts';
import type { Inquiry, Outcome } from './outcome.ts';

/** One outcome of many. */
export interface Round<Response> {
  readonly type: 'round';
  readonly outcome: Outcome<Response>;
  /** Milliseconds since the start. */
  readonly elapsedMs: Millis;
  /** When this tracker is asked again, from now; absent when it is not. */
  readonly nextMs?: Millis;
}

/** The last line of a watch. */
export interface WatchEnd {
  readonly type: 'end';
  readonly answers: number;
  readonly failures: number;
  /** Trackers whose last outcome was a failure. */
  readonly failing: number;
  readonly elapsedMs: Millis;
}

export interface WatchOptions<Response>
  extends Omit<AskOptions<Response>, 'showFailures' | 'onSettled'> {
  readonly clock: Clock;
  /** How often each tracker is asked. */
  readonly limit: number | undefined;
  /** What the tracker wishes, seconds. */
  readonly pauseSeconds: (response: Response) => number;
  /** After the last round of a tracker. */
  readonly leave: (inquiry: Inquiry) => void;
}

/** Yields rounds as they come, and what they add up to when all trackers are done or after an abort. */
export async function* watchAll<Response>(
  inquiries: readonly Inquiry[],
  options: WatchOptions<Response>,
): AsyncGenerator<Round<Response> | WatchEnd, void, undefined> {
  const { clock, concurrency } = options;
  const started = clock.now();
  const slots = new Slots(concurrency);
  const queue = new EventQueue<Round<Response>>();
  const watches = inquiries.map((inquiry) =>
    watchOne(inquiry, { ...options, slots, queue, started }),
  );
  const all = Promise.all(watches).finally(() => queue.end());
  // Looked at when the rounds have been read.
  all.catch(() => undefined);
  let answers = 0;
  let failures = 0;
  for await (const round of queue) {
    if ('response' in round.outcome) answers++;
    else failures++;
    yield round;
  }
  const failing = (await all).filter((failed) => failed).length;
  yield { type: 'end', answers, failures, failing, elapsedMs: clock.now() - started };
}

/** @returns whether the last round failed. */
async function watchOne<Response>(
  inquiry: Inquiry,
  options: WatchOptions<Response> & {
    readonly slots: Slots;
    readonly queue: EventQueue<Round<Response>>;
    readonly started: Millis;
  },
): Promise<boolean> {
  const { clock, queue, signal, slots, started, leave, limit = Number.POSITIVE_INFINITY } = options;
  let failedInRow = 0;
  for (let round = 0; round < limit; round++) {
    const outcome = await slots.run(() => askOnce(inquiry, options));
    if (outcome === undefined) break;
    failedInRow = 'response' in outcome ? 0 : failedInRow + 1;
    const nextMs = round + 1 < limit ? pauseAfter(outcome, failedInRow, options) : undefined;
    const elapsedMs = clock.now() - started;
    queue.push({ type: 'round', outcome, elapsedMs, ...(nextMs === undefined ? {} : { nextMs }) });
    if (nextMs === undefined) break;
    await sleep(clock, nextMs, signal);
  }
  leave(inquiry);
  return failedInRow > 0;
}

/** `undefined` for a URL that cannot be used, and for a tracker that said "never" (BEP 31). */
function pauseAfter<Response>(
  outcome: Outcome<Response>,
  failedInRow: number,
  { pauseSeconds }: Pick<WatchOptions<Response>, 'pauseSeconds'>,
): Millis | undefined {
  if ('response' in outcome) {
    return Math.min(Math.max(pauseSeconds(outcome.response) * 1000, SHORTEST), LONGEST);
  }
  const { error } = outcome;
  if (error instanceof ProtocolError) return undefined;
  const wish = error instanceof TrackerRefusal ? error.retryInSeconds : undefined;
  if (wish === 'never') return undefined;
  if (wish !== undefined) return Math.min(Math.max(wish * 1000, SHORTEST), LONGEST);
  return Math.min(BACK_OFF * 2 ** (failedInRow - 1), LONGEST_BACK_OFF);
}

/** Returns at once when aborted. */
async function sleep(clock: Clock, ms: Millis, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const wake = (): void => resolve();
  const cancel = clock.schedule(clock.now() + ms, wake);
  signal.addEventListener('abort', wake, { once: true });
  await promise;
  cancel();
  signal.removeEventListener('abort', wake);
}

/** Whatever a tracker says, it is asked no more often than this, and no less. */
const SHORTEST: Millis = 1000;
const LONGEST: Millis = 86_400_000;
/** As a session does after failures: doubles with each in a row. */
const BACK_OFF: Millis = 15_000;
const LONGEST_BACK_OFF: Millis = 1_800_000;
