/** `bip seed PATH|TORRENT`: serves data to other peers until it is stopped. @module */

import { type Command, Command as Commander, Option } from 'commander';
import { StorageError, UsageError } from '../src/base/errors.ts';
import { formatMagnet } from '../src/magnet/index.ts';
import {
  choosePieceLength,
  type Metainfo,
  nameLints,
  parseMetainfo,
} from '../src/metainfo/index.ts';
import type { Session, VerifyMode } from '../src/session/index.ts';
import { action, type Invocation } from './cli/action.ts';
import type { Context } from './cli/context.ts';
import { LimitReached } from './cli/exit-codes.ts';
import { HashProgress } from './cli/hash-progress.ts';
import { checkOutput, writeOutput } from './cli/output.ts';
import { printable } from './cli/printable.ts';
import { maskSecrets } from './cli/secrets.ts';
import { loadTorrent, parseOptions } from './cli/torrent-argument.ts';
import { formatDuration, formatSize } from './cli/units.ts';
import { waitFor } from './cli/wait-for.ts';
import { keepToLists } from './transfer/blocklist.ts';
import { type Located, locateContent, nameOf, parentOf } from './transfer/content-path.ts';
import type { TransferEvent } from './transfer/events.ts';
import {
  addTransferFlags,
  plainPath,
  sessionOptions,
  type TransferFlags,
  verifyMode,
} from './transfer/flags.ts';
import { flagsWithin } from './transfer/reach.ts';
import { seedView } from './transfer/view.ts';

interface SeedFlags extends TransferFlags {
  readonly content?: string;
  readonly tracker?: readonly string[];
  readonly output?: string;
  readonly force?: true;
}

/** What is to be served, and how far it has to be checked. */
interface Served extends Located {
  readonly verify: VerifyMode;
}

const DESCRIPTION =
  'serve files to other peers, made into a torrent on the spot, or a torrent whose data is here';

export function seedCommand(context: Context): Command {
  const command = new Commander('seed')
    .description(DESCRIPTION)
    .argument('<path|torrent>', 'a file or folder to share, or a .torrent whose data is here')
    .addOption(
      new Option('--content <path>', 'the data of the torrent, or the folder that holds it'),
    )
    .addOption(
      new Option('--tracker <url>', 'for a PATH: announce to this tracker, repeatable').argParser(
        (url: string, before: readonly string[] | undefined) => [...(before ?? []), url],
      ),
    )
    .addOption(new Option('-o, --output <file>', 'for a PATH: also write the .torrent there'))
    .addOption(new Option('--force', 'overwrite the file of --output'))
    .addOption(new Option('--verify', 'hash the data first; the default for a .torrent'))
    .addOption(new Option('--no-verify', 'trust the data without hashing it').default(undefined));
  return addTransferFlags(command)
    .addHelpText('after', EXAMPLES)
    .action(action<SeedFlags, TransferEvent>(context, seed, seedView));
}

const EXAMPLES = `
Prints a magnet link that names this machine (x.pe), and serves until Ctrl-C or --timeout. Who has only
the infohash finds it by the DHT, or on the local network; of private torrents these never hear.

Examples:
  bip seed holiday.mp4
  bip seed ./photos --tracker udp://tracker.example.org:6969 --output photos.torrent
  bip seed debian.torrent --content ~/Downloads
`;

const UNREACHABLE =
  'nobody can call through a proxy: only peers that this seed finds and calls by itself are served';

async function* seed(asked: Invocation<SeedFlags>): AsyncGenerator<TransferEvent> {
  const { reporter } = asked;
  const options = await flagsWithin(asked.context, asked.options, reporter);
  using list = await keepToLists(asked.context, options, reporter);
  const { context } = list;
  const invocation = { ...asked, context, options };
  if (context.proxy !== undefined) reporter.warn(UNREACHABLE);
  const served = await findData(invocation);
  const { Session } = await import('../src/session/index.ts');
  const { Transfer } = await import('./transfer/transfer.ts');
  await using session = await Session.open(
    context.runtime,
    await sessionOptions(options, {
      context,
      sources: [{ type: 'metainfo', metainfo: served.metainfo }],
      reporter,
    }),
  );
  const transfer = new Transfer({
    context,
    session,
    reporter,
    torrent: {
      source: { type: 'metainfo', metainfo: served.metainfo },
      root: served.root,
      seedOnly: true,
      verify: served.verify,
      peers: options.peer ?? [],
      trackers: options.trackers,
    },
    pieces: false,
    progress: options.json === true,
    json: options.json === true,
    reveal: options.reveal === true,
  });
  try {
    const ready = await waitFor(context, transfer.torrent.completed, options.timeout);
    if (ready === 'done') {
      yield seedingEvent(invocation, served.metainfo, session);
      const outcome = waitFor(context, transfer.torrent.failed, options.timeout).finally(() =>
        transfer.events.end(),
      );
      outcome.catch(() => undefined);
      yield* transfer.events;
      await outcome;
    }
    const end = { ...transfer.end(), ...list.counts() };
    await transfer.torrent[Symbol.asyncDispose]();
    yield end;
    context.signal.throwIfAborted();
    throw new LimitReached(
      `stopped after the --timeout of ${formatDuration(options.timeout ?? 0)}; ${formatSize(end.uploaded)} were sent`,
    );
  } finally {
    transfer.stop();
  }
}

