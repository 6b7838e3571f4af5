/** `bip magnet inspect`: what a magnet link says. @module */

import { Command } from 'commander';
import { UsageError } from '../../src/base/errors.ts';
import { type Magnet, parseMagnet } from '../../src/magnet/index.ts';
import { action, type Invocation, tsv } from '../cli/action.ts';
import type { Context } from '../cli/context.ts';
import { eachInput } from '../cli/each-input.ts';
import { labelled } from '../cli/labelled.ts';
import { printable } from '../cli/printable.ts';
import type { Style } from '../cli/style.ts';
import { tierLines } from '../cli/tier-lines.ts';
import { formatSize } from '../cli/units.ts';
import { type InspectedMagnet, inspectedOf } from './inspected.ts';
import { withLines } from './links.ts';

interface Options {
  readonly reveal?: true;
}

const EXAMPLES = `
In a pipe each line is a label and a value, separated by a tab; tracker URL TIER when several trackers
are in one tier.

Examples:
  $ bip magnet inspect 'magnet:?xt=urn:btih:c0fda1edafdbdbb96443424e0b3899af7159d10e&dn=temp'
  $ bip magnet create debian.torrent a.torrent | bip magnet inspect --json - | jq -r .infoHash`;

export function inspectCommand(context: Context): Command {
  return new Command('inspect')
    .description('show what magnet links say')
    .argument('<magnet...>', 'magnet link, or - for links on standard input, one a line')
    .option('--reveal', 'show passkeys and other secrets in URLs')
    .addHelpText('after', EXAMPLES)
    .action(action<Options, InspectedMagnet>(context, inspect, { terminal, plain }));
}

async function* inspect(invocation: Invocation<Options>): AsyncIterable<InspectedMagnet> {
  const { context, args, options } = invocation;
  const links = await withLines(context, args);
  yield* eachInput(invocation, links, async (link) =>
    inspectedOf(parseLink(link), { reveal: options.reveal === true }),
  );
}

function parseLink(link: string): Magnet {
  if (/^magnet:/i.test(link)) return parseMagnet(link);
  throw new UsageError(
    `\`${printable(link.slice(0, 100))}\` is no magnet link; for torrent files there is \`bip metainfo inspect\``,
  );
}

function plain(magnet: InspectedMagnet): string {
  return rows(magnet, { size: String, trackers: magnet.trackers })
    .flatMap(([, label, values]) =>
      values.map((value) =>
        label === 'tracker'
          ? tsv(label, printable(value), ...tierOf(magnet, value))
          : tsv(label, printable(value)),
      ),
    )
    .join('');
}

/** The tier of a tracker, from 1, when there are tiers. */
function tierOf({ tiers }: InspectedMagnet, url: string): readonly number[] {
  return tiers === undefined ? [] : [tiers.findIndex((urls) => urls.includes(url)) + 1];
}

function terminal(magnet: InspectedMagnet, style: Style): string {
  const { tiers, trackers } = magnet;
  const shown = tiers === undefined ? trackers : tierLines(tiers);
  return labelled(
    rows(magnet, { size: formatSize, trackers: shown }).map(([label, , values]) => [label, values]),
    style,
  );
}

/** Heading on a terminal, label in a pipe, values. */
function rows(
  magnet: InspectedMagnet,
  shown: { readonly size: (bytes: number) => string; readonly trackers: readonly string[] },
): readonly (readonly [string, string, readonly string[]])[] {
  const { length, selectOnly } = magnet;
  return [
    ['Name', 'name', listOf(magnet.name)],
    ['Infohash', 'infoHash', listOf(magnet.infoHash)],
    ['Infohash v2', 'infoHashV2', listOf(magnet.infoHashV2)],
    ['Public key', 'publicKey', listOf(magnet.publicKey)],
    ['Salt', 'salt', listOf(magnet.salt)],
    ['Size', 'length', length === undefined ? [] : [shown.size(length)]],
    ['Trackers', 'tracker', shown.trackers],
    ['Web seeds', 'webSeed', magnet.webSeeds],
    ['.torrent at', 'source', magnet.sources ?? []],
    ['Peers', 'peer', magnet.peers],
    ['DHT nodes', 'node', magnet.nodes ?? []],
    ['Files', 'selectOnly', selectOnly === undefined ? [] : [selectOnly.join(',')]],
  ];
}

function listOf(value: string | undefined): readonly string[] {
  return value === undefined ? [] : [value];
}
