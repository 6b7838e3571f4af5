/** `bip dht scrape`: how many seeders and leechers do the nodes near a torrent know? @module */

import { Command, Option } from 'commander';
import { type DhtNode, PeerBloom, type ScrapeResult } from '../../src/dht/index.ts';
import { action, type Invocation } from '../cli/action.ts';
import type { Context } from '../cli/context.ts';
import { withDeadline } from '../cli/deadline.ts';
import { bootstrapOption } from '../cli/dht-flags.ts';
import { eachInput } from '../cli/each-input.ts';
import { LimitReached } from '../cli/exit-codes.ts';
import { formatDuration } from '../cli/units.ts';
import { type PortFlags, withPortFlag, withReachFlags } from './flags.ts';
import { bootstrapOf, openNode } from './open.ts';
import { type Scraped, scrapeView } from './scrape-view.ts';
import { follow } from './steps.ts';
import { Tally } from './tally.ts';
import { type DhtTorrent, findTorrent } from './torrents.ts';

interface ScrapeFlags extends PortFlags {
  readonly v2?: true;
}

export function scrapeCommand(context: Context): Command {
  const command = new Command('scrape')
    .description('estimate how many seeders and leechers torrents have (BEP 33)')
    .argument('<torrent...>', '.torrent files, magnet links, URLs of .torrents, infohashes, or -')
    .addOption(bootstrapOption());
  return withPortFlag(withReachFlags(command, { gaveUp: 'give up on a torrent after' }))
    .addOption(new Option('--v2', 'by the v2 infohash of a hybrid torrent'))
    .addHelpText('after', HELP)
    .action(action<ScrapeFlags, Scraped>(context, run, scrapeView));
}

async function* run(invocation: Invocation<ScrapeFlags>): AsyncGenerator<Scraped> {
  const { context, args, options } = invocation;
  const torrents: DhtTorrent[] = [];
  for (const argument of args) {
    torrents.push(await findTorrent(context, argument, { v2: options.v2 === true }));
  }
  await using node = await openNode(context, options, {
    port: options.port ?? 0,
    bootstrap: bootstrapOf(options, torrents.flatMap(({ nodes }) => nodes).slice(0, MAX_NODES)),
  });
  // One after the other: each search finds nodes for the next to begin with.
  yield* eachInput(invocation, torrents, (torrent) => scrape(invocation, node, torrent));
}

async function scrape(
  { context, options, reporter }: Invocation<ScrapeFlags>,
  node: DhtNode,
  { infoHash, target, name }: DhtTorrent,
): Promise<Scraped> {
  const { clock } = context.runtime;
  const startedAt = clock.now();
  const tally = new Tally();
  const search = (signal: AbortSignal): ReturnType<DhtNode['findPeers']> =>
    node.findPeers(target, {
      signal,
      scrape: true,
      onEvent: follow(reporter, tally, target),
    });
  const { timeout: ms } = options;
  const { signal } = context;
  const late = (): LimitReached =>
    new LimitReached(
      `${infoHash.hex} was not counted within the --timeout of ${formatDuration(ms ?? 0)}`,
    );
  const found = await (ms === undefined
    ? search(signal)
    : withDeadline(clock, { ms, signal, late }, search)
  ).finally(() => reporter.status([]));
  tally.check();
  const counts = found.flatMap(({ scrape: counted }) => counted ?? []);
  return { infoHash, name, tally, ...addUp(counts), elapsedMs: clock.now() - startedAt };
}

/** Of both families. */
function addUp(counts: readonly ScrapeResult[]): Pick<Scraped, 'seeders' | 'leechers' | 'nodes'> {
  const all = { seeds: new PeerBloom(), leechers: new PeerBloom() };
  for (const { seeds, leechers } of counts) {
    all.seeds.merge(seeds);
    all.leechers.merge(leechers);
  }
  return {
    seeders: Math.round(all.seeds.estimate()),
    leechers: Math.round(all.leechers.estimate()),
    nodes: counts.reduce((sum, { answers }) => sum + answers, 0),
  };
}

/** Each that is dead costs a moment. */
const MAX_NODES = 16;

const HELP = `
Nodes near the infohash give Bloom filters of the addresses that announced there; together they
let us estimate how many there are, up to some 6000. Seeders that do not say so in the DHT count
as leechers. Exit code 1 when no node answered; counts of 0 are an answer.

In a pipe each torrent is a line: infohash, seeders, leechers, nodes that gave filters.

Examples:
  $ bip dht scrape "$hash" --bootstrap "$node"
  $ bip dht scrape debian.torrent a.torrent --json | jq -c '{infoHash, seeders, leechers}'
`;
