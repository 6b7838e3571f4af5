/** Announces to and scrapes of WebSocket trackers, as far as they go without WebRTC. @module */

import { encodeUtf8, formatHex } from '../../base/bytes.ts';
import type { Endpoint } from '../../base/endpoint.ts';
import { NetworkError, ProtocolError } from '../../base/errors.ts';
import type { InfoHash } from '../../base/ids.ts';
import { ipFamily } from '../../base/ip.ts';
import type { WebSocketLink } from '../../runtime/ports.ts';
import { attempts } from '../attempts.ts';
import { guardScope } from '../guard.ts';
import {
  type AnnounceOptions,
  type AnnounceRequest,
  type AnnounceResponse,
  type ExchangeFacts,
  type ExchangeOptions,
  type ScrapeResponse,
  TrackerError,
  TrackerRefusal,
  type TrackerRuntime,
} from '../model.ts';
import { inTurns, scrapedFiles } from '../scraping.ts';
import { formatTrackerUrl, type TrackerUrl, trackerName } from '../url.ts';
import { withReason } from '../words.ts';
import { decodeMessage, encodeAnnounce, encodeScrape, type WebSocketMessage } from './codec.ts';

type Announced = Extract<WebSocketMessage, { type: 'announce' }>;
type Scraped = Extract<WebSocketMessage, { type: 'scrape' }>;

/**
 * Announces once. There are no peers in the answer: those of such trackers speak WebRTC.
 *
 * @throws {TrackerRefusal} the tracker says no; {TrackerError} its answer is broken;
 *   {TimeoutError} there is none; {NetworkError} no way to it, or it closed the connection.
 * @throws `signal.reason` when aborted.
 */
export async function announceWebSocket(
  runtime: TrackerRuntime,
  url: TrackerUrl,
  request: AnnounceRequest,
  options: AnnounceOptions,
): Promise<AnnounceResponse> {
  const hash = formatHex(request.infoHash.wire);
  const question: Question<Announced> = {
    text: encodeAnnounce(request, options.trackerId),
    about: new Set([hash]),
    accept: (message) =>
      message.type === 'announce' && message.infoHash === hash ? message : undefined,
  };
  const { answer, ...how } = await exchange(runtime, url, question, options);
  const { type: _, infoHash: __, ...said } = answer;
  return { ...said, peers: [], ...how };
}

/** Scrapes, {@link MAX_HASHES} torrents a message. @throws as {@link announceWebSocket} does. */
export async function scrapeWebSocket(
  runtime: TrackerRuntime,
  url: TrackerUrl,
  infoHashes: readonly InfoHash[],
  options: ExchangeOptions,
): Promise<ScrapeResponse> {
  const turns = { ...options, clock: runtime.clock, most: MAX_HASHES };
  return inTurns(infoHashes, turns, async (some, left) => {
    const question: Question<Scraped> = {
      text: encodeScrape(some),
      about: new Set(some.map(({ wire }) => formatHex(wire))),
      accept: (message) => (message.type === 'scrape' ? message : undefined),
    };
    const { answer, ...how } = await exchange(runtime, url, question, left);
    const { swarms, type: _, ...said } = answer;
    return { files: scrapedFiles(some, swarms), ...said, ...how };
  });
}

interface Question<Answer> {
  readonly text: string;
  /** The torrents asked for: a failure of others is not ours. */
  readonly about: ReadonlySet<string>;
  accept(message: WebSocketMessage): Answer | undefined;
}

interface Answered<Answer> {
  readonly answer: Answer;
  readonly remote: Endpoint;
  readonly rttMs: number;
  readonly exchange: ExchangeFacts;
}

async function exchange<Answer>(
  runtime: TrackerRuntime,
  url: TrackerUrl,
  question: Question<Answer>,
  options: ExchangeOptions,
): Promise<Answered<Answer>> {
  const { clock, webSockets } = runtime;
  const { family, keepRaw } = options;
  return attempts(clock, url, options, async (signal) => {
    await guardScope(runtime, url, undefined, { ...options, signal });
    const started = clock.now();
    await using link = await webSockets.connect(formatTrackerUrl(url), {
      signal,
      maxBytes: MAX_MESSAGE_LENGTH,
      ...(family === undefined ? {} : { family }),
    });
    const sentAt = clock.now();
    const raw = { sent: [encodeUtf8(question.text)], received: new Array<Uint8Array>() };
    const facts: ExchangeFacts = {
      transport: url.scheme,
      family: ipFamily(link.remote.host) ?? 4,
      redirects: [],
      connectRttMs: sentAt - started,
      ...(link.tls === undefined ? {} : { tls: link.tls }),
      ...(keepRaw === true ? { raw } : {}),
    };
    const answer = await converse(link, question, {
      signal,
      name: trackerName(url),
      facts,
      onText: (text) => {
        if (keepRaw === true) raw.received.push(encodeUtf8(text));
      },
    });
    return { answer, remote: link.remote, rttMs: clock.now() - sentAt, exchange: facts };
  });
}

/** Sends the question and waits for its answer. */
async function converse<Answer>(
  link: WebSocketLink,
  question: Question<Answer>,
  options: {
    readonly signal: AbortSignal;
    readonly name: string;
    readonly facts: ExchangeFacts;
    readonly onText: (text: string) => void;
  },
): Promise<Answer> {
  const { signal, name } = options;
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  link.open({
    message(text) {
      options.onText(text);
      try {
        const answer = read(text, question, options);
        if (answer !== undefined) resolve(answer);
      } catch (error) {
        reject(error);
      }
    },
    closed: (error) =>
      reject(
        error ??
          new NetworkError(`${name} closed the connection without an answer`, {
            code: 'BIP_RESET',
          }),
      ),
  });
  link.send(question.text);
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** `undefined` for what is not for us. */
function read<Answer>(
  text: string,
  question: Question<Answer>,
  { name, facts }: { readonly name: string; readonly facts: ExchangeFacts },
): Answer | undefined {
  let message: WebSocketMessage;
  try {
    message = decodeMessage(text);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new TrackerError(`${name} sent a broken answer: ${error.message}`, {
      code: 'BIP_TRACKER_ANSWER',
      exchange: facts,
      cause: error,
    });
  }
  if (message.type !== 'failure') return question.accept(message);
  const { reason, infoHash } = message;
  if (infoHash !== undefined && !question.about.has(infoHash)) return undefined;
  const details = { reason, exchange: facts };
  throw new TrackerRefusal(`${name} refused ${withReason(reason)}`, details);
}

/** Room for the answer to {@link MAX_HASHES} torrents and for the offers of others. */
const MAX_MESSAGE_LENGTH = 262_144;
const MAX_HASHES = 50;
