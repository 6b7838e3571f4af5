/** `bip download TORRENT…`: fetches torrents and exits when they are complete. @module */

import { Command, InvalidArgumentError, Option } from 'commander';
import type { Session, TorrentSource } from '../src/session/index.ts';
import { action, type Invocation } from './cli/action.ts';
import type { Context } from './cli/context.ts';
import { LimitReached } from './cli/exit-codes.ts';
import { loadTorrent, parseOptions } from './cli/torrent-argument.ts';
import { formatDuration, formatSize } from './cli/units.ts';
import { waitFor } from './cli/wait-for.ts';
import { warnWhenAlone } from './transfer/alone.ts';
import { type Blocked, keepToLists } from './transfer/blocklist.ts';
import type { EndEvent, TransferEvent } from './transfer/events.ts';
import {
  addTransferFlags,
  plainPath,
  sessionOptions,
  type TransferFlags,
  verifyMode,
} from './transfer/flags.ts';
import { flagsWithin } from './transfer/reach.ts';
import type { Transfer } from './transfer/transfer.ts';
import { downloadView } from './transfer/view.ts';

interface DownloadFlags extends TransferFlags {
  readonly output: string;
  readonly force?: true;
  readonly events?: readonly string[];
}

export function downloadCommand(context: Context): Command {
  const command = new Command('download')
    .description('download torrents, and exit when they are complete')
    .argument(
      '<torrent...>',
      '.torrent file, magnet link, URL of a .torrent, infohash, or - for stdin',
    )
    .addOption(
      new Option(
        '-o, --output <dir>',
        "the folder that will hold the torrent's file or folder",
      ).default('.', 'here'),
    )
    .addOption(new Option('--verify', 'hash all existing data, whatever was saved of it'))
    .addOption(
      new Option(
        '--no-verify',
        'hash nothing at the start: trust only what an interrupted run saved',
      ).default(undefined),
    )
    .addOption(new Option('--force', 'make existing files of the wrong size fit'))
    .addOption(
      new Option('--events <kind>', 'with --json, more events, repeatable: piece').argParser(
        collectKind,
      ),
    );
  return addTransferFlags(command)
    .addHelpText('after', EXAMPLES)
    .action(action<DownloadFlags, TransferEvent>(context, download, downloadView));
}

function collectKind(kind: string, before: readonly string[] = []): readonly string[] {
  if (kind !== 'piece')
    throw new InvalidArgumentError(`\`${kind}\` is no kind of event; there is: piece`);
  return [...before, kind];
}

const EXAMPLES = `
Existing data is checked and kept; an interrupted download goes on where it stopped. Peers come from
trackers, from the DHT and the local network, which never hear of private torrents, and from links
and --peer. Their connections begin with an encrypted handshake where they know how; --encryption
require wants RC4 for all that follows.
Exit code 6 when --timeout came first, 4 when the disk refused, 130 after Ctrl-C.

Examples:
  bip download debian.torrent --output ~/Downloads
  bip download 'magnet:?xt=urn:btih:…&tr=…'
  bip download c0fda1edafdbdbb96443424e0b3899af7159d10e --timeout 1h
  bip download film.torrent --peer 192.0.2.7:6881 --no-trackers --no-dht --no-lpd
  bip download film.torrent --json | jq 'select(.type == "end")'
`;

async function* download(asked: Invocation<DownloadFlags>): AsyncGenerator<TransferEvent> {
  const { args, reporter } = asked;
  const options = await flagsWithin(asked.context, asked.options, reporter);
  using list = await keepToLists(asked.context, options, reporter);
  const { context } = list;
  const invocation = { ...asked, context, options };
  const sources: TorrentSource[] = [];
  for (const argument of args) {
    sources.push(await loadTorrent(context, argument, { signal: context.signal }));
  }
  const started = context.runtime.clock.now();
  const { Session } = await import('../src/session/index.ts');
  await using session = await Session.open(
    context.runtime,
    await sessionOptions(options, { context, sources, reporter }),
  );
  for (const source of sources) {
    const spent = context.runtime.clock.now() - started;
    const left = options.timeout === undefined ? undefined : Math.max(0, options.timeout - spent);
    yield* downloadOne(invocation, { session, source, timeoutMs: left, list });
  }
}

async function* downloadOne(
  { context, options, reporter }: Invocation<DownloadFlags>,
  how: {
    readonly session: Session;
    readonly source: TorrentSource;
    readonly timeoutMs: number | undefined;
    readonly list: Blocked;
  },
): AsyncGenerator<TransferEvent> {
  const { Transfer } = await import('./transfer/transfer.ts');
  const transfer: Transfer = new Transfer({
    context,
    session: how.session,
    reporter,
    torrent: {
      source: how.source,
      root: plainPath(options.output),
      verify: verifyMode(options.verify),
      force: options.force ?? false,
      peers: options.peer ?? [],
      trackers: options.trackers,
      parse: parseOptions(context),
    },
    pieces: options.events?.includes('piece') ?? false,
    progress: options.json === true,
    json: options.json === true,
    reveal: options.reveal === true,
  });
  warnWhenAlone(reporter, how.source, options, context);
  try {
    const outcome = waitFor(context, transfer.torrent.completed, how.timeoutMs).finally(() =>
      transfer.events.end(),
    );
    // A failure is looked at when the events have been read.
    outcome.catch(() => undefined);
    yield* transfer.events;
    const [result] = await Promise.allSettled([outcome]);
    const end = { ...transfer.end(), ...how.list.counts() };
    await transfer.torrent[Symbol.asyncDispose]();
    yield end;
    if (result.status === 'rejected') throw result.reason;
    if (result.value === 'interrupted') context.signal.throwIfAborted();
    if (result.value === 'timeout') throw limitReached(end, options.timeout ?? 0);
  } finally {
    transfer.stop();
  }
}

function limitReached({ done, total, path }: EndEvent, timeoutMs: number): LimitReached {
  const after = `--timeout of ${formatDuration(timeoutMs)}`;
  return new LimitReached(
    total === 0
      ? `no peer gave the metadata within the ${after}`
      : `${path} is not complete after the ${after}: ${formatSize(done)} of ${formatSize(total)} are there, and the next run goes on from them`,
  );
}
