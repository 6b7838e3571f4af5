/** Which trackers are to be asked about which torrents: arguments, torrents, lists. @module */

import { decodeUtf8Lossy } from '../../src/base/bytes.ts';
import { ProtocolError, UsageError } from '../../src/base/errors.ts';
import type { InfoHash } from '../../src/base/ids.ts';
import { parseTrackerUrl } from '../../src/tracker/index.ts';
import type { Context } from '../cli/context.ts';
import { inputName, readInput } from '../cli/input.ts';
import { printable } from '../cli/printable.ts';
import { maskSecrets } from '../cli/secrets.ts';
import { loadTorrent, type TorrentSource } from '../cli/torrent-argument.ts';

/** A tracker and what it is to be asked about. */
export interface Target {
  readonly tracker: string;
  /** The user named it; a torrent or a list may come from anybody. */
  readonly typed: boolean;
  readonly torrents: readonly NamedTorrent[];
}

/** A torrent as far as trackers are concerned. */
export interface NamedTorrent {
  /** Of a hybrid the v1 one, as other clients announce it. */
  readonly infoHash: InfoHash;
  readonly name?: string | undefined;
  /** Content in bytes, when known. */
  readonly length?: number | undefined;
  readonly trackers: readonly string[];
}

export interface SourceOptions {
  /** The file of `--from`. */
  readonly from: string | undefined;
  /** How many torrents the command takes. */
  readonly torrents: 'one' | 'many';
}

/**
 * Trackers in the order they are named, each once. URLs and the list of `--from` come instead of the
 * torrents' own trackers, each of which hears of its own torrents only.
 *
 * @throws {UsageError} for URLs that cannot be used, and when there is no torrent or no tracker.
 * @throws {ProtocolError} for a list that is none; and what {@link loadTorrent} throws.
 */
export async function findTargets(
  context: Context,
  args: readonly string[],
  options: SourceOptions,
): Promise<readonly Target[]> {
  const { urls, torrents: names } = split(args, options);
  const listed = options.from === undefined ? [] : await readList(context, options.from);
  const torrents: NamedTorrent[] = [];
  for (const name of names) {
    const source = await loadTorrent(context, name, { signal: context.signal });
    addOnce(torrents, namedBy(source));
  }
  const targets = new Map<string, Target>();
  for (const tracker of urls) targets.set(tracker, { tracker, typed: true, torrents });
  for (const tracker of listed) {
    if (!targets.has(tracker)) targets.set(tracker, { tracker, typed: false, torrents });
  }
  if (targets.size > 0) return [...targets.values()];
  const own = ownTargets(torrents);
  if (own.length > 0) return own;
  throw new UsageError(
    names.length === 1
      ? 'the torrent names no trackers; name a URL before it'
      : 'the torrents name no trackers; name a URL before them',
  );
}

/** URLs come first. */
function split(
  args: readonly string[],
  { from, torrents }: SourceOptions,
): { readonly urls: readonly string[]; readonly torrents: readonly string[] } {
  const start = torrents === 'one' ? args.length - 1 : countUrls(args);
  const parts = { urls: args.slice(0, start), torrents: args.slice(start) };
  for (const url of parts.urls) checkTyped(url);
  const stray = parts.torrents.find(isTrackerUrl);
  if (stray !== undefined && parts.torrents.length === 1) {
    throw new UsageError('a torrent is missing: name its infohash, file or magnet after the URL');
  }
  if (stray !== undefined) {
    throw new UsageError(`\`${shown(stray)}\` is a tracker: name trackers before the torrents`);
  }
  if ([from, ...parts.torrents].filter((name) => name === '-').length > 1) {
    throw new UsageError('standard input (`-`) can be read only once');
  }
  return parts;
}

/** The last argument is no tracker, whatever it looks like; `.torrent` files may be URLs, too. */
function countUrls(args: readonly string[]): number {
  const first = args.findIndex(
    (text) => !/^[a-z][a-z0-9+.-]*:\/\//i.test(text) || /^https?:[^?#]*\.torrent$/i.test(text),
  );
  return first === -1 ? args.length - 1 : first;
}

