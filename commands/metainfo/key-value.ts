/**
 * The values of flags that say what is in a torrent, for all commands that write one: keys and JSON,
 * dates, trackers, seeds, nodes. Each parser names the flag in its complaints.
 *
 * @module
 */

import { decodeName } from '../../src/base/bytes.ts';
import { type Endpoint, parseEndpoint } from '../../src/base/endpoint.ts';
import { ProtocolError, UsageError } from '../../src/base/errors.ts';
import { type BencodeInput, parseJson, parseKey, splitPath } from '../../src/bencode/index.ts';
import type { Context } from '../cli/context.ts';
import { inputName, readInput } from '../cli/input.ts';
import { printable } from '../cli/printable.ts';
import { maskSecrets } from '../cli/secrets.ts';
import { suggestion } from '../cli/suggest.ts';
import { LAST_SECOND, parseIsoTime } from './iso-time.ts';

/** A place in a torrent and what is to stand there. */
export interface KeyValue {
  /** Keys from the top, by `decodeName`: `['info', 'source']`. */
  readonly path: readonly string[];
  /** `undefined`: nothing. */
  readonly value: BencodeInput | undefined;
}

/** Keys one in the other; no torrent nests deeper. */
const MAX_KEYS = 100;
/** Whoever writes more by hand has a mistake in it. */
const MAX_MERGE_BYTES: number = 16 * 2 ** 20;

/**
 * `KEY=JSON`: keys joined by dots as in `bip bencode decode --path`, with a backslash before an
 * equals sign that belongs to a key; JSON as in `bip bencode encode`.
 *
 * @throws {UsageError} for anything else.
 */
export function parseSet(
  text: string,
  flag = '--set',
): KeyValue & { readonly value: BencodeInput } {
  const [key] = /^(?:\\.|[^\\=])*/s.exec(text) ?? [''];
  if (text[key.length] !== '=') {
    throw new UsageError(
      `${flag}: \`${printable(text)}\` has no \`=\`; write KEY=JSON, e.g. publisher="me" or info.x=1`,
    );
  }
  const path = parseKeyPath(key, flag);
  const json = text.slice(key.length + 1);
  try {
    return { path, value: parseJson(json) };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    const hint = /^[^"[{]/.test(json) ? `; text needs quotes: '${key}="…"'` : '';
    throw new UsageError(
      `${flag}: the value of \`${printable(key)}\` is no bencode as JSON: ${error.message}${hint}`,
      { cause: error },
    );
  }
}

/**
 * Keys joined by dots.
 *
 * @throws {UsageError} when one of them is empty or means nothing.
 */
export function parseKeyPath(text: string, flag = '--unset'): readonly string[] {
  const steps = splitPath(text);
  if (steps.length > MAX_KEYS) {
    throw new UsageError(
      `${flag}: ${steps.length} keys one in the other; ${MAX_KEYS} are possible`,
    );
  }
  if (steps.length === 0 || steps.includes('')) {
    throw new UsageError(
      `${flag}: \`${printable(text)}\` has an empty key; write \`$hex:\` if it is meant`,
    );
  }
  return steps.map((step) => {
    const key = parseKey(step);
    if (key !== undefined) return typeof key === 'string' ? key : decodeName(key);
    throw new UsageError(
      `${flag}: \`${printable(step)}\` is no key; write \`$$\` for a real \`$\`, or \`$hex:…\``,
    );
  });
}

/**
 * The keys of a file of JSON (RFC 7396): objects are merged key by key, `null` deletes, all else
 * replaces. An empty object is an empty dictionary.
 *
 * @throws {ProtocolError} `BIP_JSON` for a file that is not such JSON.
 * @throws {StorageError} for one that cannot be read.
 */
export async function readMerge(context: Context, file: string): Promise<readonly KeyValue[]> {
  const bytes = await readInput(context, file, { maxBytes: MAX_MERGE_BYTES });
  try {
    const nothing = new Uint8Array();
    const document = parseJson(bytes, { nullAs: nothing });
    if (!isDictionary(document)) throw noMerge('an object is needed at the top, as in {"key": 1}');
    return [...flatten(document, [], nothing)];
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw noMerge(`${printable(inputName(file))}: ${error.message}`, error);
  }
}

type Dictionary = ReadonlyMap<string | Uint8Array, BencodeInput>;

function isDictionary(value: BencodeInput): value is Dictionary {
  return value instanceof Map;
}

function isList(value: BencodeInput): value is readonly BencodeInput[] {
  return Array.isArray(value);
}

function* flatten(
  dictionary: Dictionary,
  above: readonly string[],
  nothing: Uint8Array,
): Iterable<KeyValue> {
  if (above.length >= MAX_KEYS) throw noMerge(`more than ${MAX_KEYS} objects one in the other`);
  for (const [key, value] of dictionary) {
    const path = [...above, typeof key === 'string' ? key : decodeName(key)];
    if (value === nothing) yield { path, value: undefined };
    else if (isDictionary(value) && value.size > 0) yield* flatten(value, path, nothing);
    else {
      refuseNested(value, nothing);
      yield { path, value };
    }
  }
}

/** There is nothing that `null` in a list could delete. */
function refuseNested(value: BencodeInput, nothing: Uint8Array): void {
  const left = [value];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    if (next === nothing) throw noMerge('`null` deletes keys, and stands in a list here');
    if (isList(next)) left.push(...next);
    else if (isDictionary(next)) left.push(...next.values());
  }
}

