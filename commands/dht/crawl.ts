/** `bip dht crawl`: who is in the DHT, and how many are there? @module */

import { Command, Option } from 'commander';
import { UsageError } from '../../src/base/errors.ts';
import { action, type Invocation } from '../cli/action.ts';
import type { Context } from '../cli/context.ts';
import { parseWhole } from '../cli/units.ts';
import { readCrawl, saving } from './crawl-file.ts';
import { CrawlRun } from './crawl-run.ts';
import { estimateWords } from './crawl-summary.ts';
import { type Crawled, crawlView } from './crawl-view.ts';
import { limitOption, type PortFlags, withDhtFlags, withPortFlag } from './flags.ts';
import { bootstrapOf, isLaboratory, openNode } from './open.ts';
import { checkEnding, streamed } from './streamed.ts';

interface CrawlFlags extends PortFlags {
  readonly limit?: number;
  readonly rate: number;
  readonly concurrency: number;
  readonly samples?: true;
  readonly state?: string;
}

export function crawlCommand(context: Context): Command {
  const command = new Command('crawl').description(
    'walk through the DHT, list its nodes, and estimate how many there are',
  );
  return withPortFlag(withDhtFlags(command))
    .addOption(limitOption('stop after so many nodes'))
    .addOption(
      new Option('--rate <n>', 'queries a second, at most')
        .argParser((text) => parseWhole(text, '--rate', 1, 1000))
        .default(25),
    )
    .addOption(
      new Option('--concurrency <n>', 'queries that wait for an answer at once')
        .argParser((text) => parseWhole(text, '--concurrency', 1, 4096))
        .default(256),
    )
    .addOption(new Option('--samples', 'list the infohashes that nodes give (BEP 51)'))
    .addOption(
      new Option(
        '--state <file>',
        'where to keep how far it is; the same command goes on',
      ).argParser(parseStatePath),
    )
    .addHelpText('after', HELP)
    .action(action<CrawlFlags, Crawled>(context, run, crawlView));
}

function parseStatePath(text: string): string {
  if (text !== '' && text !== '-') return text;
  throw new UsageError('--state: a crawl goes on from a file, which needs a name');
}

async function* run(invocation: Invocation<CrawlFlags>): AsyncGenerator<Crawled> {
  const { context, options, reporter } = invocation;
  const { runtime } = context;
  const { state: path, limit = Number.POSITIVE_INFINITY, rate, concurrency, samples } = options;
  const file = path === undefined ? undefined : await readCrawl(runtime, path);
  const bootstrap = bootstrapOf(options, []);
  await using node = await openNode(context, options, {
    ...{ port: options.port ?? 0, bootstrap, longMs: ANSWER_MS },
  });
  const crawl = new CrawlRun(runtime, {
    ...{ node, reporter, bootstrap, rate, concurrency, limit, file },
    limitAddresses: !isLaboratory(options.bootstrap),
    samples: samples === true,
  });
  const ending = yield* streamed<Crawled>(invocation, options.timeout, async (tools) => {
    const { signal } = tools;
    if (path === undefined) return await crawl.run(tools, signal);
    const take = () => crawl.file;
    return await saving(runtime, { path, take, signal }, (either) => crawl.run(tools, either));
  });
  yield { type: 'done', ending, ...crawl.sum };
  if (options.json !== true && !context.stdout.isTTY) {
    for (const { family, estimate } of crawl.sum.reports) {
      if (estimate !== undefined) reporter.step(`IPv${family}: ${estimateWords(estimate)}`);
    }
  }
  checkEnding(context, ending, options.timeout);
}

/** Few answers come later; and each that is waited for takes a place. */
const ANSWER_MS = 4000;

const HELP = `
The space of all ids is cut into zones, and chance decides in which order they are asked. Each node of
a zone is asked once for nodes near it and for samples of its infohashes (BEP 51), who does not answer
once more; nodes of one network are asked a second apart. The estimate is of nodes that answer, those
behind NATs are not among them: the mean of the zones so far, times all zones, with the bounds within
which the truth lies in 95 of 100 crawls. A crawl that is stopped early has seen less, and estimates well:
a few thousand nodes do. Of the internet's millions of nodes all would take days.

With --state the file is written every 30 seconds and at the end, also by Ctrl-C; the same command goes on
where it was, and asks nobody again.

In a pipe there is a line for each node: address, id, client, round trip in milliseconds, secure or insecure
(BEP 42), and how many infohashes it has; with --samples instead one for each infohash, with the
address of a node that knows it. With --json there is a line for each \`node\`, each \`sample\` (with
--samples), now and then \`progress\`, and a last one, \`done\`, with estimates and counts by family.

Examples:
  $ bip dht crawl --bootstrap "$node" --rate 200
  $ bip dht crawl --bootstrap "$node" --limit 5 --json | tail -n 1 | jq '.families[].estimate'
  $ bip dht crawl --bootstrap "$node" --samples --state crawl.state | cut -f1
  $ bip dht crawl --limit 5000 --state crawl.state > nodes.tsv
`;
