/** `bip dht sample`: which torrents do nodes have peers of (BEP 51)? @module */

import { Command, Option } from 'commander';
import { RemoteError, UsageError } from '../../src/base/errors.ts';
import { action, type Invocation } from '../cli/action.ts';
import type { Context } from '../cli/context.ts';
import { parseWhole } from '../cli/units.ts';
import { findAddress, parseNode } from './addresses.ts';
import { limitOption, type PortFlags, withDhtFlags, withPortFlag } from './flags.ts';
import { bootstrapOf, openNode } from './open.ts';
import { type Sampled, sampleView } from './sample-view.ts';
import { SampleWalk } from './sample-walk.ts';
import { checkEnding, streamed } from './streamed.ts';
import { countOf } from './words.ts';

interface SampleFlags extends PortFlags {
  readonly limit?: number;
  readonly rate: number;
}

export function sampleCommand(context: Context): Command {
  const command = new Command('sample')
    .description('list infohashes that nodes have peers of')
    .argument('[host:port]', 'the node to ask; without one, walk from node to node');
  return withPortFlag(withDhtFlags(command))
    .addOption(limitOption('stop after so many infohashes; default 1000 for a walk', MAX_SAMPLES))
    .addOption(
      new Option('--rate <n>', 'nodes that a walk asks each second')
        .argParser((text) => parseWhole(text, '--rate', 1, 100))
        .default(5),
    )
    .addHelpText('after', HELP)
    .action(action<SampleFlags, Sampled>(context, run, sampleView));
}

async function* run(invocation: Invocation<SampleFlags>): AsyncGenerator<Sampled> {
  const { context, args, options, reporter } = invocation;
  const [argument] = args;
  const named = argument === undefined ? undefined : parseNode(argument);
  if (named !== undefined && options.bootstrap !== undefined) {
    throw new UsageError(
      '--bootstrap is where a walk begins, and HOST:PORT is the one node to ask',
    );
  }
  const { runtime } = context;
  const bootstrap = named === undefined ? bootstrapOf(options, []) : [];
  const port = options.port ?? 0;
  await using node = await openNode(context, options, {
    port,
    anywhere: named !== undefined,
    bootstrap,
  });
  const { limit = named === undefined ? DEFAULT_SAMPLES : MAX_SAMPLES, rate } = options;
  const walk = new SampleWalk(runtime, { node, reporter, limit, rate });
  const ending = yield* streamed<Sampled>(invocation, options.timeout, async (tools) => {
    if (named === undefined) return await walk.run(tools);
    const families = node.realms.map(({ family }) => family);
    const { signal } = tools;
    return await walk.askOne(await findAddress(runtime, named, { families, signal }), tools);
  });
  yield walk.done(ending);
  checkEnding(context, ending, options.timeout);
  if (walk.sampled === 0) {
    throw new RemoteError(
      `no node gives samples (BEP 51): ${walk.answered} of ${countOf(walk.asked, 'node')} answered`,
      { code: 'BIP_DHT_NO_SAMPLES' },
    );
  }
}

const DEFAULT_SAMPLES = 1000;
/** All of them are remembered, so that each is printed once. */
const MAX_SAMPLES = 1_000_000;

const HELP = `
A walk asks each node once and goes on with the nodes that it names. Exit code 1 when no node
answered, or none gives samples; a node that knows no torrent is an answer.

In a pipe each infohash is a line, with the address of the node that knows it. With --json there
is a line for each \`sample\`, for each \`node\` with how many it has and when it will give others,
and a last one, \`done\`.

Examples:
  $ bip dht sample "$node"
  $ bip dht sample --bootstrap "$node" --limit 100 --json | jq -r '.infoHash // empty'
  $ bip dht sample --timeout 5m | cut -f1 > infohashes.txt
`;
