/** `bip lpd announce`: tell the local network that a peer is here, and hear who else is. @module */

import { Command, Option } from 'commander';
import { formatEndpoint } from '../../src/base/endpoint.ts';
import { UsageError } from '../../src/base/errors.ts';
import { Lpd, MAX_INFO_HASHES } from '../../src/lpd/index.ts';
import type { Millis } from '../../src/runtime/ports.ts';
import { action, type Invocation } from '../cli/action.ts';
import type { Context } from '../cli/context.ts';
import { printable } from '../cli/printable.ts';
import { formatDuration, parseWhole } from '../cli/units.ts';
import { checkEnding, type SearchTools, streamed } from '../dht/streamed.ts';
import { type Announced, announceView } from './announce-view.ts';
import { type LanFlags, reachOf, withLanFlags } from './flags.ts';
import { findTorrent, type LanTorrent } from './torrents.ts';
import { untilAborted } from './until-aborted.ts';

interface AnnounceFlags extends LanFlags {
  /** Of the peer. */
  readonly port: number;
  readonly watch?: true;
  readonly limit?: number;
}

export function announceCommand(context: Context): Command {
  const command = new Command('announce')
    .description('tell the local network that a peer of torrents is here, and show who else is')
    .argument(
      '<torrent...>',
      '.torrent file, magnet link, URL of a .torrent, infohash, or - for stdin',
    )
    .addOption(
      new Option('--port <n>', 'where the peer listens, TCP and uTP')
        .argParser((text) => parseWhole(text, '--port', 1, 65_535))
        .makeOptionMandatory(),
    )
    .addOption(new Option('--watch', 'stay, and announce again every five minutes, until Ctrl-C'))
    .addOption(
      new Option('--limit <n>', 'stop after so many peers').argParser((text) =>
        parseWhole(text, '--limit', 1, 1_000_000),
      ),
    );
  const wait = `wait so long for others; default ${formatDuration(WAIT_MS)}, with --watch no end`;
  return withLanFlags(command, wait)
    .addHelpText('after', HELP)
    .action(action<AnnounceFlags, Announced>(context, run, announceView));
}

async function* run(invocation: Invocation<AnnounceFlags>): AsyncGenerator<Announced> {
  const { context, args, options } = invocation;
  const torrents = await openTorrents(context, args);
  const reach = reachOf(context.runtime, options);
  const announces = new Announces(invocation, torrents);
  const { watch = false, timeout = watch ? undefined : WAIT_MS } = options;
  const ending = yield* streamed<Announced>(invocation, timeout, (tools) =>
    announces.run(reach, tools),
  );
  yield announces.done();
  // Once the time that was to be waited is over all is done.
  if (ending !== 'timeout' || watch) checkEnding(context, ending, timeout);
}

class Announces {
  readonly #invocation: Invocation<AnnounceFlags>;
  readonly #torrents: readonly LanTorrent[];
  readonly #startedAt: Millis;
  readonly #peers = new Set<string>();
  #announces = 0;

  constructor(invocation: Invocation<AnnounceFlags>, torrents: readonly LanTorrent[]) {
    this.#invocation = invocation;
    this.#torrents = torrents;
    this.#startedAt = invocation.context.runtime.clock.now();
  }

  async run(reach: ReturnType<typeof reachOf>, tools: SearchTools<Announced>): Promise<void> {
    const { signal, emit } = tools;
    const { context, options, reporter } = this.#invocation;
    const { port } = options;
    const failed = Promise.withResolvers<never>();
    await using lpd: Lpd = await Lpd.open(context.runtime, {
      ...{ ...reach, port, signal, onBug: failed.reject },
      onAnnounce: () => {
        this.#announces++;
        const infoHashes = this.#torrents.map(({ infoHash }) => infoHash);
        emit({ type: 'announced', infoHashes, port, doors: lpd.doors });
        reporter.status([options.watch === true ? 'Ctrl-C ends' : 'waiting for others']);
      },
    });
    for (const { wire, infoHash } of this.#torrents) {
      lpd.join(wire, (peer) => this.#meet(formatEndpoint(peer), infoHash, tools));
    }
    await Promise.race([failed.promise, untilAborted(signal)]);
  }

  done(): Announced {
    const elapsedMs = this.#invocation.context.runtime.clock.now() - this.#startedAt;
    return { type: 'done', announces: this.#announces, peers: this.#peers.size, elapsedMs };
  }

  /** Each peer of each torrent is told once. */
  #meet(address: string, infoHash: string, { emit, enough }: SearchTools<Announced>): void {
    const { limit = MAX_PEERS } = this.#invocation.options;
    const key = `${address} ${infoHash}`;
    if (this.#peers.has(key) || this.#peers.size >= limit) return;
    this.#peers.add(key);
    emit({ type: 'peer', address, infoHash });
    if (this.#peers.size === limit) enough();
  }
}

/** @throws {UsageError} for private torrents, and for more than an announce has room for. */
async function openTorrents(
  context: Context,
  args: readonly string[],
): Promise<readonly LanTorrent[]> {
  const torrents = new Map<string, LanTorrent>();
  for (const argument of args) {
    const torrent = await findTorrent(context, argument);
    if (torrent.private) {
      throw new UsageError(
        `\`${printable(torrent.name ?? '')}\` is private: nobody but its tracker is to hear of it (BEP 27)`,
      );
    }
    torrents.set(torrent.infoHash, torrent);
  }
  if (torrents.size <= MAX_INFO_HASHES) return [...torrents.values()];
  throw new UsageError(
    `${torrents.size} torrents do not fit into one announce, which has room for ${MAX_INFO_HASHES}`,
  );
}

/** As long as bip needs to answer, and some more. */
const WAIT_MS = 5_000;
/** All of them are remembered, so that each is printed once. */
const MAX_PEERS = 1_000_000;

const HELP = `
The network is told once, and whoever has one of the torrents may answer (BEP 14 does not ask that of
anybody; bip does, at most once a minute). A hybrid torrent is announced by its v1 infohash, a v2 one by
the first 20 bytes of its hash; private torrents are not. Exit code 0 when it was told.

In a pipe each peer is a line: address and infohash. With --json there is a line for each time that it
is \`announced\`, for each \`peer\`, and a last one, \`done\`.

Examples:
  $ bip lpd announce "$hash" --port 6881 --interface lo --timeout 1s --json
  $ bip lpd announce debian.torrent --port 6881
  $ bip lpd announce debian.torrent film.torrent --port 6881 --watch
`;
