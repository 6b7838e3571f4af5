/** `bip tracker announce`: what do the trackers of a torrent say? @module */

import { Command } from 'commander';
import { invariant, UsageError } from '../../src/base/errors.ts';
import { makePeerId } from '../../src/handshake/index.ts';
import {
  type AnnounceRequest,
  type AnnounceResponse,
  UdpTrackers,
} from '../../src/tracker/index.ts';
import { action, type Invocation } from '../cli/action.ts';
import type { Context } from '../cli/context.ts';
import { maskSecrets } from '../cli/secrets.ts';
import { type AnnounceFlags, withAnnounceFlags } from './announce-options.ts';
import { announceView } from './announce-view.ts';
import { Announces } from './announces.ts';
import { checkExchangeFlags, exchangeOptions, familiesOf } from './exchange-flags.ts';
import { inquire } from './inquire.ts';
import { inquiriesFor } from './outcome.ts';
import type { Result } from './result.ts';
import { findTargets, type Target } from './sources.ts';

export function announceCommand(context: Context): Command {
  return withAnnounceFlags(new Command('announce'))
    .description('announce to trackers and show what each one says')
    .usage('[options] [URL...] TORRENT')
    .argument('<argument...>', 'tracker URLs, then a TORRENT; without URLs its own trackers')
    .addHelpText('after', HELP)
    .action(action<AnnounceFlags, Result<AnnounceResponse>>(context, run, announceView));
}

async function* run(
  invocation: Invocation<AnnounceFlags>,
): AsyncGenerator<Result<AnnounceResponse>> {
  const { context, args, options, reporter } = invocation;
  checkFlags(options);
  const targets = await findTargets(context, args, { from: options.from, torrents: 'one' });
  const { runtime, signal } = context;
  await using udp = new UdpTrackers(runtime);
  const announces = new Announces(runtime, {
    request: requestOf(invocation, targets),
    how: { ...exchangeOptions(runtime, options, signal), udp },
    stop: options.stop && (options.watch === true || STOPPED_AFTER.has(options.event)),
    onRudeness: (tracker, error) =>
      reporter.explain(`${maskSecrets(tracker)} did not hear \`stopped\`: ${error.message}`),
  });
  try {
    yield* inquire(invocation, inquiriesFor(targets, familiesOf(options)), {
      ask: (inquiry) => announces.ask(inquiry),
      leave: (inquiry) => announces.leave(inquiry),
      pauseSeconds: ({ intervalSeconds, minIntervalSeconds = 0 }) =>
        Math.max(intervalSeconds, minIntervalSeconds) || UNNAMED_INTERVAL,
    });
  } finally {
    await announces.settle();
  }
}

function checkFlags(options: AnnounceFlags): void {
  checkExchangeFlags(options);
  if (options.watch === true && options.event === 'stopped') {
    throw new UsageError('--watch stays, and --event stopped leaves: they contradict each other');
  }
}

function requestOf(
  { context, options, reporter }: Invocation<AnnounceFlags>,
  targets: readonly Target[],
): AnnounceRequest {
  const { random } = context.runtime;
  const torrent = targets[0]?.torrents[0];
  invariant(torrent !== undefined, 'there is a target, and it is about a torrent');
  const { event, numwant, ip, port, uploaded, downloaded } = options;
  if (ip?.includes(':') === true && targets.some(({ tracker }) => /^udp:/i.test(tracker))) {
    reporter.warn('--ip: UDP trackers take only an IPv4 address; they will not see this one');
  }
  return {
    infoHash: torrent.infoHash,
    peerId: options.peerId ?? makePeerId(random),
    port,
    uploaded,
    downloaded,
    left: options.left ?? torrent.length ?? UNKNOWN_LEFT,
    key: options.key ?? random.uint32(),
    event: event === 'none' ? undefined : event,
    numWant: numwant,
    ip,
  };
}

/** Whoever only looks is gone afterwards; who is there to stay says so. */
const STOPPED_AFTER: ReadonlySet<AnnounceFlags['event']> = new Set(['started', 'none']);

/** As libtorrent before it has the metadata: more than nothing, so that we are no seed. */
const UNKNOWN_LEFT = 16_384;

/** Seconds, for a tracker that asks for none. */
const UNNAMED_INTERVAL = 60;

const HELP = `
The announce puts us into the tracker's list of peers; \`stopped\` takes us out again right after,
unless --event is completed or stopped, or --no-stop is given. A hybrid torrent is announced by its
v1 infohash. Exit code 1 when any tracker failed, with --watch when it failed the last time.

With --watch each tracker hears the event first and regular announces then, at the interval that it
asks for, and \`stopped\` at the end (Ctrl-C, or --limit). With --json there is a line for each
\`answer\` and \`failure\`, and a last one, \`end\`.

In a pipe each tracker is one line: URL, ok, seeders, leechers, interval in seconds, milliseconds,
peers separated by spaces; or URL, error, code, message. With --raw lines follow: URL, sent or
received, hex.

Examples:
  $ bip tracker announce debian.torrent
  $ bip tracker announce "$tracker" debian.torrent --event none --numwant 0 --timeout 10s
  $ bip tracker announce --from trackers.txt debian.torrent --json | jq -c '{tracker, seeders, rttMs}'
  $ bip tracker announce debian.torrent | cut -f7 | tr ' ' '\\n' | sort -u
  $ bip tracker announce debian.torrent --raw
  $ bip tracker announce debian.torrent --watch --limit 1 --json
`;
