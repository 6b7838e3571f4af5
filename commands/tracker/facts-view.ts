/** How facts about an exchange with a tracker look. @module */

import { type ExchangeFacts, TrackerRefusal } from '../../src/tracker/index.ts';
import type { Row } from '../cli/labelled.ts';
import { formatMillis, roundMillis } from '../cli/units.ts';
import { formatIsoTime } from '../metainfo/iso-time.ts';
import type { Shown } from './outcome.ts';
import { rawJson } from './raw-view.ts';

/** The part of the JSON line that every answer has; what is not known is left out. */
export function factsJson(facts: ExchangeFacts | undefined): object {
  if (facts === undefined) return {};
  const { transport, family, redirects, retransmissions, connectRttMs, preference, raw } = facts;
  return {
    transport,
    family,
    redirects: redirects.length === 0 ? undefined : redirects,
    tls: tlsJson(facts),
    retransmissions,
    connectMs: connectRttMs === undefined ? undefined : roundMillis(connectRttMs),
    preference,
    raw: raw === undefined ? undefined : rawJson(raw),
  };
}

function tlsJson({ tls }: ExchangeFacts): object | undefined {
  if (tls === undefined) return undefined;
  const { protocol, cipher, issuer, validUntil } = tls;
  const until = validUntil === undefined ? undefined : formatIsoTime(Math.floor(validUntil / 1000));
  return { protocol, cipher, issuer, validUntil: until };
}

/** The JSON line of a tracker that failed. */
export function failureJson({ tracker, family, facts, error }: Failed): object {
  const { code, message } = error;
  const retryIn = error instanceof TrackerRefusal ? error.retryInSeconds : undefined;
  return { tracker, family, ...factsJson(facts), error: { code, message, retryIn } };
}

export type Failed = Extract<Shown<unknown>, { readonly error: unknown }>;

/** Lines of labels and values. */
export function factRows({ facts, at }: Shown<unknown>): readonly Row[] {
  if (facts === undefined) return [];
  const { connectRttMs, redirects, preference } = facts;
  return [
    ['connected', connectRttMs === undefined ? [] : [`in ${formatMillis(connectRttMs)}`]],
    ['redirected to', redirects],
    ['TLS', tlsWords(facts, at)],
    ['DNS', preference === undefined ? [] : [`${preference.record}: asked ${preference.asked}`]],
    ['sent again', resent(facts)],
  ];
}

/** The same in few words, for one line below a row of a table. */
export function notes({ facts, at }: Shown<unknown>): readonly string[] {
  if (facts === undefined) return [];
  const { redirects, preference } = facts;
  return [
    ...redirects.map((url) => `redirected to ${url}`),
    ...tlsWords(facts, at),
    ...(preference === undefined ? [] : [`DNS: ${preference.record}, asked ${preference.asked}`]),
    ...resent(facts).map((packets) => `${packets} sent again`),
  ];
}

function tlsWords({ tls }: ExchangeFacts, at: number): readonly string[] {
  if (tls === undefined) return [];
  const { protocol, cipher, issuer, validUntil } = tls;
  const by = issuer === undefined ? '' : ` of ${issuer}`;
  const valid =
    validUntil === undefined
      ? ''
      : `, certificate${by} for ${Math.floor((validUntil - at) / DAY_MS)} days`;
  return [`${protocol}${cipher === undefined ? '' : ` ${cipher}`}${valid}`];
}

function resent({ retransmissions = 0 }: ExchangeFacts): readonly string[] {
  if (retransmissions === 0) return [];
  return [retransmissions === 1 ? '1 packet' : `${retransmissions} packets`];
}

const DAY_MS = 86_400_000;
