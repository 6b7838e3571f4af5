/** `bip lpd listen`: who announces which torrents to the local network? @module */

import { Command, Option } from 'commander';
import { formatHex } from '../../src/base/bytes.ts';
import { formatEndpoint } from '../../src/base/endpoint.ts';
import { formatIsoTime } from '../../src/base/iso-time.ts';
import { type HeardAnnounce, Lpd } from '../../src/lpd/index.ts';
import { action, type Invocation } from '../cli/action.ts';
import type { Context } from '../cli/context.ts';
import { parseWhole } from '../cli/units.ts';
import { checkEnding, streamed } from '../dht/streamed.ts';
import { type LanFlags, reachOf, withLanFlags } from './flags.ts';
import { type Heard, listenView } from './listen-view.ts';
import { findTorrent } from './torrents.ts';
import { untilAborted } from './until-aborted.ts';
import { doorWords } from './words.ts';

interface ListenFlags extends LanFlags {
  readonly infoHash?: readonly string[];
  readonly limit?: number;
}

export function listenCommand(context: Context): Command {
  const command = new Command('listen')
    .description('show what is announced on the local network')
    .addOption(
      new Option('--info-hash <torrent>', 'only announces of this torrent, repeatable').argParser(
        (text: string, before: readonly string[] | undefined) => [...(before ?? []), text],
      ),
    )
    .addOption(
      new Option('--limit <n>', 'stop after so many announces').argParser((text) =>
        parseWhole(text, '--limit', 1, 1_000_000_000),
      ),
    );
  return withLanFlags(command, 'stop after this time')
    .addHelpText('after', HELP)
    .action(action<ListenFlags, Heard>(context, run, listenView));
}

async function* run(invocation: Invocation<ListenFlags>): AsyncGenerator<Heard> {
  const { context, options, reporter } = invocation;
  const { runtime } = context;
  const wanted = await wantedHashes(context, options.infoHash);
  const reach = reachOf(runtime, options);
  const ours = new Set(runtime.lookup.interfaces().map(({ address }) => address));
  const startedAt = runtime.clock.now();
  const tally = new Tally();
  const ending = yield* streamed<Heard>(invocation, options.timeout, async (tools) => {
    const { emit, enough, signal } = tools;
    const failed = Promise.withResolvers<never>();
    await using lpd = await Lpd.open(runtime, {
      ...reach,
      // Nothing is announced.
      port: 0,
      signal,
      onBug: failed.reject,
      onHeard: (heard) => {
        const infoHashes = heard.announce.infoHashes.map(formatHex);
        if (wanted !== undefined && !infoHashes.some((infoHash) => wanted.has(infoHash))) return;
        if (tally.announces === options.limit) return;
        const time = formatIsoTime(runtime.wallClock.now());
        emit({ type: 'announce', heard, infoHashes, ours: ours.has(heard.from.host), time });
        tally.add(heard, infoHashes);
        if (tally.announces === options.limit) enough();
      },
    });
    reporter.explain(`listening on ${doorWords(lpd.doors)}`);
    reporter.status([`listening on ${doorWords(lpd.doors)}; Ctrl-C ends`]);
    try {
      await Promise.race([untilAborted(signal), failed.promise]);
    } finally {
      tally.counters = lpd.counters;
    }
  });
  yield { type: 'done', ...tally.sums, elapsedMs: runtime.clock.now() - startedAt };
  checkEnding(context, ending, options.timeout);
}

class Tally {
  announces = 0;
  counters: Lpd['counters'] = { dropped: 0, invalid: 0 };
  /** A flood of names does not take all memory. */
  readonly #peers = new BoundedSet();
  readonly #torrents = new BoundedSet();

  add({ from, announce }: HeardAnnounce, infoHashes: readonly string[]): void {
    this.announces++;
    this.#peers.add(formatEndpoint({ host: from.host, port: announce.port }));
    for (const infoHash of infoHashes) this.#torrents.add(infoHash);
  }

  get sums(): Pick<
    Extract<Heard, { readonly type: 'done' }>,
    'announces' | 'peers' | 'torrents' | 'dropped' | 'invalid'
  > {
    const [peers, torrents] = [this.#peers.size, this.#torrents.size];
    return { announces: this.announces, peers, torrents, ...this.counters };
  }
}

/** Counts what is different, up to a point. */
class BoundedSet {
  readonly #members = new Set<string>();

  get size(): number {
    return this.#members.size;
  }

  add(member: string): void {
    if (this.#members.size < MAX_COUNTED) this.#members.add(member);
  }
}

async function wantedHashes(
  context: Context,
  torrents: readonly string[] | undefined,
): Promise<ReadonlySet<string> | undefined> {
  if (torrents === undefined) return undefined;
  const wanted = new Set<string>();
  for (const torrent of torrents) {
    wanted.add((await findTorrent(context, torrent)).infoHash);
  }
  return wanted;
}

const MAX_COUNTED = 1_000_000;

const HELP = `
Clients announce their torrents every five minutes (BEP 14), so that it takes as long to hear all of
them. Of a flood only a part is shown; at the end stands how much was left out.

In a pipe each torrent of an announce is a line: address of the peer, infohash, cookie, and \`us\` when it
comes from this machine. With --json there is a line for each \`announce\`, and a last one, \`done\`.
Exit code 6 when --timeout came first.

Examples:
  $ bip lpd listen
  $ bip lpd listen --info-hash debian.torrent --limit 1
  $ bip lpd listen --interface eth0 -4 --json | jq -r '"\\(.address) \\(.infoHashes[]?)"'
`;
