/** Asking many trackers at once, politely. @module */

import { BipError, NetworkError } from '../../src/base/errors.ts';
import {
  type AnnounceOptions,
  type AnnounceRequest,
  type AnnounceResponse,
  announce,
  type TrackerRuntime,
  UdpTrackers,
} from '../../src/tracker/index.ts';

/** What became of one tracker. */
export type Outcome =
  | { readonly tracker: string; readonly response: AnnounceResponse }
  | { readonly tracker: string; readonly error: BipError };

export interface ProbeOptions extends Omit<AnnounceOptions, 'trackerId'> {
  readonly request: AnnounceRequest;
  readonly concurrency: number;
  /** Tell each tracker that answered that we are gone. */
  readonly stop: boolean;
  /** A tracker answered or failed. */
  readonly onSettled: (outcome: Outcome) => void;
  /** A tracker could not be told that we are gone. */
  readonly onRudeness: (tracker: string, error: BipError) => void;
}

/**
 * Announces to all trackers, `concurrency` at once. Yields the outcomes in the order of the trackers;
 * one that fails is held back until some tracker answered, so that nothing comes when none did. After
 * an abort what is known is yielded, and those that answered are still told `stopped`.
 *
 * @throws {NetworkError} when none of several trackers answered, with the reason of each; for a
 *   single tracker its own error. `signal.reason` when aborted before any answered.
 */
export async function* probe(
  runtime: TrackerRuntime,
  trackers: readonly string[],
  options: ProbeOptions,
): AsyncGenerator<Outcome> {
  await using udp = new UdpTrackers(runtime);
  const goodbyes: Promise<void>[] = [];
  const slots = new Slots(options.concurrency);
  let answered = false;
  const asked = trackers.map((tracker) =>
    slots.run(async () => {
      const outcome = await ask(runtime, tracker, { ...options, udp });
      if (outcome === undefined) return undefined;
      if ('response' in outcome) {
        answered = true;
        if (options.stop) goodbyes.push(sayGoodbye(runtime, outcome, { ...options, udp }));
      }
      options.onSettled(outcome);
      return outcome;
    }),
  );
  try {
    const held: Outcome[] = [];
    for (const one of asked) {
      const outcome = await one;
      if (outcome !== undefined) held.push(outcome);
      if (answered) yield* held.splice(0);
    }
    options.signal.throwIfAborted();
    if (!answered) throw noneAnswered(held);
  } finally {
    await Promise.all(goodbyes);
  }
}

type Shared = ProbeOptions & { readonly udp: UdpTrackers };

function noneAnswered(outcomes: readonly Outcome[]): BipError {
  const errors = outcomes.flatMap((outcome) => ('error' in outcome ? [outcome.error] : []));
  const [first] = errors;
  if (first !== undefined && errors.length === 1) return first;
  const reasons = errors.map(({ message }) => message).join('; ');
  return new NetworkError(`none of the ${errors.length} trackers answered: ${reasons}`, {
    code: 'BIP_TRACKER_NONE',
  });
}

/** `undefined` when aborted. */
async function ask(
  runtime: TrackerRuntime,
  tracker: string,
  { request, signal, ...rest }: Shared,
): Promise<Outcome | undefined> {
  if (signal.aborted) return undefined;
  try {
    return { tracker, response: await announce(runtime, tracker, request, { ...rest, signal }) };
  } catch (error) {
    if (signal.aborted) return undefined;
    if (error instanceof BipError) return { tracker, error };
    throw error;
  }
}

async function sayGoodbye(
  runtime: TrackerRuntime,
  { tracker, response }: Extract<Outcome, { response: AnnounceResponse }>,
  { request, udp, trusted, family, onRudeness }: Shared,
): Promise<void> {
  try {
    await announce(
      runtime,
      tracker,
      { ...request, event: 'stopped', numWant: 0 },
      {
        // Not the user's signal: leaving is part of stopping cleanly.
        signal: new AbortController().signal,
        timeoutMs: GOODBYE_TIMEOUT,
        trackerId: response.trackerId,
        udp,
        trusted,
        family,
      },
    );
  } catch (error) {
    if (!(error instanceof BipError)) throw error;
    onRudeness(tracker, error);
  }
}

/** At most so many at once, in order. */
class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];
  constructor(count: number) {
    this.#free = count;
  }
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#free === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#free--;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}

/** Milliseconds; libtorrent's `stop_tracker_timeout`. */
const GOODBYE_TIMEOUT = 5000;