function noMerge(message: string, cause?: ProtocolError): ProtocolError {
  return new ProtocolError(message, { rule: 'JSON to merge', code: 'BIP_JSON', cause });
}

/**
 * Seconds since 1970 of `now`, a whole number of seconds, or ISO 8601 (UTC unless it says else).
 *
 * @param nowMillis what the calendar says
 * @throws {UsageError} for anything else, times before 1970 and after the year 9999.
 */
export function parseDate(text: string, nowMillis: number, flag = '--date'): number {
  if (text === 'now') return Math.floor(nowMillis / 1000);
  const seconds = /^\d+$/.test(text) ? Number(text) : parseIsoTime(text);
  if (seconds !== undefined && seconds >= 0 && seconds <= LAST_SECOND) return seconds;
  throw new UsageError(
    `${flag}: \`${printable(text)}\` is no time; write it like 2026-01-31, 2026-01-31T12:00:00Z, 1769860800 or now`,
  );
}

const TRACKERS: UrlKind = { what: 'tracker', schemes: ['http', 'https', 'udp', 'ws', 'wss'] };
const SOURCES: UrlKind = { what: 'web server', schemes: ['http', 'https'] };
const WEB_SEEDS: UrlKind = { what: 'web seed', schemes: ['http', 'https', 'ftp'] };

/**
 * Trackers that stand in for each other (BEP 12), separated by commas; each once.
 *
 * @throws {UsageError} for what is no URL of a tracker.
 */
export function parseTier(text: string, flag = '--tracker'): readonly string[] {
  return [...new Set(text.split(',').map((url) => parseTracker(url, flag)))];
}

/** @throws {UsageError} for what is no URL of one tracker. */
export function parseTracker(text: string, flag = '--tracker'): string {
  const url = parseUrl(text, TRACKERS, flag);
  if (/^udp:/i.test(url) && new URL(url).port === '') {
    throw noUrl(text, flag, 'has no port, and UDP trackers have no usual one');
  }
  return url;
}

/**
 * The URL of a web seed (BEP 19) or HTTP seed (BEP 17).
 *
 * @throws {UsageError} for anything else.
 */
export function parseWebSeed(text: string, flag = '--web-seed'): string {
  return parseUrl(text, WEB_SEEDS, flag);
}

/**
 * The URL of a .torrent.
 *
 * @throws {UsageError} for anything else.
 */
export function parseSourceUrl(text: string, flag = '--source-url'): string {
  return parseUrl(text, SOURCES, flag);
}

/**
 * A DHT node; its host may be a name.
 *
 * @throws {UsageError} for what is not `HOST:PORT`.
 */
export function parseNode(text: string, flag = '--node'): Endpoint {
  const endpoint = parseEndpoint(text);
  if (endpoint !== undefined) return endpoint;
  throw new UsageError(
    `${flag}: \`${printable(text)}\` is no HOST:PORT; write it like router.example:6881 or [2001:db8::1]:6881`,
  );
}

interface UrlKind {
  readonly what: string;
  readonly schemes: readonly string[];
}

function parseUrl(text: string, kind: UrlKind, flag: string): string {
  if (text === '') throw new UsageError(`${flag}: the URL of a ${kind.what} is empty`);
  const why = oddityOf(text) ?? wrongScheme(text, kind) ?? missingHost(text);
  if (why === undefined) return text;
  throw noUrl(text, flag, why);
}

function oddityOf(text: string): string | undefined {
  if (/[\s\p{Cc}]/u.test(text)) return 'has white space in it';
  return /^[!-~]+$/.test(text)
    ? undefined
    : 'has letters that only look like ASCII or have to be escaped (xn--, %)';
}

function wrongScheme(text: string, { what, schemes }: UrlKind): string | undefined {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme !== undefined && schemes.includes(scheme)) return undefined;
  const hint = scheme === undefined ? '' : suggestion(scheme, schemes);
  const usual = schemes.map((known) => `${known}://`).join(', ');
  return `is no ${what}: its URL begins with one of ${usual}${hint}`;
}

function missingHost(text: string): string | undefined {
  const hasHost = /^[^:]+:\/\/[^/?#]/.test(text) && URL.canParse(text);
  return hasHost && new URL(text).hostname !== ''
    ? undefined
    : 'has no host that anybody could look up';
}

function noUrl(text: string, flag: string, why: string): UsageError {
  return new UsageError(`${flag}: \`${maskSecrets(printable(text))}\` ${why}`);
}
