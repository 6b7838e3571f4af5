/** `bip magnet inspect`: what a magnet link says. @module */

import { Command } from 'commander';
import { decodeUtf8Lossy } from '../../src/base/bytes.ts';
import { formatEndpoint } from '../../src/base/endpoint.ts';
import { UsageError } from '../../src/base/errors.ts';
import { MAX_MAGNET_LENGTH, type Magnet, parseMagnet } from '../../src/magnet/index.ts';
import { action, type Invocation, tsv } from '../cli/action.ts';
import type { Context } from '../cli/context.ts';
import { eachInput } from '../cli/each-input.ts';
import { readInput } from '../cli/input.ts';
import { labelled } from '../cli/labelled.ts';
import { printable } from '../cli/printable.ts';
import { maskSecrets } from '../cli/secrets.ts';
import type { Style } from '../cli/style.ts';
import { formatSize } from '../cli/units.ts';

interface Options {
  readonly reveal?: true;
}

/** The shape that scripts rely on. */
interface InspectedMagnet {
  readonly infoHash?: string;
  readonly infoHashV2?: string;
  readonly publicKey?: string;
  readonly salt?: string;
  readonly name?: string;
  readonly length?: number;
  readonly trackers: readonly string[];
  readonly webSeeds: readonly string[];
  readonly peers: readonly string[];
  readonly nodes?: readonly string[];
  readonly selectOnly?: readonly number[];
}

const EXAMPLES = `
Examples:
  $ bip magnet inspect 'magnet:?xt=urn:btih:c0fda1edafdbdbb96443424e0b3899af7159d10e&dn=temp'
  $ bip magnet inspect --json - < links.txt | jq -r .infoHash`;

/** Links on one standard input. */
const MAX_STDIN_BYTES = 64 * MAX_MAGNET_LENGTH;

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
  const links = await linksOf(context, args);
  yield* eachInput(invocation, links, async (link) => inspected(parseLink(link), options));
}

async function linksOf(context: Context, args: readonly string[]): Promise<readonly string[]> {
  if (!args.includes('-')) return args;
  const bytes = await readInput(context, '-', { maxBytes: MAX_STDIN_BYTES });
  const lines = decodeUtf8Lossy(bytes)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (lines.length === 0) throw new UsageError('standard input holds no magnet link');
  return args.flatMap((argument) => (argument === '-' ? lines : [argument]));
}

function parseLink(link: string): Magnet {
  if (/^magnet:/i.test(link)) return parseMagnet(link);
  throw new UsageError(
    `\`${printable(link.slice(0, 100))}\` is no magnet link; for torrent files there is \`bip metainfo inspect\``,
  );
}

function inspected(magnet: Magnet, { reveal }: Options): InspectedMagnet {
  const mask = reveal === true ? (url: string): string => url : maskSecrets;
  const { infoHash, infoHashV2, publicKey, salt, name, length, nodes, selectOnly } = magnet;
  return {
    ...(infoHash === undefined ? {} : { infoHash: infoHash.hex }),
    ...(infoHashV2 === undefined ? {} : { infoHashV2: infoHashV2.hex }),
    ...(publicKey === undefined ? {} : { publicKey }),
    ...(salt === undefined ? {} : { salt }),
    ...(name === undefined ? {} : { name }),
    ...(length === undefined ? {} : { length }),
    trackers: magnet.trackers.map(mask),
    webSeeds: magnet.webSeeds.map(mask),
    peers: magnet.peers.map(formatEndpoint),
    ...(nodes.length === 0 ? {} : { nodes: nodes.map(formatEndpoint) }),
    ...(selectOnly === undefined ? {} : { selectOnly }),
  };
}

function plain(magnet: InspectedMagnet): string {
  return rows(magnet, String)
    .flatMap(([, label, values]) => values.map((value) => tsv(label, printable(value))))
    .join('');
}

function terminal(magnet: InspectedMagnet, style: Style): string {
  const shown = rows(magnet, formatSize);
  return labelled(
    shown.map(([label, , values]) => [label, values]),
    style,
  );
}

/** Heading on a terminal, label in a pipe, values. */
function rows(
  magnet: InspectedMagnet,
  size: (bytes: number) => string,
): readonly (readonly [string, string, readonly string[]])[] {
  const { length, selectOnly } = magnet;
  return [
    ['Name', 'name', listOf(magnet.name)],
    ['Infohash', 'infoHash', listOf(magnet.infoHash)],
    ['Infohash v2', 'infoHashV2', listOf(magnet.infoHashV2)],
    ['Public key', 'publicKey', listOf(magnet.publicKey)],
    ['Salt', 'salt', listOf(magnet.salt)],
    ['Size', 'length', length === undefined ? [] : [size(length)]],
    ['Trackers', 'tracker', magnet.trackers],
    ['Web seeds', 'webSeed', magnet.webSeeds],
    ['Peers', 'peer', magnet.peers],
    ['DHT nodes', 'node', magnet.nodes ?? []],
    ['Files', 'selectOnly', selectOnly === undefined ? [] : [selectOnly.join(',')]],
  ];
}

function listOf(value: string | undefined): readonly string[] {
  return value === undefined ? [] : [value];
}
