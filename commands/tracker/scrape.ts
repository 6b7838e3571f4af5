/** `bip tracker scrape`: how many seeders and leechers do trackers count? @module */

import { Command, Option } from 'commander';
import { UsageError } from '../../src/base/errors.ts';
import { type ScrapeResponse, scrape, UdpTrackers } from '../../src/tracker/index.ts';
import { action, type Invocation } from '../cli/action.ts';
import type { Context } from '../cli/context.ts';
import { parseDuration } from '../cli/units.ts';
import {
  checkExchangeFlags,
  type ExchangeFlags,
  exchangeOptions,
  familiesOf,
  withExchangeFlags,
} from './exchange-flags.ts';
import { inquire } from './inquire.ts';
import { inquiriesFor } from './outcome.ts';
import type { Result } from './result.ts';
import { scrapeView } from './scrape-view.ts';
import { findTargets } from './sources.ts';

interface ScrapeFlags extends ExchangeFlags {
  /** Milliseconds. */
  readonly interval: number;
}

export function scrapeCommand(context: Context): Command {
  const command = new Command('scrape')
    .description('ask trackers how many seeders and leechers torrents have, without joining them')
    .usage('[options] [URL...] TORRENT...')
    .argument('<argument...>', 'tracker URLs, then TORRENTs; without URLs their own trackers');
  return withExchangeFlags(command, 'repeat it every --interval, until Ctrl-C')
    .addOption(
      new Option('--interval <duration>', 'with --watch, how often to ask')
        .argParser(parseInterval)
        .default(900_000, '15m'),
    )
    .addHelpText('after', HELP)
    .action(action<ScrapeFlags, Result<ScrapeResponse>>(context, run, scrapeView));
}

async function* run(invocation: Invocation<ScrapeFlags>): AsyncGenerator<Result<ScrapeResponse>> {
  const { context, args, options } = invocation;
  checkExchangeFlags(options);
  const targets = await findTargets(context, args, { from: options.from, torrents: 'many' });
  const { runtime, signal } = context;
  await using udp = new UdpTrackers(runtime);
  const how = { ...exchangeOptions(runtime, options, signal), udp };
  yield* inquire<ScrapeResponse>(invocation, inquiriesFor(targets, familiesOf(options)), {
    ask: ({ tracker, typed, family, torrents }) =>
      scrape(
        runtime,
        announceUrl(tracker),
        torrents.map(({ infoHash }) => infoHash),
        { ...how, trusted: typed, family },
      ),
    leave: () => undefined,
    pauseSeconds: ({ minRequestIntervalSeconds = 0 }) =>
      Math.max(options.interval / 1000, minRequestIntervalSeconds),
  });
}

/** Torrents name the URL of announces; people may as well name that of scrapes. */
function announceUrl(url: string): string {
  return url.replace(/^(https?:\/\/[^?#]*\/)scrape([^/?#]*)/i, '$1announce$2');
}

function parseInterval(text: string): number {
  const ms = parseDuration(text, '--interval');
  if (ms >= 1000) return ms;
  throw new UsageError(`--interval: \`${text}\` is shorter than a second`);
}

const HELP = `
Many torrents take as few requests as the tracker allows (70 each over UDP, 50 over HTTP). Without
URLs each tracker hears of the torrents only that name it. A hybrid torrent is counted by its v1
infohash. An HTTP tracker can be scraped when its URL ends in \`announce\` (BEP 48). Exit code 1 when
any tracker failed, with --watch when it failed the last time.

In a pipe each torrent is a line for each tracker: URL, ok, infohash, seeders, leechers, completed
downloads, milliseconds; \`unknown\` instead of ok for a torrent that the tracker does not know; or
URL, error, code, message. With --raw lines follow: URL, sent or received, hex. With --watch --json
there is a line for each \`answer\` and \`failure\`, and a last one, \`end\`.

Examples:
  $ bip tracker scrape debian.torrent
  $ bip tracker scrape "$tracker" debian.torrent a.torrent --timeout 10s
  $ bip tracker scrape "$tracker" *.torrent | sort -t "$(printf '\\t')" -k4nr | head -n 3
  $ bip tracker scrape --from trackers.txt debian.torrent --json | jq -c '.files[]'
  $ bip tracker scrape debian.torrent --watch --interval 15m --limit 1
`;
