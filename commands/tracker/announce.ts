/** `bip tracker announce`: what do the trackers of a torrent say? @module */

import { Command } from 'commander';
import { ProtocolError, UsageError } from '../../src/base/errors.ts';
import type { InfoHash } from '../../src/base/ids.ts';
import { makePeerId } from '../../src/handshake/index.ts';
import { type AnnounceRequest, parseTrackerUrl } from '../../src/tracker/index.ts';
import { action, type Invocation } from '../cli/action.ts';
import type { Context } from '../cli/context.ts';
import { EXIT, ExitWith } from '../cli/exit-codes.ts';
import { printable } from '../cli/printable.ts';
import type { Reporter } from '../cli/reporter.ts';
import { maskSecrets } from '../cli/secrets.ts';
import { loadTorrent, type TorrentSource } from '../cli/torrent-argument.ts';
import { type AnnounceFlags, withAnnounceFlags } from './announce-options.ts';
import { announceView, type Shown } from './announce-view.ts';
import { type Outcome, type ProbeOptions, probe } from './probe.ts';

export function announceCommand(context: Context): Command {
  return withAnnounceFlags(new Command('announce'))
    .description('announce to trackers and show what each one says')
    .usage('[options] [URL...] TORRENT')
    .argument('<argument...>', 'tracker URLs, then a TORRENT; without URLs its own trackers')
    .addHelpText('after', HELP)
    .action(action<AnnounceFlags, Shown>(context, run, announceView));
}

/** Yields each outcome, or on a terminal one table of several. */
async function* run(invocation: Invocation<AnnounceFlags>): AsyncGenerator<Shown> {
  const { context, options, reporter } = invocation;
  const target = await targetOf(invocation);
  const shown: Outcome[] = [];
  const tabular = context.stdout.isTTY && options.json !== true && target.trackers.length > 1;
  let failures = 0;
  for await (const outcome of probe(context.runtime, target.trackers, {
    ...howTo(invocation, target),
    request: requestOf(invocation, target),
    onSettled: progress(reporter, target.trackers.length),
    onRudeness: (tracker, error) =>
      reporter.explain(`${maskSecrets(tracker)} did not hear \`stopped\`: ${error.message}`),
  })) {
    if ('error' in outcome) failures++;
    const tracker = options.reveal === true ? outcome.tracker : maskSecrets(outcome.tracker);
    const fit = { ...outcome, tracker: printable(tracker) };
    if (tabular) shown.push(fit);
    else yield fit;
  }
  if (tabular) yield { outcomes: shown, Table: (await import('cli-table3')).default };
  context.signal.throwIfAborted();
  if (failures > 0) throw new ExitWith(EXIT.network);
}

/** What to announce and whom to ask. */
interface Target {
  readonly infoHash: InfoHash;
  /** Content in bytes, when known. */
  readonly length?: number | undefined;
  readonly trackers: readonly string[];
  /** The user typed the URLs. */
  readonly typed: boolean;
}

interface Hashes {
  readonly infoHash?: InfoHash;
  readonly infoHashV2?: InfoHash;
}

async function targetOf({ context, args }: Invocation<AnnounceFlags>): Promise<Target> {
  const urls = args.slice(0, -1);
  const argument = args.at(-1) ?? '';
  for (const url of urls) checkTyped(url);
  if (urls.length === 0 && /^udp:|^https?:.*\/announce$/i.test(argument)) {
    throw new UsageError('a torrent is missing: name its infohash, file or magnet after the URL');
  }
  const named = namedBy(await loadTorrent(context, argument, { signal: context.signal }));
  const trackers = [...new Set(urls.length > 0 ? urls : named.trackers)];
  if (trackers.length === 0) {
    throw new UsageError('the torrent names no trackers; name a URL before it');
  }
  return { ...named, trackers, typed: urls.length > 0 };
}

function namedBy(source: TorrentSource): Omit<Target, 'typed'> {
  if (source.type === 'metainfo') {
    const { metainfo } = source;
    const { length, announce } = metainfo;
    return { infoHash: hashOf(metainfo), length, trackers: announce.flat() };
  }
  const { magnet } = source;
  return { infoHash: hashOf(magnet), length: magnet.length, trackers: magnet.trackers };
}

function hashOf({ infoHash, infoHashV2 }: Hashes): InfoHash {
  const hash = infoHash ?? infoHashV2;
  if (hash !== undefined) return hash;
  throw new UsageError('the magnet link names a key (BEP 46) and no infohash to announce');
}

function checkTyped(url: string): void {
  try {
    parseTrackerUrl(url);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new UsageError(`\`${maskSecrets(url)}\`: ${error.message}`, {
      code: error.code,
      cause: error,
    });
  }
}

function howTo(
  { context, options }: Invocation<AnnounceFlags>,
  { typed }: Target,
): Omit<ProbeOptions, 'request' | 'onSettled' | 'onRudeness'> {
  return {
    signal: context.signal,
    timeoutMs: options.timeout,
    retries: options.retries,
    family: options.ipv4 === true ? 4 : options.ipv6 === true ? 6 : undefined,
    trusted: typed,
    concurrency: options.concurrency,
    stop: options.stop && (options.event === 'started' || options.event === 'none'),
  };
}

function requestOf(
  { context, options, reporter }: Invocation<AnnounceFlags>,
  { infoHash, length, trackers }: Target,
): AnnounceRequest {
  const { random } = context.runtime;
  const { event, numwant, ip, port, uploaded, downloaded } = options;
  if (ip?.includes(':') === true && trackers.some((url) => /^udp:/i.test(url))) {
    reporter.warn('--ip: UDP trackers take only an IPv4 address; they will not see this one');
  }
  return {
    infoHash,
    peerId: options.peerId ?? makePeerId(random),
    port,
    uploaded,
    downloaded,
    left: options.left ?? length ?? UNKNOWN_LEFT,
    key: options.key ?? random.uint32(),
    event: event === 'none' ? undefined : event,
    numWant: numwant,
    ip,
  };
}

/** Draws how many trackers are still waited for. */
function progress(reporter: Reporter, total: number): () => void {
  let waiting = total;
  const draw = (): void =>
    reporter.status(waiting === 0 ? [] : [`waiting for ${waiting} of ${total} trackers`]);
  draw();
  return () => {
    waiting--;
    draw();
  };
}

/** As libtorrent before it has the metadata: more than nothing, so that we are no seed. */
const UNKNOWN_LEFT = 16_384;

const HELP = `
The announce puts us into the tracker's list of peers; \`stopped\` takes us out again right after,
unless --event is completed or stopped, or --no-stop is given. A hybrid torrent is announced by its
v1 infohash. Exit code 1 when any tracker failed.

In a pipe each tracker is one line: URL, ok, seeders, leechers, interval in seconds, milliseconds,
peers separated by spaces; or URL, error, code, message.

Examples:
  bip tracker announce debian.torrent
  bip tracker announce udp://tracker.example:6969/announce 40-hex-digits --timeout 10s
  bip tracker announce debian.torrent --event none --numwant 0 --json
  bip tracker announce debian.torrent | cut -f7 | tr ' ' '\\n' | sort -u
`;
