/** One question to an HTTP tracker: attempts, redirects with their guards, statuses. @module */

import { base64 } from '../../base/base64.ts';
import { decodeUtf8Lossy, encodeUtf8 } from '../../base/bytes.ts';
import type { Endpoint } from '../../base/endpoint.ts';
import { ProtocolError } from '../../base/errors.ts';
import { ipFamily } from '../../base/ip.ts';
import type { HttpResponse } from '../../runtime/ports.ts';
import { attempts } from '../attempts.ts';
import { guardScope } from '../guard.ts';
import {
  type ExchangeFacts,
  type ExchangeOptions,
  TrackerError,
  TrackerRefusal,
  type TrackerRuntime,
} from '../model.ts';
import {
  formatTrackerUrl,
  repeatsQuery,
  resolveRedirect,
  type TrackerUrl,
  trackerName,
} from '../url.ts';
import { oneLine, withReason } from '../words.ts';
import type { HttpFailure } from './codec.ts';

/** What is asked. */
export interface HttpQuestion<Answer> {
  /** Path and query with our parameters, made of the tracker's own. */
  encode(target: string): string;
  /** @throws {ProtocolError} when it is no answer to this. */
  decode(body: Uint8Array): HttpFailure | Answer;
}

export interface HttpAnswered<Answer> {
  readonly answer: Answer;
  readonly remote: Endpoint;
  readonly rttMs: number;
  readonly exchange: ExchangeFacts;
}

/**
 * Asks once, or again up to `retries` times while nobody answers.
 *
 * @throws {TrackerRefusal} the tracker says no; {TrackerError} its status or answer is broken, or it
 *   redirects to where it must not; {TimeoutError} there is none; {NetworkError} no way to it.
 * @throws `signal.reason` when aborted.
 */
export async function exchangeHttp<Answer extends { readonly type: 'announce' | 'scrape' }>(
  runtime: TrackerRuntime,
  url: TrackerUrl,
  question: HttpQuestion<Answer>,
  options: ExchangeOptions,
): Promise<HttpAnswered<Answer>> {
  return attempts(runtime.clock, url, options, (inTime) =>
    attemptOnce(runtime, url, question, { ...options, signal: inTime }),
  );
}

/** What is noted on the way. */
interface Trail {
  readonly redirects: string[];
  readonly sent: Uint8Array[];
  readonly received: Uint8Array[];
}

async function attemptOnce<Answer extends { readonly type: 'announce' | 'scrape' }>(
  runtime: TrackerRuntime,
  url: TrackerUrl,
  question: HttpQuestion<Answer>,
  options: ExchangeOptions,
): Promise<HttpAnswered<Answer>> {
  const trail: Trail = { redirects: [], sent: [], received: [] };
  const ask = (at: TrackerUrl): TrackerUrl => ({ ...at, target: question.encode(at.target) });
  const { response, at } = await follow(runtime, ask(url), { ...options, ask, trail });
  const exchange = factsOf(response, at, { ...options, trail });
  const answer = read(response, { name: trackerName(url), question, exchange });
  return { answer, remote: response.remote, rttMs: response.timing.answerMs, exchange };
}

/** One GET and the redirects after it; `ask` adds our query to a URL. */
async function follow(
  runtime: TrackerRuntime,
  asked: TrackerUrl,
  options: ExchangeOptions & {
    readonly ask: (at: TrackerUrl) => TrackerUrl;
    readonly trail: Trail;
  },
): Promise<{ response: HttpResponse; at: TrackerUrl }> {
  const { trail } = options;
  let url = asked;
  let from: Endpoint | undefined;
  for (;;) {
    await guardScope(runtime, url, from, options);
    if (options.keepRaw === true) trail.sent.push(encodeUtf8(url.target));
    const response = await runtime.http.get(
      {
        url: formatTrackerUrl(url),
        headers: headersFor(url),
        maxBytes: MAX_BODY_LENGTH,
        ...(options.family === undefined ? {} : { family: options.family }),
      },
      { signal: options.signal },
    );
    if (options.keepRaw === true) trail.received.push(response.body);
    const location = response.headers['location'];
    if (!REDIRECTS.has(response.status) || location === undefined) {
      return { response, at: url };
    }
    const facts = factsOf(response, url, options);
    if (trail.redirects.length === MAX_REDIRECTS) {
      throw redirected(url, `${MAX_REDIRECTS} times and then once more`, facts);
    }
    const next = redirect(location, url, facts);
    trail.redirects.push(withoutQuery(next));
    // A tracker that moved often forgets our query: ask again at the new place.
    url = repeatsQuery(next) ? next : options.ask(next);
    from = response.remote;
  }
}

