/** `bip magnet create`: links of torrents. @module */

import { Command, Option } from 'commander';
import { UsageError } from '../../src/base/errors.ts';
import { formatMagnet } from '../../src/magnet/index.ts';
import { action, type Invocation, type View } from '../cli/action.ts';
import type { Context } from '../cli/context.ts';
import { eachInput } from '../cli/each-input.ts';
import { loadTorrent } from '../cli/torrent-argument.ts';
import { type LinkFlags, linkOf, readWishes } from './create-link.ts';
import { type InspectedMagnet, inspectedOf } from './inspected.ts';

/** The link, and what it says. */
interface CreatedMagnet extends InspectedMagnet {
  readonly magnet: string;
  /** URLs with secrets that were left out, masked. */
  readonly withheld?: readonly string[];
}

const HELP = `
TORRENT is a .torrent path, - for standard input, a URL of a .torrent, an infohash, or a magnet link,
which is edited: what bip does not know of it is left out. Without TORRENT, --public-key makes a link
to whatever the owner of the key publishes (BEP 46).

A link is for others. So trackers and web seeds whose URLs hold a passkey or another secret are left
out and named on stderr, unless --reveal puts them in; those named by flags are always in.

Tiers of several trackers are kept as tr.1, tr.2, …; some clients read plain tr only: --flat. SELECTION
is 1-5,8 in the order of the torrent, padding not counted, or paths and globs; the link counts
from 0 (so=, BEP 53). Of an infohash or a link only numbers can be chosen.

In a pipe and on a terminal each line is a link. JSON has what \`bip magnet inspect\` shows besides.

Examples:
  $ bip magnet create a.torrent
  $ bip magnet create *.torrent --no-trackers --json | jq -r .magnet
  $ bip magnet create a.torrent --v1 --tracker udp://tracker.example:6969 --peer 192.0.2.7:6881
  $ bip magnet create debian.torrent --files 1 --name 'the first file' --no-length
  $ bip magnet create c0fda1edafdbdbb96443424e0b3899af7159d10e --name temp --files 1-5,8
  $ bip magnet create 'magnet:?xt=urn:btih:c0fda1edafdbdbb96443424e0b3899af7159d10e&dn=a' --no-name
  $ bip magnet create --public-key 8543d3e6115f0f98c944077a4493dcd543e49c739fd998550a1f614ab36ed63e`;

/** Makes the command. */
export function createCommand(context: Context): Command {
  return new Command('create')
    .description('make magnet links of torrents, infohashes and other links')
    .argument('[torrent...]', '.torrent path, -, URL, infohash or magnet link')
    .option('--v1', 'of a hybrid only the infohash of v1')
    .option('--v2', 'of a hybrid only the infohash of v2')
    .option('-n, --name <text>', 'another name to show')
    .option('--no-name', 'no name')
    .option('--length <size>', 'another length of the content')
    .option('--no-length', 'no length')
    .addOption(
      list('-t, --tracker <url>', 'one more tier of trackers, separated by commas; repeatable'),
    )
    .option('--no-trackers', 'leave out the trackers that are there')
    .option('--flat', 'trackers without tiers')
    .addOption(list('-w, --web-seed <url>', 'one more web seed (BEP 19); repeatable'))
    .option('--no-web-seeds', 'leave out the web seeds that are there')
    .addOption(list('--peer <host:port>', 'a peer to try (x.pe); repeatable'))
    .addOption(list('--node <host:port>', 'a DHT node to start from; repeatable'))
    .option('--no-nodes', 'leave out the nodes that are there')
    .addOption(list('--files <selection>', 'download only these (so, BEP 53); repeatable'))
    .addOption(list('--source-url <url>', 'where the .torrent itself is (xs); repeatable'))
    .option('--public-key <hex>', 'the key whose owner publishes updates (BEP 46)')
    .option('--salt <hex>', 'which of the torrents of that owner')
    .option('--reveal', 'put URLs with passkeys and other secrets into the link')
    .addHelpText('after', HELP)
    .action(action<LinkFlags, CreatedMagnet>(context, create, view));
}

const view: View<CreatedMagnet> = {
  terminal: ({ magnet }) => `${magnet}\n`,
  plain: ({ magnet }) => `${magnet}\n`,
};

function create(invocation: Invocation<LinkFlags>): AsyncIterable<CreatedMagnet> {
  const { context, args, options, reporter } = invocation;
  const wishes = readWishes(options);
  refuseForSeveral(args, options);
  if (args.length === 0 && wishes.publicKey === undefined) {
    throw new UsageError(
      'name a TORRENT: a .torrent, an infohash or a magnet link; only --public-key makes a link without',
    );
  }
  const inputs = args.length === 0 ? [undefined] : args;
  return eachInput(invocation, inputs, async (argument) => {
    const source =
      argument === undefined
        ? undefined
        : await loadTorrent(context, argument, { signal: context.signal });
    const { magnet, withheld } = await linkOf(source, wishes);
    if (withheld.length > 0) {
      const [urls, them] = withheld.length === 1 ? ['a URL', 'it'] : ['URLs', 'them'];
      const shown = `${withheld.slice(0, FEW).join(', ')}${withheld.length > FEW ? ', …' : ''}`;
      reporter.warn(
        `left out ${urls} with a secret (${shown}); --reveal puts ${them} into the link, for everybody who gets it`,
      );
    }
    return {
      magnet: formatMagnet(magnet),
      ...inspectedOf(magnet, { reveal: true }),
      ...(withheld.length === 0 ? {} : { withheld }),
    };
  });
}

/** So many URLs are named in a warning. */
const FEW = 3;

/** @throws {UsageError} for what can be right for one torrent only. */
function refuseForSeveral(args: readonly string[], options: LinkFlags): void {
  if (args.length < 2) return;
  const { name, length, publicKey } = options;
  const flags = { '--name': name, '--length': length, '--public-key': publicKey };
  for (const [flag, value] of Object.entries(flags)) {
    if (typeof value !== 'string') continue;
    throw new UsageError(`${flag} is for one torrent; there are ${args.length}`);
  }
}

function list(flags: string, about: string): Option {
  return new Option(flags, about).argParser(
    (value: string, before: readonly string[] | undefined) => [...(before ?? []), value],
  );
}
