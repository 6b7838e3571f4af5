/** `bip simulate dht`: searches in a DHT of thousands of nodes. @module */

import { Command, Option } from 'commander';
import { UsageError } from '../../src/base/errors.ts';
import { World } from '../../src/runtime/sim/index.ts';
import { DhtNetwork, type DhtNetworkOptions } from '../../src/simulation/index.ts';
import { action, type Invocation } from '../cli/action.ts';
import type { Context } from '../cli/context.ts';
import type { Reporter } from '../cli/reporter.ts';
import { formatDuration, parseDuration, parseWhole } from '../cli/units.ts';
import { dhtView, type Simulated, type SimulatedLookup } from './dht-view.ts';

interface SimulateFlags {
  readonly nodes: number;
  readonly lookups: number;
  /** Percent, all of them. */
  readonly churn: number;
  readonly loss: number;
  readonly nat: number;
  /** Milliseconds. */
  readonly after?: number;
  readonly seed: number;
}

export function dhtCommand(context: Context): Command {
  return new Command('dht')
    .description('search in a simulated DHT, and compare with what there was to find')
    .addOption(
      whole('--nodes <n>', 'nodes of the network', { min: 16, max: 200_000 }).default(1000),
    )
    .addOption(whole('--lookups <n>', 'searches', { min: 1, max: 1_000_000 }).default(200))
    .addOption(
      percent(
        '--churn <percent>',
        'of the nodes leave in an hour without a word, and others come',
        1000,
      ),
    )
    .addOption(percent('--loss <percent>', "of the packets are lost on each node's line", 90))
    .addOption(percent('--nat <percent>', 'of the nodes cannot be reached by strangers', 95))
    .addOption(
      new Option(
        '--after <duration>',
        'virtual time before the searches; default 20m with --churn',
      ).argParser((text) => parseDuration(text, '--after')),
    )
    .addOption(
      whole('--seed <n>', 'everything follows from it', { min: 0, max: 2 ** 31 }).default(1),
    )
    .addHelpText('after', HELP)
    .action(action<SimulateFlags, Simulated>(context, run, dhtView));
}

function whole(
  flags: string,
  description: string,
  { min, max }: { readonly min: number; readonly max: number },
): Option {
  const [name = flags] = flags.split(' ');
  return new Option(flags, description).argParser((text) => parseWhole(text, name, min, max));
}

function percent(flags: string, description: string, most: number): Option {
  const [name = flags] = flags.split(' ');
  return new Option(flags, description)
    .argParser((text) => {
      const value = /^\d+(\.\d+)?%?$/.test(text) ? Number.parseFloat(text) : Number.NaN;
      if (value <= most) return value;
      throw new UsageError(`${name}: \`${text}\` is no percentage from 0 to ${most}`);
    })
    .default(0);
}

async function run({ context, options, reporter }: Invocation<SimulateFlags>): Promise<Simulated> {
  const { nodes, lookups, seed, churn, loss, nat } = options;
  const { clock } = context.runtime;
  const { signal, settle } = context;
  const world = new World({ seed, settle, maxEvents: Number.MAX_SAFE_INTEGER });
  await using network = new DhtNetwork(world, networkOptions(options));
  const startedAt = clock.now();
  await network.openWarm({
    signal,
    onProgress: (share) => reporter.status([`opening ${nodes} nodes: ${wholePercent(share)}`]),
  });
  const openedAt = clock.now();
  await settleDown(network, options, { reporter, signal });
  const searchedAt = clock.now();
  const results: SimulatedLookup[] = [];
  while (results.length < lookups) {
    signal.throwIfAborted();
    results.push(await lookup(network));
    if (results.length % PROGRESS === 0) {
      reporter.status([`searching: ${results.length} of ${lookups}`]);
    }
  }
  reporter.status([]);
  return {
    ...{ nodes, seed, churn, loss, nat, afterMs: afterOf(options) },
    lookups: results,
    events: world.trace.hash,
    openMs: openedAt - startedAt,
    lookupMs: (clock.now() - searchedAt) / lookups,
  };
}

function networkOptions({ nodes, churn, loss, nat }: SimulateFlags): Partial<DhtNetworkOptions> {
  return {
    nodes,
    churnPerHour: churn / 100,
    natted: nat / 100,
    host: { latencyMs: 40, jitterMs: 20, loss: loss / 100 },
  };
}

/** Lets nodes come and go, and keep their tables meanwhile. */
async function settleDown(
  network: DhtNetwork,
  options: SimulateFlags,
  { reporter, signal }: { readonly reporter: Reporter; readonly signal: AbortSignal },
): Promise<void> {
  const afterMs = afterOf(options);
  if (afterMs === 0) return;
  network.startMaintenance();
  for (let passed = 0; passed < afterMs; passed += STEP_MS) {
    signal.throwIfAborted();
    reporter.status([`${formatDuration(passed)} of ${formatDuration(afterMs)} passed`]);
    await network.pass(Math.min(STEP_MS, afterMs - passed));
  }
}

async function lookup(network: DhtNetwork): Promise<SimulatedLookup> {
  let slow = 0;
  const searching = network.search(network.randomNode(), network.randomTarget(), ({ type }) => {
    if (type === 'slow') slow++;
  });
  const { summary, found, wanted } = await network.world.run(searching);
  const { hops, asked, elapsedMs } = summary;
  return { found, wanted, hops, queries: asked, slow, elapsedMs };
}

function afterOf({ after, churn }: SimulateFlags): number {
  return after ?? (churn > 0 ? DEFAULT_AFTER_MS : 0);
}

function wholePercent(share: number): string {
  return `${Math.floor(share * 100)} %`;
}

const DEFAULT_AFTER_MS = 20 * 60_000;
/** Of virtual time, between two looks at whether it is to end. */
const STEP_MS = 10_000;
const PROGRESS = 10;

const HELP = `
Real nodes of bip on a network in virtual time: 40 ms from each to the middle, ± 20 ms. They begin
with tables as they are after a long time; with --after they keep them from then on, and with
--churn nodes leave and come meanwhile. A search is asked for the 8 nodes closest to a random id,
and compared with the 8 that there are. Two runs with one seed are equal. 10,000 nodes take some
20 seconds to open, and 1 GB.

In a pipe there is a line for each measure (hops, queries, queries without an answer in a second,
virtual time): its name, mean, median, 95th percentile and maximum; shares that were found;
then one for each number of hops: \`hops\`, how many, searches, and those that found all.

Examples:
  $ bip simulate dht --nodes 300 --lookups 50
  $ bip simulate dht --nodes 200 --lookups 50 --loss 5 --nat 30 --json | jq .complete
  $ bip simulate dht --nodes 100 --lookups 20 --churn 50 --after 5m --seed 7
`;