function redirect(location: string, from: TrackerUrl, facts: ExchangeFacts): TrackerUrl {
  try {
    return resolveRedirect(location, from);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw redirected(from, `to where bip does not follow: ${error.message}`, facts, error);
  }
}

function factsOf(
  { remote, tls, timing }: HttpResponse,
  at: TrackerUrl,
  { keepRaw, trail }: ExchangeOptions & { readonly trail: Trail },
): ExchangeFacts {
  const { connectMs } = timing;
  return {
    transport: at.scheme,
    family: ipFamily(remote.host) ?? 4,
    redirects: [...trail.redirects],
    ...(connectMs === undefined ? {} : { connectRttMs: connectMs }),
    ...(tls === undefined ? {} : { tls }),
    ...(keepRaw === true ? { raw: { sent: trail.sent, received: trail.received } } : {}),
  };
}

function withoutQuery(url: TrackerUrl): string {
  return formatTrackerUrl({ ...url, target: url.target.split('?', 1)[0] ?? '' });
}

function headersFor(url: TrackerUrl): Record<string, string> {
  const headers: Record<string, string> = { 'user-agent': USER_AGENT };
  if (url.credentials !== undefined) {
    headers['authorization'] = `Basic ${base64(encodeUtf8(url.credentials))}`;
  }
  return headers;
}

/** The answer in a response; a body with a reason counts whatever the status. */
function read<Answer extends { readonly type: 'announce' | 'scrape' }>(
  { status, body }: HttpResponse,
  about: {
    readonly name: string;
    readonly question: HttpQuestion<Answer>;
    readonly exchange: ExchangeFacts;
  },
): Answer {
  const { name, question, exchange } = about;
  const ok = status >= 200 && status < 300;
  let answer: HttpFailure | Answer;
  try {
    answer = question.decode(body);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw ok ? notAnAnswer(about, body, error) : badStatus(about, status, body);
  }
  if (answer.type === 'failure') {
    const { reason, retryInSeconds } = answer;
    const details = { reason, retryInSeconds, exchange };
    throw new TrackerRefusal(`${name} refused ${withReason(reason)}`, details);
  }
  if (ok) return answer;
  throw badStatus(about, status, body);
}

interface About {
  readonly name: string;
  readonly exchange: ExchangeFacts;
}

function redirected(
  from: TrackerUrl,
  how: string,
  exchange: ExchangeFacts,
  cause?: unknown,
): TrackerError {
  return new TrackerError(`${trackerName(from)} redirected ${how}`, {
    code: 'BIP_TRACKER_REDIRECT',
    exchange,
    cause,
  });
}

function badStatus({ name, exchange }: About, status: number, body: Uint8Array): TrackerError {
  return new TrackerError(`${name} answered with the HTTP status ${status}${excerpt(body)}`, {
    code: 'BIP_TRACKER_STATUS',
    exchange,
  });
}

function notAnAnswer(
  { name, exchange }: About,
  body: Uint8Array,
  cause: ProtocolError,
): TrackerError {
  const what = body.length === 0 ? 'with nothing' : `with something that is no tracker's answer`;
  return new TrackerError(`${name} answered ${what} (${cause.message})${excerpt(body)}`, {
    code: 'BIP_TRACKER_ANSWER',
    exchange,
    cause,
  });
}

/** The beginning of a text, on one line and without markup; nothing of what is no text. */
function excerpt(body: Uint8Array): string {
  const text = decodeUtf8Lossy(body.subarray(0, 4096)).replace(/\uFFFD$/, '');
  if (text.includes('\uFFFD')) return '';
  const words = text
    .replace(/<(?:style|script)[\s\S]*?(?:<\/(?:style|script)>|$)/gi, ' ')
    .replace(/<[^>]*>/g, ' ');
  const line = oneLine(words, EXCERPT_LENGTH);
  return line === '' ? '' : `: ${line}`;
}

/** As libtorrent's `tracker_maximum_response_length`. */
const MAX_BODY_LENGTH = 1_048_576;
const MAX_REDIRECTS = 5;
const EXCERPT_LENGTH = 120;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const USER_AGENT = 'bip';
