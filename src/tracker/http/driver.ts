/** HTTP trackers: redirects with their guards, statuses, answers (BEP 3). @module */

import { decodeUtf8Lossy, encodeUtf8 } from '../../base/bytes.ts';
import type { Endpoint } from '../../base/endpoint.ts';
import {
  BipError,
  NetworkError,
  ProtocolError,
  RemoteError,
  TimeoutError,
} from '../../base/errors.ts';
import { ipFamily } from '../../base/ip.ts';
import { ipScope } from '../../base/ip-scope.ts';
import type { HttpResponse } from '../../runtime/ports.ts';
import { bounded, pause } from '../abort.ts';
import {
  type AnnounceOptions,
  type AnnounceRequest,
  type AnnounceResponse,
  HTTP_TIMEOUT_MS,
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
import { base64 } from './base64.ts';
import { decodeAnnounce, encodeAnnounce, type HttpAnswer } from './codec.ts';

/**
 * Announces once, or again up to `retries` times while nobody answers.
 *
 * @throws {TrackerRefusal} the tracker says no; {RemoteError} its status or answer is broken, or it
 *   redirects to where it must not; {TimeoutError} there is none; {NetworkError} no way to it.
 * @throws `signal.reason` when aborted.
 */
export async function announceHttp(
  runtime: TrackerRuntime,
  url: TrackerUrl,
  request: AnnounceRequest,
  options: AnnounceOptions,
): Promise<AnnounceResponse> {
  const { clock } = runtime;
  const { timeoutMs, retries = 0, signal } = options;
  const started = clock.now();
  for (let attempt = 0; ; attempt++) {
    // Attempts share what is left of the caller's limit.
    const ms =
      timeoutMs === undefined
        ? HTTP_TIMEOUT_MS
        : Math.max(timeoutMs - (clock.now() - started), 0) / (retries + 1 - attempt);
    const error = (): Error => noAnswer(url, clock.now() - started);
    try {
      return await bounded({ signal, clock, limit: { ms, error } }, (inTime) =>
        attemptOnce(runtime, url, request, { ...options, signal: inTime }),
      );
    } catch (failure) {
      const refused = failure instanceof NetworkError;
      if (attempt >= retries || !(refused || failure instanceof TimeoutError)) {
        throw withoutPath(failure, url);
      }
      const left = (timeoutMs ?? Number.POSITIVE_INFINITY) - (clock.now() - started);
      if (refused) await pause(clock, Math.min(RETRY_PAUSE, left / 2), signal);
    }
  }
}

async function attemptOnce(
  runtime: TrackerRuntime,
  url: TrackerUrl,
  request: AnnounceRequest,
  options: AnnounceOptions,
): Promise<AnnounceResponse> {
  const ask = (at: TrackerUrl): TrackerUrl => ({
    ...at,
    target: encodeAnnounce(at.target, request, options.trackerId),
  });
  const { response, rttMs } = await follow(runtime, ask(url), { ...options, ask });
  const answer = read(response, trackerName(url));
  const { type: _, peers, ...said } = answer;
  return {
    ...said,
    peers: await resolvePeers(runtime, peers, options.signal),
    remote: response.remote,
    rttMs,
  };
}

/** One GET and the redirects after it; `ask` adds our query to a URL. */
async function follow(
  runtime: TrackerRuntime,
  asked: TrackerUrl,
  options: AnnounceOptions & { readonly ask: (at: TrackerUrl) => TrackerUrl },
): Promise<{ response: HttpResponse; rttMs: number }> {
  let url = asked;
  let from: Endpoint | undefined;
  for (let redirects = 0; ; redirects++) {
    await guardScope(runtime, url, from, options);
    const sentAt = runtime.clock.now();
    const response = await runtime.http.get(
      {
        url: formatTrackerUrl(url),
        headers: headersFor(url),
        maxBytes: MAX_BODY_LENGTH,
        ...(options.family === undefined ? {} : { family: options.family }),
      },
      { signal: options.signal },
    );
    const location = response.headers['location'];
    if (!REDIRECTS.has(response.status) || location === undefined) {
      return { response, rttMs: runtime.clock.now() - sentAt };
    }
    if (redirects === MAX_REDIRECTS) {
      throw redirected(url, `${MAX_REDIRECTS} times and then once more`);
    }
    const next = redirect(location, url);
    // A tracker that moved often forgets our query: ask again at the new place.
    url = repeatsQuery(next) ? next : options.ask(next);
    from = response.remote;
  }
}

function redirect(location: string, from: TrackerUrl): TrackerUrl {
  try {
    return resolveRedirect(location, from);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw redirected(from, `to where bip does not follow: ${error.message}`, error);
  }
}

/**
 * A torrent must not make us ask services of this machine or of our network (libtorrent's
 * `ssrf_mitigation`): on loopback only paths that begin with `/announce`, and never by a redirect
 * from the internet.
 */
async function guardScope(
  runtime: TrackerRuntime,
  url: TrackerUrl,
  redirectedBy: Endpoint | undefined,
  options: AnnounceOptions,
): Promise<void> {
  const fromGlobal = redirectedBy !== undefined && ipScope(redirectedBy.host) === 'global';
  const checksPath = options.trusted !== true && !url.target.startsWith('/announce');
  if (!fromGlobal && !checksPath) return;
  const { signal, family } = options;
  const addresses = await runtime.lookup.addresses(url.host, {
    signal,
    ...(family === undefined ? {} : { family }),
  });
  const scopes = addresses.map(ipScope);
  if (fromGlobal && scopes.some((scope) => scope !== 'global')) {
    throw new RemoteError(
      `a tracker on the internet redirected to ${trackerName(url)}, an address of the local network; bip does not follow`,
      { code: 'BIP_TRACKER_REDIRECT' },
    );
  }
  if (checksPath && scopes.includes('loopback')) {
    throw new RemoteError(
      `${trackerName(url)} is this machine and the path does not begin with /announce; name the URL yourself if it is a tracker`,
      { code: 'BIP_TRACKER_LOCAL' },
    );
  }
}

function headersFor(url: TrackerUrl): Record<string, string> {
  const headers: Record<string, string> = { 'user-agent': USER_AGENT };
  if (url.credentials !== undefined) {
    headers['authorization'] = `Basic ${base64(encodeUtf8(url.credentials))}`;
  }
  return headers;
}

/** The answer in a response; a body with a reason counts whatever the status. */
function read(
  { status, body }: HttpResponse,
  name: string,
): Extract<HttpAnswer, { type: 'announce' }> {
  const ok = status >= 200 && status < 300;
  let answer: HttpAnswer;
  try {
    answer = decodeAnnounce(body);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw ok ? notAnAnswer(name, body, error) : badStatus(name, status, body);
  }
  if (answer.type === 'announce') {
    if (ok) return answer;
    throw badStatus(name, status, body);
  }
  const { reason, retryInSeconds } = answer;
  throw new TrackerRefusal(`${name} refused ${withReason(reason)}`, {
    reason,
    retryInSeconds,
  });
}

/** Names in old dictionary answers, looked up; what has no address is left out. */
async function resolvePeers(
  runtime: TrackerRuntime,
  peers: readonly Endpoint[],
  signal: AbortSignal,
): Promise<readonly Endpoint[]> {
  const named = peers.filter(({ host }) => ipFamily(host) === undefined);
  if (named.length === 0) return peers;
  const resolved = await Promise.all(
    named.slice(0, MAX_NAMED_PEERS).map(async ({ host, port }): Promise<Endpoint[]> => {
      try {
        const [address] = await runtime.lookup.addresses(host, { signal });
        return address === undefined ? [] : [{ host: address, port }];
      } catch (error) {
        if (signal.aborted || !(error instanceof BipError)) throw error;
        return [];
      }
    }),
  );
  return [...peers.filter(({ host }) => ipFamily(host) !== undefined), ...resolved.flat()];
}

/** The Http port names the path, which may hold a passkey. */
function withoutPath(failure: unknown, url: TrackerUrl): unknown {
  const [path = ''] = url.target.split('?', 1);
  if (!(failure instanceof NetworkError) || path.length < 2) return failure;
  return new NetworkError(failure.message.replaceAll(path, ''), {
    code: failure.code,
    cause: failure,
  });
}

function noAnswer(url: TrackerUrl, waitedMs: number): TimeoutError {
  const seconds = Number((waitedMs / 1000).toFixed(1));
  return new TimeoutError(`${trackerName(url)} did not answer within ${seconds} s`, waitedMs, {
    code: 'BIP_TRACKER_TIMEOUT',
  });
}

function redirected(from: TrackerUrl, how: string, cause?: unknown): RemoteError {
  return new RemoteError(`${trackerName(from)} redirected ${how}`, {
    code: 'BIP_TRACKER_REDIRECT',
    cause,
  });
}

function badStatus(name: string, status: number, body: Uint8Array): RemoteError {
  return new RemoteError(`${name} answered with the HTTP status ${status}${excerpt(body)}`, {
    code: 'BIP_TRACKER_STATUS',
  });
}

function notAnAnswer(name: string, body: Uint8Array, cause: ProtocolError): RemoteError {
  const what = body.length === 0 ? 'with nothing' : `with something that is no tracker's answer`;
  return new RemoteError(`${name} answered ${what} (${cause.message})${excerpt(body)}`, {
    code: 'BIP_TRACKER_ANSWER',
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
/** Milliseconds: who refuses connections needs a moment to come back. */
const RETRY_PAUSE = 1000;
const MAX_NAMED_PEERS = 30;
const EXCERPT_LENGTH = 120;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const USER_AGENT = 'bip';
