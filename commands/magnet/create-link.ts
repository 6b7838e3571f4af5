/** From flags and a torrent to a magnet link. @module */

import { type Endpoint, formatEndpoint } from '../../src/base/endpoint.ts';
import { UsageError } from '../../src/base/errors.ts';
import { type Magnet, magnetTiers } from '../../src/magnet/index.ts';
import { magnetOf, trackersOf, withoutSecrets } from '../cli/magnet-of.ts';
import { printable } from '../cli/printable.ts';
import type { TorrentSource } from '../cli/torrent-argument.ts';
import { parseSize } from '../cli/units.ts';
import { parseNode, parseSourceUrl, parseTier, parseWebSeed } from '../metainfo/key-value.ts';
import { selectFiles } from '../metainfo/verify-files.ts';

/** What the flags of the same names say. */
export interface LinkFlags {
  readonly v1?: true;
  readonly v2?: true;
  readonly name?: string | false;
  readonly length?: string | false;
  readonly tracker?: readonly string[];
  readonly trackers: boolean;
  readonly flat?: true;
  readonly webSeed?: readonly string[];
  readonly webSeeds: boolean;
  readonly peer?: readonly string[];
  readonly node?: readonly string[];
  readonly nodes: boolean;
  readonly files?: readonly string[];
  readonly sourceUrl?: readonly string[];
  readonly publicKey?: string;
  readonly salt?: string;
  readonly reveal?: true;
}

/** Flags that make sense. `undefined`: as it is; `false`: none. */
export interface Wishes {
  /** Only this infohash. */
  readonly version: 'v1' | 'v2' | undefined;
  readonly name: string | false | undefined;
  readonly length: number | false | undefined;
  readonly tiers: readonly (readonly string[])[];
  readonly webSeeds: readonly string[];
  readonly peers: readonly Endpoint[];
  readonly nodes: readonly Endpoint[];
  readonly sources: readonly string[];
  readonly files: readonly string[];
  readonly publicKey: string | undefined;
  readonly salt: string | undefined;
  readonly keeps: {
    readonly trackers: boolean;
    readonly tiers: boolean;
    readonly webSeeds: boolean;
    readonly nodes: boolean;
    readonly secrets: boolean;
  };
}

/** @throws {UsageError} for a value that is none, and flags that contradict each other. */
export function readWishes(flags: LinkFlags): Wishes {
  const { length, tracker = [], webSeed = [], peer = [], node = [], sourceUrl = [] } = flags;
  if (flags.name === '')
    throw new UsageError('--name is empty; to leave it out there is --no-name');
  return {
    version: versionOf(flags),
    name: flags.name,
    length: typeof length === 'string' ? parseSize(length, '--length') : length,
    tiers: tracker.map((tier) => parseTier(tier)),
    webSeeds: webSeed.map((url) => parseWebSeed(url)),
    peers: peer.map((text) => parseNode(text, '--peer')),
    nodes: node.map((text) => parseNode(text)),
    sources: sourceUrl.map((url) => parseSourceUrl(url)),
    files: flags.files ?? [],
    publicKey: parseHexFlag(flags.publicKey, '--public-key', /^[0-9a-f]{64}$/i),
    salt: parseHexFlag(flags.salt, '--salt', /^(?:[0-9a-f]{2}){1,64}$/i),
    keeps: {
      trackers: flags.trackers,
      tiers: flags.flat !== true,
      webSeeds: flags.webSeeds,
      nodes: flags.nodes,
      secrets: flags.reveal === true,
    },
  };
}

function versionOf({ v1, v2 }: LinkFlags): Wishes['version'] {
  if (v1 === true && v2 === true) {
    throw new UsageError('--v1 and --v2 contradict each other; for both infohashes leave out both');
  }
  return v1 === true ? 'v1' : v2 === true ? 'v2' : undefined;
}

const HEX_FORMS = {
  '--public-key': 'an ed25519 key has 64 hex digits',
  '--salt': 'a salt is written in hex, two digits a byte, up to 64 bytes',
} as const;

function parseHexFlag(
  text: string | undefined,
  flag: keyof typeof HEX_FORMS,
  form: RegExp,
): string | undefined {
  if (text === undefined || form.test(text)) return text?.toLowerCase();
  throw new UsageError(`${flag}: \`${printable(text)}\` is none; ${HEX_FORMS[flag]}`);
}

/** The link, and the URLs that were left out because of their secrets, masked. */
export interface Link {
  readonly magnet: Magnet;
  readonly withheld: readonly string[];
}

/**
 * The link of `source`; without one, of the key alone.
 *
 * @throws {UsageError} for wishes that this torrent cannot fulfil.
 */
