/** A .torrent by its URL. @module */

import { decodeUtf8Lossy } from '../../src/base/bytes.ts';
import { NetworkError, RemoteError, TimeoutError } from '../../src/base/errors.ts';
import { MAX_REMOTE_TORRENT_BYTES } from '../../src/metainfo/index.ts';
import type { HttpResponse, Runtime } from '../../src/runtime/ports.ts';
import { withDeadline } from './deadline.ts';
import { printable } from './printable.ts';
import { maskSecrets } from './secrets.ts';

const MAX_REDIRECTS = 5;

/** For each answer; a .torrent is small. */
const TIMEOUT_MS = 30_000;

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * The bytes at `url`, redirects followed; a redirect to a magnet link ends with that link.
 *
 * @throws {RemoteError} for any status but 200.
 * @throws {NetworkError} for a server that cannot be reached, and for more than 5 redirects.
 * @throws {TimeoutError} when an answer takes longer than 30 seconds.
 */
export async function fetchTorrent(
  runtime: Pick<Runtime, 'http' | 'clock'>,
  url: string,
  { signal }: { readonly signal: AbortSignal },
): Promise<{ readonly bytes: Uint8Array } | { readonly magnet: string }> {
  let next = url;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const response = await get(runtime, next, signal);
    if (response.status === 200) return { bytes: response.body };
    const target = REDIRECTS.has(response.status) ? response.headers['location'] : undefined;
    if (target === undefined) throw refused(next, response);
    if (/^magnet:/i.test(target)) return { magnet: target };
    if (!URL.canParse(target, next)) throw refused(next, response);
    next = new URL(target, next).href;
    if (!/^https?:/i.test(next)) {
      throw new RemoteError(`${maskSecrets(url)} leads to ${show(next)}, which bip does not fetch`);
    }
  }
  throw new NetworkError(`${maskSecrets(url)} redirects more than ${MAX_REDIRECTS} times`, {
    code: 'BIP_HTTP_REDIRECTS',
  });
}

function get(
  { http, clock }: Pick<Runtime, 'http' | 'clock'>,
  url: string,
  signal: AbortSignal,
): Promise<HttpResponse> {
  const late = (): Error =>
    new TimeoutError(
      `${maskSecrets(url)} gave no answer for ${TIMEOUT_MS / 1000} seconds`,
      TIMEOUT_MS,
    );
  return withDeadline(clock, { ms: TIMEOUT_MS, signal, late }, (inner) =>
    http.get({ url, maxBytes: MAX_REMOTE_TORRENT_BYTES }, { signal: inner }),
  );
}

function refused(url: string, { status, body }: HttpResponse): RemoteError {
  const [line = ''] = decodeUtf8Lossy(body.subarray(0, 200)).trim().split('\n');
  const said = line === '' || line.startsWith('<') ? '' : `: ${printable(line)}`;
  return new RemoteError(`${maskSecrets(url)} answers with HTTP status ${status}${said}`, {
    code: 'BIP_HTTP_STATUS',
  });
}

function show(url: string): string {
  return printable(maskSecrets(url).slice(0, 200));
}