function seedingEvent(
  { context, options }: Invocation<SeedFlags>,
  metainfo: Metainfo,
  session: Session,
): TransferEvent {
  const { infoHash, infoHashV2, name, length, announce, webSeeds } = metainfo;
  const found =
    options.host === undefined ? context.runtime.lookup.localAddresses() : [options.host];
  const isReachable = context.proxy === undefined;
  const addresses = found.length === 0 && isReachable ? ['127.0.0.1'] : found;
  const show = options.reveal === true ? (url: string) => url : maskSecrets;
  const magnet = formatMagnet({
    ...(infoHash === undefined ? {} : { infoHash }),
    ...(infoHashV2 === undefined ? {} : { infoHashV2 }),
    name,
    length,
    trackers: announce.flat().map(show),
    webSeeds: webSeeds.map(show),
    peers: addresses.map((host) => ({ host, port: session.port })),
    nodes: [],
  });
  return {
    type: 'seeding',
    ...(infoHash === undefined ? {} : { infoHash: infoHash.hex }),
    ...(infoHashV2 === undefined ? {} : { infoHashV2: infoHashV2.hex }),
    name,
    length,
    ...(isReachable ? { port: session.port } : {}),
    magnet,
  };
}

/** A file or folder that is no .torrent. */
async function isShareable(context: Context, path: string): Promise<boolean> {
  if (/\.torrent$/i.test(path)) return false;
  const kind = (await context.runtime.files.stat(path))?.kind;
  return kind === 'file' || kind === 'directory';
}

async function findData(invocation: Invocation<SeedFlags>): Promise<Served> {
  const { context, args, options } = invocation;
  const [argument = ''] = args;
  if (await isShareable(context, argument)) return share(invocation, argument);
  if (options.tracker !== undefined || options.output !== undefined) {
    throw new UsageError('--tracker and --output are for a PATH that is shared, not for a torrent');
  }
  const source = await loadTorrent(context, argument, { signal: context.signal });
  if (source.type === 'magnet') {
    throw new UsageError(
      'a magnet link does not say what the data is: seed the .torrent, or `bip download` with the data in place',
    );
  }
  const { files } = context.runtime;
  const located = await locateContent(files, source.metainfo, {
    folders: [...new Set([parentOf(argument), '.'])],
    ...(options.content === undefined ? {} : { content: options.content }),
  });
  return { ...located, verify: verifyMode(options.verify) };
}

async function share(
  { context, options, reporter }: Invocation<SeedFlags>,
  path: string,
): Promise<Served> {
  if (options.content !== undefined) {
    throw new UsageError('--content goes with a .torrent; a PATH is its own content');
  }
  const { createTorrent, scanContent } = await import('../src/content/index.ts');
  if (options.output !== undefined) await checkOutput(context, options.output, options);
  const name = nameOf(path);
  if (name === '.' || name === '..' || name === '') {
    throw new StorageError(
      `\`${path}\` has no name that a torrent could have; name the folder itself`,
      {
        code: 'BIP_UNSAFE_PATH',
      },
    );
  }
  const { runtime, signal } = context;
  const scan = await scanContent(runtime.files, {
    inputs: [path],
    symlinks: 'skip',
    // Whoever names a folder means all that is in it; `bip metainfo create` chooses.
    hidden: true,
    junk: true,
    signal,
  });
  for (const skipped of scan.skipped) {
    reporter.warn(`${printable(skipped.path)} is left out (${skipped.why})`);
  }
  for (const { path: below } of scan.files) refuseUnsafeName([scan.name, ...below]);
  // Peers of every age understand v1; `bip metainfo create` makes the others.
  const info = { version: 'v1', pieceLength: choosePieceLength(scan.totalBytes) } as const;
  const progress = new HashProgress(runtime.clock, reporter, name);
  const { bytes } = await createTorrent(runtime, {
    scan,
    info,
    surroundings: { announce: (options.tracker ?? []).map((url) => [url]), createdBy: 'bip' },
    order: 'auto',
    signal,
    onProgress: (done, total) => progress.show(done, total),
  }).finally(() => progress.clear());
  if (options.output !== undefined) await writeOutput(context, options.output, bytes, options);
  const metainfo = parseMetainfo(bytes, parseOptions(context));
  // It was hashed a moment ago; once more would say nothing new.
  return { root: plainPath(parentOf(path)), metainfo, verify: 'never' };
}

/** Session and peers alike would look for a file of another name. */
function refuseUnsafeName(path: readonly string[]): void {
  const lint = nameLints(path).find(({ code }) => code !== 'name-not-portable');
  if (lint !== undefined) throw new UsageError(`${lint.message}; rename it to share it`);
}
