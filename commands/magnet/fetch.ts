/** `bip magnet fetch`: the .torrent of a link, from the peers of the torrent. @module */

import { Command, Option } from 'commander';
import { UsageError } from '../../src/base/errors.ts';
import type { Magnet } from '../../src/magnet/index.ts';
import type { Session } from '../../src/session/index.ts';
import { action, type Invocation } from '../cli/action.ts';
import type { Context } from '../cli/context.ts';
import { eachInput } from '../cli/each-input.ts';
import { LimitReached } from '../cli/exit-codes.ts';
import { printable } from '../cli/printable.ts';
import { maskSecrets } from '../cli/secrets.ts';
import { Slots } from '../cli/slots.ts';
import { loadTorrent, parseOptions } from '../cli/torrent-argument.ts';
import { formatDuration, parseWhole } from '../cli/units.ts';
import { waitFor } from '../cli/wait-for.ts';
import { warnWhenAlone } from '../transfer/alone.ts';
import { keepToLists } from '../transfer/blocklist.ts';
import { addTransferFlags, sessionOptions, type TransferFlags } from '../transfer/flags.ts';
import { flagsWithin } from '../transfer/reach.ts';
import { FetchOutput, type OutputFlags, torrentOf } from './fetch-output.ts';
import type { FetchPicture } from './fetch-picture.ts';
import { type Fetched, fetchView } from './fetch-view.ts';
import { withLines } from './links.ts';

interface FetchFlags extends TransferFlags, OutputFlags {
  readonly concurrency: number;
}

export function fetchCommand(context: Context): Command {
  const command = new Command('fetch')
    .description('get the .torrent of magnet links and infohashes from peers')
    .argument('<magnet...>', 'magnet link or infohash, or - for some on standard input, one a line')
    .addOption(
      new Option(
        '-o, --output <file>',
        'file or folder to write, with {name} and {infoHash}; - for stdout; default: NAME.torrent here',
      ),
    )
    .addOption(new Option('--force', 'overwrite a file that is there'))
    .addOption(
      new Option('--concurrency <n>', 'look for so many at once')
        .argParser((text) => parseWhole(text, '--concurrency', 1, 100))
        .default(8),
    );
  return addTransferFlags(command, 'give up on a link after this time')
    .addHelpText('after', HELP)
    .action(action<FetchFlags, Fetched>(context, run, fetchView));
}

async function* run(asked: Invocation<FetchFlags>): AsyncGenerator<Fetched> {
  const { args, reporter } = asked;
  const options = await flagsWithin(asked.context, asked.options, reporter);
  using list = await keepToLists(asked.context, options, reporter);
  const { context } = list;
  const invocation = { ...asked, context, options };
  const inputs = await withLines(context, args);
  const output = new FetchOutput(context, options);
  await output.check(inputs.length, options.json === true);
  const links = await Promise.allSettled(inputs.map((input) => readLink(context, input)));
  const magnets = links.flatMap((link) => (link.status === 'fulfilled' ? [link.value] : []));
  // One for all: the flags say where it listens, and the DHT is entered once.
  const session = magnets.length === 0 ? undefined : await openSession(invocation, magnets);
  const picture = await drawIfLive(invocation, magnets.length);
  try {
    const slots = new Slots(options.concurrency);
    const fetches = links.map((link) => {
      const fetched = slots.run(async () => {
        if (link.status === 'rejected') throw link.reason;
        if (session === undefined) throw new RangeError('there is a session for links');
        return await fetchOne(invocation, link.value, { session, output, picture });
      });
      // Looked at when its turn comes.
      fetched.catch(() => undefined);
      return fetched;
    });
    yield* eachInput(invocation, fetches, (fetched) => fetched);
  } finally {
    picture?.end();
    await session?.[Symbol.asyncDispose]();
  }
}

async function openSession(
  { context, options, reporter }: Invocation<FetchFlags>,
  magnets: readonly Magnet[],
): Promise<Session> {
  const { Session } = await import('../../src/session/index.ts');
  const sources = magnets.map((magnet) => ({ type: 'magnet', magnet }) as const);
  const wishes = { context, sources, reporter, isBrief: true };
  return await Session.open(context.runtime, await sessionOptions(options, wishes));
}

