/** Asking many trackers at once. @module */

import { BipError, NetworkError } from '../../src/base/errors.ts';
import { Slots } from '../cli/slots.ts';
import type { Inquiry, Outcome } from './outcome.ts';

/** How one tracker is asked, whatever the question. */
export type Ask<Response> = (inquiry: Inquiry) => Promise<Response>;

export interface AskOptions<Response> {
  readonly signal: AbortSignal;
  readonly concurrency: number;
  readonly ask: Ask<Response>;
  /** A tracker answered or failed. */
  readonly onSettled: (outcome: Outcome<Response>) => void;
  /** Failures are worth showing even when no tracker answers. */
  readonly showFailures: boolean;
}

/**
 * Asks all trackers, `concurrency` at once. Yields the outcomes in the order of the trackers; unless
 * `showFailures` is set, one that fails is held back until some tracker answered, so that nothing
 * comes when none did. After an abort what is known is yielded.
 */
export async function* askAll<Response>(
  inquiries: readonly Inquiry[],
  options: AskOptions<Response>,
): AsyncGenerator<Outcome<Response>, void, undefined> {
  const { concurrency, showFailures } = options;
  const slots = new Slots(concurrency);
  let answered = false;
  const asked = inquiries.map((inquiry) =>
    slots.run(async () => {
      const outcome = await askOnce(inquiry, options);
      if (outcome === undefined) return undefined;
      if ('response' in outcome) answered = true;
      options.onSettled(outcome);
      return outcome;
    }),
  );
  const held: Outcome<Response>[] = [];
  for (const one of asked) {
    const outcome = await one;
    if (outcome !== undefined) held.push(outcome);
    if (answered || showFailures) yield* held.splice(0);
  }
}

/** The outcome of one question; `undefined` when aborted. */
export async function askOnce<Response>(
  inquiry: Inquiry,
  { signal, ask }: Pick<AskOptions<Response>, 'signal' | 'ask'>,
): Promise<Outcome<Response> | undefined> {
  if (signal.aborted) return undefined;
  try {
    return { inquiry, response: await ask(inquiry) };
  } catch (error) {
    if (signal.aborted) return undefined;
    if (error instanceof BipError) return { inquiry, error };
    throw error;
  }
}

/** Its own error for a single tracker; else one with the reason of each, unless those were shown. */
export function noneAnswered(
  errors: readonly BipError[],
  { shown }: { readonly shown: boolean },
): BipError {
  const [first] = errors;
  if (first !== undefined && errors.length === 1) return first;
  const reasons = shown ? '' : `: ${errors.map(({ message }) => message).join('; ')}`;
  return new NetworkError(`none of the ${errors.length} trackers answered${reasons}`, {
    code: 'BIP_TRACKER_NONE',
  });
}