/** True for what can be nothing else. */
function isTrackerUrl(text: string): boolean {
  return /^(?:udp|wss?):|^https?:.*\/(?:announce|scrape)(?:\.php)?(?:\?.*)?$/i.test(text);
}

function checkTyped(url: string): void {
  try {
    parseTrackerUrl(url);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new UsageError(`\`${shown(url)}\`: ${error.message}`, {
      code: error.code,
      cause: error,
    });
  }
}

/**
 * The URLs in a list: one a line, as they are published; empty lines, and lines and ends of lines that
 * begin with `#`, say nothing.
 */
async function readList(context: Context, path: string): Promise<readonly string[]> {
  const bytes = await readInput(context, path, { maxBytes: MAX_LIST_BYTES });
  const found = new Set<string>();
  for (const [at, line] of decodeUtf8Lossy(bytes)
    .split(/\r\n?|\n/)
    .entries()) {
    // A `#` within a URL is its own.
    const url = line.replace(/(?:^|\s)#.*$/, '').trim();
    if (url === '') continue;
    if (!/^[a-z][a-z0-9+.-]*:\/\/[^\s]+$/i.test(url)) throw noUrl(path, at + 1, url);
    found.add(url);
  }
  if (found.size > 0 && found.size <= MAX_LISTED) return [...found];
  throw new ProtocolError(
    found.size === 0
      ? `${inputName(path)} names no trackers`
      : `${inputName(path)} names more than ${MAX_LISTED} trackers`,
    { rule: 'list of trackers', code: 'BIP_TRACKER_LIST' },
  );
}

function noUrl(path: string, line: number, text: string): ProtocolError {
  const what = `line ${line} of ${inputName(path)}`;
  return new ProtocolError(`${what} is no tracker's URL: \`${shown(text)}\``, {
    rule: 'list of trackers',
    code: 'BIP_TRACKER_LIST',
  });
}

function shown(text: string): string {
  return printable(maskSecrets(text.slice(0, MAX_SHOWN)));
}

function namedBy(source: TorrentSource): NamedTorrent {
  if (source.type === 'metainfo') {
    const { metainfo } = source;
    const { name, length, announce } = metainfo;
    return { infoHash: hashOf(metainfo), name, length, trackers: announce.flat() };
  }
  const { magnet } = source;
  const { name, length, trackers } = magnet;
  return { infoHash: hashOf(magnet), name, length, trackers };
}

interface Hashes {
  readonly infoHash?: InfoHash;
  readonly infoHashV2?: InfoHash;
}

function hashOf({ infoHash, infoHashV2 }: Hashes): InfoHash {
  const hash = infoHash ?? infoHashV2;
  if (hash !== undefined) return hash;
  throw new UsageError('the magnet link names a key (BEP 46) and no infohash to ask about');
}

function addOnce(torrents: NamedTorrent[], torrent: NamedTorrent): void {
  const at = torrents.findIndex(({ infoHash }) => infoHash.equals(torrent.infoHash));
  const before = torrents[at];
  if (before === undefined) torrents.push(torrent);
  else torrents[at] = { ...before, trackers: [...before.trackers, ...torrent.trackers] };
}

function ownTargets(torrents: readonly NamedTorrent[]): readonly Target[] {
  const byTracker = new Map<string, Set<NamedTorrent>>();
  for (const torrent of torrents) {
    for (const tracker of torrent.trackers) {
      const asked = byTracker.get(tracker) ?? new Set();
      byTracker.set(tracker, asked.add(torrent));
    }
  }
  return [...byTracker].map(([tracker, asked]) => ({
    tracker,
    typed: false,
    torrents: [...asked],
  }));
}

/** Lists that are published have some hundred lines. */
const MAX_LIST_BYTES = 1_048_576;
const MAX_LISTED = 10_000;
const MAX_SHOWN = 200;
