/** What scrapes of every transport have in common. @module */

import { formatHex } from '../base/bytes.ts';
import { invariant } from '../base/errors.ts';
import type { InfoHash } from '../base/ids.ts';
import type { Clock } from '../runtime/ports.ts';
import type { ExchangeFacts, ExchangeOptions, ScrapedFile, ScrapeResponse } from './model.ts';

/** What a tracker counts of one torrent. */
export type SwarmFigures = Omit<ScrapedFile, 'infoHash'>;

/** The torrents asked for that `swarms` (by the hex of 20 bytes) knows, in the order asked for. */
export function scrapedFiles(
  infoHashes: readonly InfoHash[],
  swarms: ReadonlyMap<string, SwarmFigures>,
): ScrapedFile[] {
  return infoHashes.flatMap((infoHash) => {
    const figures = swarms.get(formatHex(infoHash.wire));
    return figures === undefined ? [] : [{ infoHash, ...figures }];
  });
}

/** The hex of 20 bytes that stand in a text as Latin-1; `undefined` for other texts. */
export function latin1Hash(text: string): string | undefined {
  return /^[\0-\xff]{20}$/.test(text)
    ? formatHex(Uint8Array.from(text, (character) => character.charCodeAt(0)))
    : undefined;
}

/**
 * Asks for `most` torrents at a time, one request after the other within the limit of time, and joins
 * the answers.
 */
export async function inTurns(
  infoHashes: readonly InfoHash[],
  options: ExchangeOptions & { readonly clock: Clock; readonly most: number },
  ask: (some: readonly InfoHash[], left: ExchangeOptions) => Promise<ScrapeResponse>,
): Promise<ScrapeResponse> {
  invariant(infoHashes.length > 0, 'a scrape is for a torrent');
  const { clock, most, ...rest } = options;
  const { timeoutMs } = rest;
  const started = clock.now();
  let all: ScrapeResponse | undefined;
  for (let at = 0; at < infoHashes.length || all === undefined; at += most) {
    const left = timeoutMs === undefined ? undefined : timeoutMs - (clock.now() - started);
    const next = await ask(infoHashes.slice(at, at + most), {
      ...rest,
      ...(left === undefined ? {} : { timeoutMs: Math.max(left, 0) }),
    });
    all = all === undefined ? next : joined(all, next);
  }
  return all;
}

function joined(before: ScrapeResponse, next: ScrapeResponse): ScrapeResponse {
  return {
    ...next,
    files: [...before.files, ...next.files],
    exchange: joinedFacts(before.exchange, next.exchange),
  };
}

function joinedFacts(before: ExchangeFacts, next: ExchangeFacts): ExchangeFacts {
  const { connectRttMs } = before;
  const sum = (before.retransmissions ?? 0) + (next.retransmissions ?? 0);
  return {
    ...next,
    ...(connectRttMs === undefined ? {} : { connectRttMs }),
    ...(next.retransmissions === undefined ? {} : { retransmissions: sum }),
    ...(before.raw === undefined || next.raw === undefined
      ? {}
      : {
          raw: {
            sent: [...before.raw.sent, ...next.raw.sent],
            received: [...before.raw.received, ...next.raw.received],
          },
        }),
  };
}
