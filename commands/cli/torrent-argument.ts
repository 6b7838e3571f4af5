/**
 * What a TORRENT argument means: a .torrent path, `-`, a URL, a magnet link or an infohash.
 *
 * Judged by its looks, in this order: `-` is standard input; `magnet:` and `http(s)://` are what
 * they say; 40 or 64 hex digits or 32 characters of base32 are an infohash, even when a file has
 * that name (`./NAME` means the file); all else is a path. A file or standard input may hold a
 * magnet link instead of a torrent.
 *
 * @module
 */

import { decodeUtf8Lossy, encodeUtf8 } from '../../src/base/bytes.ts';
import { ProtocolError, UsageError } from '../../src/base/errors.ts';
import { type InfoHash, parseInfoHash } from '../../src/base/ids.ts';
import { MAX_MAGNET_LENGTH, type Magnet, parseMagnet } from '../../src/magnet/index.ts';
import {
  MAX_LOCAL_TORRENT_BYTES,
  type Metainfo,
  type ParseOptions,
  parseMetainfo,
} from '../../src/metainfo/index.ts';
import type { Context } from './context.ts';
import { fetchTorrent } from './fetch-torrent.ts';
import { inputName, readInput } from './input.ts';
import { printable } from './printable.ts';
import { maskSecrets } from './secrets.ts';

/** What a TORRENT argument led to. */
export type TorrentSource =
  | { readonly type: 'metainfo'; readonly metainfo: Metainfo; readonly bytes: Uint8Array }
  | { readonly type: 'magnet'; readonly magnet: Magnet };

const MAGNET = /^magnet:/i;
const MAGNET_BYTES: Uint8Array = encodeUtf8('magnet:');

/**
 * Reads what `argument` names.
 *
 * @throws {UsageError} for text that cannot be a torrent.
 * @throws {ProtocolError} for a torrent or a link that is malformed; the sentence names the source.
 * @throws {StorageError} for a file that cannot be read.
 * @throws {NetworkError} {RemoteError} {TimeoutError} for a URL that gives nothing.
 */
export async function loadTorrent(
  context: Context,
  argument: string,
  { signal }: { readonly signal: AbortSignal },
): Promise<TorrentSource> {
  if (MAGNET.test(argument)) return { type: 'magnet', magnet: parseMagnet(argument) };
  if (/^https?:\/\//i.test(argument)) return loadUrl(context, argument, signal);
  const infoHash = parseInfoHash(argument);
  if (infoHash !== undefined) return { type: 'magnet', magnet: bareMagnet(infoHash) };
  if (argument !== '-') await refuseNonsense(context, argument);
  const bytes = await readInput(context, argument, { maxBytes: MAX_LOCAL_TORRENT_BYTES });
  return fromBytes(context, bytes, inputName(argument));
}

/** How torrents are to be parsed here: native hashing, names that the system can write. */
export function parseOptions({ runtime, env }: Context): ParseOptions {
  return {
    sha256: (bytes) => runtime.hashers.digestSync('sha256', [bytes]),
    // Windows sets this in every environment.
    windows: env['OS'] === 'Windows_NT',
  };
}

/** A magnet link that says nothing but the hash. */
function bareMagnet(infoHash: InfoHash): Magnet {
  const nothing = { trackers: [], webSeeds: [], peers: [], nodes: [] };
  return infoHash.version === 'v1'
    ? { infoHash, ...nothing }
    : { infoHashV2: infoHash, ...nothing };
}

async function loadUrl(context: Context, url: string, signal: AbortSignal): Promise<TorrentSource> {
  if (!URL.canParse(url)) throw new UsageError(`\`${printable(url)}\` is no URL`);
  const answer = await fetchTorrent(context.runtime, url, { signal });
  if ('magnet' in answer) return { type: 'magnet', magnet: parseMagnet(answer.magnet) };
  return fromBytes(context, answer.bytes, maskSecrets(url));
}

function fromBytes(context: Context, bytes: Uint8Array, name: string): TorrentSource {
  try {
    if (MAGNET_BYTES.every((byte, at) => bytes[at] === byte)) {
      const text = decodeUtf8Lossy(bytes.subarray(0, 4 * MAX_MAGNET_LENGTH)).trim();
      return { type: 'magnet', magnet: parseMagnet(text) };
    }
    return { type: 'metainfo', metainfo: parseMetainfo(bytes, parseOptions(context)), bytes };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    const { code, rule, offset, message } = error;
    throw new ProtocolError(`${printable(name)}: ${message}`, {
      code,
      rule,
      cause: error,
      ...(offset === undefined ? {} : { offset }),
    });
  }
}

/** Text that is no file here and does not look like a path is a mistake worth a hint. */
async function refuseNonsense({ runtime }: Context, argument: string): Promise<void> {
  if (argument === '') throw new UsageError('a TORRENT is empty');
  if ((await runtime.files.stat(argument)) !== undefined) return;
  const shown = printable(argument.slice(0, 100));
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(argument)?.[1];
  if (scheme !== undefined) {
    throw new UsageError(
      `\`${shown}\` is no torrent: bip takes http, https and magnet, not ${scheme}`,
    );
  }
  if (/^[0-9a-f]{30,}$/i.test(argument)) {
    throw new UsageError(
      `\`${shown}\` is no infohash: it has ${argument.length} hex digits instead of 40 (v1) or 64 (v2)`,
    );
  }
  if (!/[./\\]/.test(argument)) {
    throw new UsageError(
      `\`${shown}\` is no torrent: there is no such file, and it is no magnet link, URL or infohash`,
    );
  }
}