export async function linkOf(source: TorrentSource | undefined, wishes: Wishes): Promise<Link> {
  const selectOnly = await selectionOf(source, wishes.files);
  const kept = keptOf(chosenHash(magnetIn(source), wishes.version), wishes.keeps);
  const { magnet, withheld } = wishes.keeps.secrets
    ? { magnet: kept, withheld: [] }
    : withoutSecrets(kept);
  const whole: Magnet = {
    ...described(magnet, wishes),
    ...trackerPart(magnet, wishes),
    webSeeds: union(magnet.webSeeds, wishes.webSeeds),
    ...someSources(union(magnet.sources ?? [], wishes.sources)),
    peers: unionOfEndpoints(magnet.peers, wishes.peers),
    nodes: unionOfEndpoints(magnet.nodes, wishes.nodes),
    ...(selectOnly === undefined ? {} : { selectOnly }),
  };
  if (whole.salt !== undefined && whole.publicKey === undefined) {
    throw new UsageError('--salt says which torrent of an owner; it needs --public-key');
  }
  return { magnet: whole, withheld };
}

const NOTHING: Magnet = { trackers: [], webSeeds: [], peers: [], nodes: [] };

function magnetIn(source: TorrentSource | undefined): Magnet {
  if (source === undefined) return NOTHING;
  return source.type === 'magnet' ? source.magnet : magnetOf(source.metainfo);
}

function chosenHash(magnet: Magnet, version: Wishes['version']): Magnet {
  if (version === undefined) return magnet;
  const { infoHash, infoHashV2, ...rest } = magnet;
  if (version === 'v1' && infoHash !== undefined) return { ...rest, infoHash };
  if (version === 'v2' && infoHashV2 !== undefined) return { ...rest, infoHashV2 };
  const has =
    infoHash !== undefined
      ? ', only one of v1'
      : infoHashV2 !== undefined
        ? ', only one of v2'
        : '';
  throw new UsageError(`--${version}: there is no infohash of ${version}${has}`);
}

function keptOf(magnet: Magnet, keeps: Wishes['keeps']): Magnet {
  const { tiers, ...rest } = magnet;
  return {
    ...rest,
    ...(keeps.trackers && tiers !== undefined ? { tiers } : {}),
    trackers: keeps.trackers ? magnet.trackers : [],
    webSeeds: keeps.webSeeds ? magnet.webSeeds : [],
    nodes: keeps.nodes ? magnet.nodes : [],
  };
}

/** The magnet but for its trackers, with other words where they are wished. */
function described(magnet: Magnet, wishes: Wishes): Omit<Magnet, 'trackers' | 'tiers'> {
  const { tiers: _, name: knownName, length: knownLength, ...rest } = magnet;
  const name = wished(wishes.name, knownName);
  const length = wished(wishes.length, knownLength);
  const { publicKey = magnet.publicKey, salt = magnet.salt } = wishes;
  return {
    ...rest,
    ...(name === undefined ? {} : { name }),
    ...(length === undefined ? {} : { length }),
    ...(publicKey === undefined ? {} : { publicKey }),
    ...(salt === undefined ? {} : { salt }),
  };
}

function wished<Value>(
  wish: Value | false | undefined,
  known: Value | undefined,
): Value | undefined {
  return wish === false ? undefined : (wish ?? known);
}

/** Those that are there, then a tier for each flag. */
function trackerPart(magnet: Magnet, { tiers, keeps }: Wishes): Pick<Magnet, 'trackers' | 'tiers'> {
  const all = trackersOf([...magnetTiers(magnet), ...tiers]);
  return keeps.tiers ? all : { trackers: all.trackers };
}

function someSources(sources: readonly string[]): Pick<Magnet, 'sources'> {
  return sources.length === 0 ? {} : { sources };
}

function union(known: readonly string[], more: readonly string[]): readonly string[] {
  return [...new Set([...known, ...more])];
}

function unionOfEndpoints(
  known: readonly Endpoint[],
  more: readonly Endpoint[],
): readonly Endpoint[] {
  return [...new Map([...known, ...more].map((one) => [formatEndpoint(one), one])).values()];
}

/** Indices from 0, ascending (BEP 53); those of a link that is edited stay when there is no wish. */
async function selectionOf(
  source: TorrentSource | undefined,
  files: readonly string[],
): Promise<readonly number[] | undefined> {
  if (files.length === 0) return source?.type === 'magnet' ? source.magnet.selectOnly : undefined;
  const indices =
    source?.type === 'metainfo'
      ? await selectFiles(source.metainfo, files)
      : new Set(files.flatMap(numbersOf));
  return [...indices].toSorted((a, b) => a - b);
}

/** Files of one torrent at most, as links may name them. */
const MAX_NUMBER = 1_000_000;

function numbersOf(selection: string): readonly number[] {
  return selection.split(',').flatMap((range) => {
    const match = /^\s*(\d{1,7})(?:\s*-\s*(\d{1,7}))?\s*$/.exec(range);
    const first = Number(match?.[1]);
    const last = Number(match?.[2] ?? match?.[1]);
    if (match === null || first < 1 || last < first || last > MAX_NUMBER) {
      throw new UsageError(
        `--files: \`${printable(range.trim())}\` is no number from 1 to ${MAX_NUMBER} or range of them, and names need the .torrent`,
      );
    }
    return Array.from({ length: last - first + 1 }, (_, at) => first - 1 + at);
  });
}
