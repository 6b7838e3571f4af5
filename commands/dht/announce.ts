/** `bip dht announce`: tell the DHT that a peer is there. @module */

import { Command, Option } from 'commander';
import type { DhtNode } from '../../src/dht/index.ts';
import type { Millis } from '../../src/runtime/ports.ts';
import { action, type Invocation } from '../cli/action.ts';
import type { Context } from '../cli/context.ts';
import { EXIT, ExitWith } from '../cli/exit-codes.ts';
import { parseWhole } from '../cli/units.ts';
import { type Announced, announceView } from './announce-view.ts';
import { type DhtFlags, limitOption, withDhtFlags } from './flags.ts';
import { bootstrapOf, openNode } from './open.ts';
import { follow } from './steps.ts';
import { checkEnding, type SearchTools, streamed } from './streamed.ts';
import { Tally } from './tally.ts';
import { type DhtTorrent, findTorrent } from './torrents.ts';
import { checkWatch, intervalOption, type WatchFlags, Watching } from './watching.ts';
import { checkStored, explainWrite } from './writes.ts';

interface AnnounceFlags extends DhtFlags, WatchFlags {
  /** Of the peer. */
  readonly port: number;
  readonly seed?: true;
  readonly impliedPort?: true;
  readonly v2?: true;
}

export function announceCommand(context: Context): Command {
  const command = new Command('announce')
    .description('tell the DHT that a peer of a torrent is at this address')
    .argument(
      '<torrent>',
      '.torrent file, magnet link, URL of a .torrent, infohash, or - for stdin',
    )
    .addOption(
      new Option('--port <n>', 'where the peer listens, TCP and uTP')
        .argParser((text) => parseWhole(text, '--port', 1, 65_535))
        .makeOptionMandatory(),
    )
    .addOption(new Option('--seed', 'it has all of the torrent (BEP 33)'))
    .addOption(
      new Option(
        '--implied-port',
        'send from that port over UDP, and let nodes take the port that they see, behind a NAT',
      ),
    );
  return withDhtFlags(command)
    .addOption(new Option('--v2', 'by the v2 infohash of a hybrid torrent'))
    .addOption(new Option('--watch', 'announce again every --interval, until Ctrl-C'))
    .addOption(intervalOption(INTERVAL, 'a peer for half an hour'))
    .addOption(limitOption('with --watch, announce so many times'))
    .addHelpText('after', HELP)
    .action(action<AnnounceFlags, Announced>(context, run, announceView));
}

async function* run(invocation: Invocation<AnnounceFlags>): AsyncGenerator<Announced> {
  const { context, args, options } = invocation;
  checkWatch(options, 'announce');
  const torrent = await findTorrent(context, args[0] ?? '', { v2: options.v2 === true });
  await using node = await openNode(context, options, {
    port: options.impliedPort === true ? options.port : 0,
    bootstrap: bootstrapOf(options, torrent.nodes),
  });
  const announces = new Announces(invocation, { node, torrent });
  const ending = yield* streamed<Announced>(invocation, options.timeout, (tools) =>
    announces.run(tools),
  );
  if (options.watch === true) yield announces.end();
  checkEnding(context, ending, options.timeout);
  if (announces.isFailing) throw new ExitWith(EXIT.network);
}

class Announces {
  readonly #invocation: Invocation<AnnounceFlags>;
  readonly #node: DhtNode;
  readonly #torrent: DhtTorrent;
  readonly #startedAt: Millis;
  readonly #watching: Watching;

  constructor(
    invocation: Invocation<AnnounceFlags>,
    { node, torrent }: { readonly node: DhtNode; readonly torrent: DhtTorrent },
  ) {
    this.#invocation = invocation;
    this.#node = node;
    this.#torrent = torrent;
    this.#startedAt = this.#now;
    this.#watching = new Watching(invocation, INTERVAL);
  }

  get isFailing(): boolean {
    return this.#watching.isFailing;
  }

  /** @throws {NetworkError} when it is to announce once and nobody takes it. */
  async run({ signal, emit }: SearchTools<Announced>): Promise<void> {
    if (this.#invocation.options.watch !== true) return emit(await this.#announce(signal));
    const { infoHash } = this.#torrent;
    await this.#watching.run<Exclude<Announced, { readonly type: 'end' }>>(
      {
        attempt: () => this.#announce(signal),
        failed: (error) => ({ type: 'failure', error, infoHash, watched: true }),
        emit: (announced, nextMs) => emit({ ...announced, nextMs }),
      },
      signal,
    );
  }

  end(): Announced {
    const { successes, failures } = this.#watching;
    const elapsedMs = this.#now - this.#startedAt;
    return { type: 'end', announces: successes, failures, elapsedMs };
  }

  async #announce(
    signal: AbortSignal,
  ): Promise<Extract<Announced, { readonly type: 'announced' }>> {
    const { options, reporter } = this.#invocation;
    const { port, seed = false, impliedPort, watch = false } = options;
    const { infoHash, target } = this.#torrent;
    const startedAt = this.#now;
    const tally = new Tally();
    const found = await this.#node.findPeers(target, {
      signal,
      announce: { port: impliedPort === true ? undefined : port, seed },
      onEvent: follow(reporter, tally, target),
      onWrite: (result) => explainWrite(reporter, result),
    });
    tally.check();
    const writes = found.flatMap((result) => result.writes);
    checkStored(writes, 'the announce');
    return {
      ...{ type: 'announced', infoHash, target, port, seed, writes, tally, watched: watch },
      peers: found.reduce((sum, { peers }) => sum + peers.length, 0),
      elapsedMs: this.#now - startedAt,
    };
  }

  get #now(): Millis {
    return this.#invocation.context.runtime.clock.now();
  }
}

/** As often as sessions do: libtorrent's `dht_announce_interval`. */
const INTERVAL = '15m';

const HELP = `
Nodes note the address that the announce comes from, with the port that it names, for half an hour
or so; nothing takes it back. A hybrid torrent is announced by its v1 infohash. Exit code 1 when
no node took it, with --watch when none did the last time.

In a pipe an announce is a line: infohash, nodes that took it, that refused, that did not answer,
peers that they know. With --watch --json there is a line for each, \`announced\` or \`failure\`, and
a last one, \`end\`.

Examples:
  $ bip dht announce "$hash" --port 6881 --bootstrap "$node"
  $ bip dht announce debian.torrent --port 6881 --seed
  $ bip dht announce "$hash" --port 6881 --watch --limit 1 --bootstrap "$node" --json
`;
