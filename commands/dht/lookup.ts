/** `bip dht lookup`: who has a torrent, and which nodes know it? @module */

import { Command, Option } from 'commander';
import { type Endpoint, formatEndpoint } from '../../src/base/endpoint.ts';
import { NetworkError } from '../../src/base/errors.ts';
import type { DhtNode, LookupEvent } from '../../src/dht/index.ts';
import type { Millis } from '../../src/runtime/ports.ts';
import { action, type Invocation } from '../cli/action.ts';
import type { Context } from '../cli/context.ts';
import type { Reporter } from '../cli/reporter.ts';
import { Approach } from './approach.ts';
import { limitOption, type PortFlags, withDhtFlags, withPortFlag } from './flags.ts';
import type { Found, LookupDone } from './found.ts';
import { lookupView } from './lookup-view.ts';
import { bootstrapOf, openNode } from './open.ts';
import { explainStep } from './steps.ts';
import { checkEnding, type Ending, type SearchTools, streamed } from './streamed.ts';
import { Tally } from './tally.ts';
import { type DhtTorrent, findTorrent } from './torrents.ts';

interface LookupFlags extends PortFlags {
  readonly limit?: number;
  readonly nodes?: true;
  readonly trace?: true;
  readonly v2?: true;
}

export function lookupCommand(context: Context): Command {
  const command = new Command('lookup')
    .description('find the peers of a torrent')
    .argument(
      '<torrent>',
      '.torrent file, magnet link, URL of a .torrent, infohash, or - for stdin',
    );
  return withPortFlag(withDhtFlags(command))
    .addOption(limitOption('stop after so many peers'))
    .addOption(new Option('--trace', 'show each step of the search, and how it closes in'))
    .addOption(
      new Option('--nodes', 'the nodes closest to the infohash instead of peers').conflicts(
        'limit',
      ),
    )
    .addOption(new Option('--v2', 'by the v2 infohash of a hybrid torrent'))
    .addHelpText('after', HELP)
    .action(action<LookupFlags, Found>(context, run, lookupView));
}

async function* run(invocation: Invocation<LookupFlags>): AsyncGenerator<Found> {
  const { context, args, options, reporter } = invocation;
  const torrent = await findTorrent(context, args[0] ?? '', { v2: options.v2 === true });
  await using node = await openNode(context, options, {
    port: options.port ?? 0,
    bootstrap: bootstrapOf(options, torrent.nodes),
  });
  const search = new Lookup(torrent, { options, reporter, now: () => context.runtime.clock.now() });
  const ending = yield* streamed<Found>(invocation, options.timeout, (tools) =>
    search.run(node, tools),
  );
  if (options.nodes === true) yield* search.nodes();
  yield search.done(ending);
  checkEnding(context, ending, options.timeout);
  search.check();
}

interface How {
  readonly options: LookupFlags;
  readonly reporter: Reporter;
  readonly now: () => Millis;
}

class Lookup {
  readonly #torrent: DhtTorrent;
  readonly #how: How;
  readonly #startedAt: Millis;
  readonly #tally = new Tally();
  readonly #approach: Approach;
  /** Of all families; a node of one may name peers of the other. */
  readonly #peers = new Set<string>();

  constructor(torrent: DhtTorrent, how: How) {
    this.#torrent = torrent;
    this.#how = how;
    this.#startedAt = how.now();
    this.#approach = new Approach(torrent.target);
  }

  async run(node: DhtNode, { signal, emit, enough }: SearchTools<Found>): Promise<void> {
    const { target } = this.#torrent;
    const { limit, nodes, trace } = this.#how.options;
    const onEvent = (event: LookupEvent): void => {
      this.#tally.add(event);
      this.#approach.add(event);
      if (trace === true) emit({ type: 'step', event, elapsedMs: this.#elapsedMs, target });
      else explainStep(this.#how.reporter, event, target);
      this.#draw();
    };
    if (nodes === true) {
      await node.findNodes(target, { signal, onEvent });
      return;
    }
    const onPeer = (peer: Endpoint): void => {
      const size = this.#peers.size;
      if (size === limit) return;
      this.#peers.add(formatEndpoint(peer));
      if (this.#peers.size === size) return;
      emit({ type: 'peer', peer, traced: trace === true });
      if (this.#peers.size === limit) enough();
    };
    await node.findPeers(target, { signal, onEvent, onPeer });
  }

  *nodes(): Iterable<Found> {
    const { target } = this.#torrent;
    const traced = this.#how.options.trace === true;
    for (const node of this.#tally.closest(target)) yield { type: 'node', node, target, traced };
  }

  done(ending: Ending): LookupDone {
    const { infoHash, target } = this.#torrent;
    const { nodes, trace } = this.#how.options;
    return {
      ...{ type: 'done', infoHash, target, ending },
      peers: nodes === true ? undefined : this.#peers.size,
      asked: this.#tally.asked,
      answered: this.#tally.answered,
      closest: this.#tally.closest(target),
      elapsedMs: this.#elapsedMs,
      approach: trace === true ? this.#approach : undefined,
    };
  }

  /** @throws {NetworkError} when nobody answered, or nobody knows a peer. */
  check(): void {
    this.#tally.check();
    if (this.#how.options.nodes === true || this.#peers.size > 0) return;
    throw new NetworkError(
      `none of the ${this.#tally.answered} nodes that answered knows a peer of ${this.#torrent.infoHash.hex}`,
      { code: 'BIP_DHT_NO_PEERS' },
    );
  }

  get #elapsedMs(): Millis {
    return this.#how.now() - this.#startedAt;
  }

  #draw(): void {
    const { reporter } = this.#how;
    if (!reporter.live) return;
    const picture = this.#approach.draw(reporter.style, reporter.columns);
    const nodes = `${this.#tally.answered} of ${this.#tally.asked} nodes answered`;
    const peers = this.#how.options.nodes === true ? '' : `, ${this.#peers.size} peers`;
    reporter.status([...picture, `${nodes}${peers}`]);
  }
}

const HELP = `
Peers are printed as they are found, each once. The search begins with the well-known nodes, or
those of --bootstrap, and with the nodes and peers that a torrent or link names. A hybrid torrent
is looked for by its v1 infohash, a v2 one by the first 20 bytes of its hash. Exit code 1 when no
node answered, and when none knows a peer; 6 when --timeout came first.

In a pipe each peer is a line, with --nodes each node: address, id, distance in bits (of 160).
With --trace every line begins with what it is: asked, answered, slow, timedOut or refused with
address, id, hop, distance, milliseconds, nodes, new nodes, peers, client; peer with the address;
node as above. With --json there is a line for each of them, and a last one, \`done\`.

Examples:
  $ bip dht lookup "$hash" --bootstrap "$node"
  $ bip dht lookup debian.torrent --limit 20 --timeout 30s
  $ bip dht lookup "magnet:?xt=urn:btih:$hash" --trace --bootstrap "$node"
  $ bip dht lookup "$hash" --bootstrap "$node" --json | jq -r 'select(.type == "peer") | .address'
`;