/** The spinner takes its time to be loaded. */
async function drawIfLive(
  { context, reporter }: Invocation<FetchFlags>,
  total: number,
): Promise<FetchPicture | undefined> {
  if (!reporter.live) return undefined;
  const { FetchPicture: Picture } = await import('./fetch-picture.ts');
  return new Picture(context.runtime.clock, reporter, total);
}

interface Tools {
  readonly session: Session;
  readonly output: FetchOutput;
  readonly picture: FetchPicture | undefined;
}

async function fetchOne(
  { context, options, reporter }: Invocation<FetchFlags>,
  magnet: Magnet,
  { session, output, picture }: Tools,
): Promise<Fetched> {
  const { clock } = context.runtime;
  context.signal.throwIfAborted();
  const startedAt = clock.now();
  const planned = await output.plan(magnet);
  const mask = options.reveal === true ? (text: string): string => text : maskUrls;
  const search = session.searchMetadata({
    magnet,
    peers: options.peer ?? [],
    trackers: options.trackers,
    parse: parseOptions(context),
    onEvent: (event) => {
      if (event.type === 'warning') reporter.warn(mask(event.message));
      else if (event.type === 'note') reporter.explain(mask(event.message));
    },
  });
  warnWhenAlone(reporter, { type: 'magnet', magnet }, options, context);
  const hide = picture?.show(search, magnet.name);
  try {
    const outcome = await waitFor(context, search.found, options.timeout);
    context.signal.throwIfAborted();
    if (outcome === 'timeout') throw lateBy(options.timeout ?? 0, search.infoHash.hex);
    const { info } = await search.found;
    const torrent = torrentOf(context, info, magnet);
    const path = await output.write(planned, torrent);
    output.warn(reporter, torrent.metainfo, path);
    return {
      ...torrent,
      path,
      reveal: options.reveal === true,
      elapsedMs: clock.now() - startedAt,
    };
  } finally {
    hide?.();
    // Its goodbye is waited for with that of the session; what others have is not to wait.
    search[Symbol.asyncDispose]().catch(() => undefined);
  }
}

/** @throws {UsageError} for what is a .torrent already, and what names no torrent. */
async function readLink(context: Context, input: string): Promise<Magnet> {
  const source = await loadTorrent(context, input, { signal: context.signal });
  if (source.type === 'magnet') return source.magnet;
  throw new UsageError(
    `\`${printable(maskSecrets(input).slice(0, 100))}\` is a .torrent already; there is nothing to fetch`,
  );
}

function lateBy(timeoutMs: number, infoHash: string): LimitReached {
  return new LimitReached(
    `no peer gave the metadata of ${infoHash} within the --timeout of ${formatDuration(timeoutMs)}`,
  );
}

/** Sentences about trackers name their URLs. */
function maskUrls(sentence: string): string {
  return sentence.replace(/\w+:\/\/[^\s`'"]+/g, (url) => maskSecrets(url));
}

const HELP = `
Asks the trackers and peers that a link names, --peer, and the DHT for peers, and those for the
metadata (BEP 9). What they give is written when it matches the infohash, all of them in a link;
trackers, web seeds and nodes of the link are kept. No data is downloaded. Peers of v2 torrents
cannot give the piece layers this way: where files of several pieces need them, bip says so.

In a pipe each .torrent is a line: path, infohash, name, length. JSON has what \`bip metainfo inspect\`
shows, with \`path\` and \`elapsedMs\`. Exit code 6 when --timeout came first.

Examples:
  $ bip magnet fetch 'magnet:?xt=urn:btih:c0fda1edafdbdbb96443424e0b3899af7159d10e'
  $ bip magnet fetch "$infoHash" --bootstrap "$node" --timeout 1m --output '{infoHash}.torrent'
  $ bip magnet fetch "$link" --no-dht --output - | bip metainfo inspect -
  $ echo "$link" | bip magnet fetch - --no-dht --json | jq -r .path
`;
