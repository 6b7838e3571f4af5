/** What became of one tracker, as it may be shown. @module */

import type { BipError } from '../../src/base/errors.ts';
import { ipFamily } from '../../src/base/ip.ts';
import { type ExchangeFacts, parseTrackerUrl, TrackerError } from '../../src/tracker/index.ts';
import { printable } from '../cli/printable.ts';
import { maskSecrets } from '../cli/secrets.ts';
import { maskRaw } from './raw-secrets.ts';
import type { Target } from './sources.ts';

/** One tracker to be asked, over one family when that was asked for. */
export interface Inquiry extends Target {
  readonly family: 4 | 6 | undefined;
}

/** A tracker answered or failed. */
export type Outcome<Response> =
  | { readonly inquiry: Inquiry; readonly response: Response }
  | { readonly inquiry: Inquiry; readonly error: BipError };

/** What every answer has. */
export interface Exchanged {
  readonly exchange: ExchangeFacts;
}

/** An outcome without secrets, and fit for a terminal. */
export type Shown<Response> = {
  readonly tracker: string;
  /** The one that was asked for with --both-families. */
  readonly family: 4 | 6 | undefined;
  readonly inquiry: Inquiry;
  /** Facts about the exchange, of failures as far as they are known. */
  readonly facts: ExchangeFacts | undefined;
  /** Milliseconds since 1970. */
  readonly at: number;
} & ({ readonly response: Response } | { readonly error: BipError });

/** Each target over each family; literal addresses have one only. */
export function inquiriesFor(
  targets: readonly Target[],
  families: readonly (4 | 6 | undefined)[],
): readonly Inquiry[] {
  return targets.flatMap((target) => {
    const own = families.length > 1 ? familyOf(target.tracker) : undefined;
    return families
      .filter((family) => own === undefined || family === own)
      .map((family) => ({ ...target, family }));
  });
}

/** Of a literal address in a URL. */
function familyOf(url: string): 4 | 6 | undefined {
  try {
    return ipFamily(parseTrackerUrl(url).host);
  } catch {
    // Asking says what is wrong with it.
    return undefined;
  }
}

export function showOutcome<Response extends Exchanged>(
  outcome: Outcome<Response>,
  how: {
    readonly reveal: boolean | undefined;
    readonly bothFamilies: boolean | undefined;
    readonly at: number;
  },
): Shown<Response> {
  const { inquiry } = outcome;
  const show = (url: string): string => printable(how.reveal === true ? url : maskSecrets(url));
  const facts = 'response' in outcome ? outcome.response.exchange : factsOf(outcome.error);
  return {
    ...outcome,
    tracker: show(inquiry.tracker),
    family: how.bothFamilies === true ? inquiry.family : undefined,
    facts: facts === undefined ? undefined : showFacts(facts, inquiry.tracker, { ...how, show }),
    at: how.at,
  };
}

function factsOf(error: BipError): ExchangeFacts | undefined {
  return error instanceof TrackerError ? error.exchange : undefined;
}

function showFacts(
  facts: ExchangeFacts,
  tracker: string,
  {
    reveal,
    show,
  }: { readonly reveal: boolean | undefined; readonly show: (url: string) => string },
): ExchangeFacts {
  const { raw, redirects, ...rest } = facts;
  const bytes = raw === undefined || reveal === true ? raw : maskRaw(raw, { tracker, facts });
  return {
    ...rest,
    redirects: redirects.map(show),
    ...(bytes === undefined ? {} : { raw: bytes }),
  };
}
