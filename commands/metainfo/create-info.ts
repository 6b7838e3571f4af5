/** What a new torrent says besides its files: inside of the info dictionary and beside it. @module */

import { encodeName, formatHex, isPlainName } from '../../src/base/bytes.ts';
import { UsageError } from '../../src/base/errors.ts';
import { type InfoHash, parseInfoHash } from '../../src/base/ids.ts';
import type { BencodeInput } from '../../src/bencode/index.ts';
import type { ExtraKeys, InfoDraft, SurroundingsDraft, Version } from '../../src/metainfo/index.ts';
import type { Context } from '../cli/context.ts';
import { printable } from '../cli/printable.ts';
import { loadTorrent } from '../cli/torrent-argument.ts';
import type { FlagReader } from './create-values.ts';
import {
  type KeyValue,
  parseDate,
  parseNode,
  parseSet,
  parseTier,
  parseWebSeed,
  readMerge,
} from './key-value.ts';
import type { Finding } from './lints.ts';
import type { TrackerRules } from './rules.ts';

/** All of the info dictionary but files, name and piece length. */
export type InfoFlags = Omit<InfoDraft, 'files' | 'name' | 'pieceLength'>;

/** Bytes of random entropy. */
const ENTROPY_BYTES = 16;

/** Keys that are made of the content. */
const MADE_OF_CONTENT: ReadonlySet<string> = new Set([
  'file tree',
  'files',
  'length',
  'meta version',
  'name',
  'name.utf-8',
  'piece length',
  'pieces',
]);

/** Keys of `--merge` and `--set`, by the dictionary that they go into. */
export interface ExtraFlags {
  readonly info: ExtraKeys;
  readonly beside: ExtraKeys;
}

/**
 * `--merge` and `--set`, the latter winning.
 * @throws {UsageError} for keys that are made of the content.
 */
export async function extraOf(flags: FlagReader, context: Context): Promise<ExtraFlags> {
  const merged = await flags.locatedLater('merge', async () => {
    const all: KeyValue[] = [];
    for (const path of flags.list('merge')) all.push(...(await readMerge(context, path)));
    return all;
  });
  const info: Extra = new Map();
  const beside: Extra = new Map();
  for (const { path, value } of [...merged, ...flags.parsedList('set', parseSet)]) {
    const [first = '', ...rest] = path;
    refuseMade(path);
    if (first === 'info') put(info, rest, value);
    else put(beside, path, value);
  }
  return { info, beside };
}

/** @throws {UsageError} for values that are wrong. */
export function surroundingsOf(
  flags: FlagReader,
  extra: ExtraKeys,
  { context, createdBy }: { readonly context: Context; readonly createdBy: string },
): SurroundingsDraft {
  const comment = flags.text('comment');
  const creationDate = dateOf(flags, context);
  return {
    announce: flags.parsedList('tracker', parseTier),
    webSeeds: flags.parsedList('webSeed', parseWebSeed),
    httpSeeds: flags.parsedList('httpSeed', parseWebSeed),
    nodes: flags.parsedList('node', parseNode),
    ...(comment === undefined ? {} : { comment }),
    ...(flags.isOff('createdBy') ? {} : { createdBy: flags.text('createdBy') ?? createdBy }),
    ...(creationDate === undefined ? {} : { creationDate }),
    extra,
  };
}

/** @throws {UsageError} {ProtocolError} {StorageError} for values that are wrong. */
export async function infoOf(
  flags: FlagReader,
  extra: ExtraKeys,
  circumstances: {
    readonly context: Context;
    readonly version: Version;
    readonly rules: TrackerRules | undefined;
  },
): Promise<InfoFlags> {
  const { context, version, rules } = circumstances;
  const similar = await similarOf(flags, context);
  const collections = flags.list('collection');
  const entropy = entropyOf(flags, context);
  return {
    version,
    ...(flags.isOn('align') ? { align: true } : {}),
    ...(flags.isOn('private') ? { private: true } : {}),
    ...sourceOf(flags, rules),
    ...(similar.length === 0 ? {} : { similar }),
    ...(collections.length === 0 ? {} : { collections }),
    ...updateUrlOf(flags),
    extra: entropy === undefined ? extra : new Map([['entropy', entropy], ...extra]),
  };
}

/** `--no-source` wants none, whatever the tracker asks for. */
function sourceOf(flags: FlagReader, rules: TrackerRules | undefined): Pick<InfoFlags, 'source'> {
  const source = flags.text('source') ?? (flags.isOff('source') ? undefined : rules?.source);
  return source === undefined ? {} : { source };
}

/** What is odd about the flags, whatever the content is. */
export function flagFindings(
  info: InfoFlags,
  { announce = [], nodes = [], extra }: SurroundingsDraft,
  rules: TrackerRules | undefined,
): readonly Finding[] {
  const findings: Finding[] = [];
  const hasTracker = announce.length > 0 || extra?.has('announce') === true;
  if (info.private === true && !hasTracker) {
    findings.push({
      lint: 'private-trackerless',
      message: 'a private torrent without a tracker finds no peers; name one by --tracker',
    });
  }
  if (info.private === true && nodes.length > 0) {
    findings.push({
      lint: 'private-nodes',
      message: 'a private torrent asks no DHT nodes; leave out --node',
    });
  }
  return rules === undefined ? findings : [...findings, ...ruleFindings(info, rules)];
}

function ruleFindings(info: InfoFlags, rules: TrackerRules): readonly Finding[] {
  const findings: Finding[] = [];
  const who = printable(rules.names.join(' and '));
  const add = (message: string): void => void findings.push({ lint: 'tracker-rules', message });
  const { versions } = rules;
  if (versions !== undefined && !versions.includes(info.version)) {
    const taken = versions.length === 0 ? 'no version at all' : versions.join(' or ');
    add(`${who} takes ${taken}, not ${info.version}`);
  }
  const isPrivate = info.private === true;
  if (rules.private === true && !isPrivate) add(`${who} takes private torrents; pass --private`);
  if (rules.private === false && isPrivate) {
    add(`${who} takes no private torrents; leave out --private`);
  }
  return findings;
}

function dateOf(flags: FlagReader, { env, runtime }: Context): number | undefined {
  if (flags.isOff('date')) return undefined;
  const now = runtime.wallClock.now();
  const date = flags.parsed('date', (text, flag) => parseDate(text, now, flag));
  if (date !== undefined) return date;
  // https://reproducible-builds.org/specs/source-date-epoch/
  const epoch = env['SOURCE_DATE_EPOCH'] ?? '';
  if (epoch === '') return Math.floor(now / 1000);
  if (/^\d+$/.test(epoch) && Number.isSafeInteger(Number(epoch))) return Number(epoch);
  throw new UsageError(
    `SOURCE_DATE_EPOCH: \`${printable(epoch)}\` is no whole number of seconds since 1970; mend it, or pass --date`,
  );
}

function entropyOf(flags: FlagReader, { runtime }: Context): string | undefined {
  if (flags.isOn('entropy')) return formatHex(runtime.random.bytes(ENTROPY_BYTES));
  return flags.text('entropy');
}

/** Each an infohash, or whatever else names a torrent. */
function similarOf(flags: FlagReader, context: Context): Promise<readonly InfoHash[]> {
  return flags.locatedLater('similar', async () => {
    const hashes: InfoHash[] = [];
    for (const argument of flags.list('similar')) {
      const known = parseInfoHash(argument) ?? (await hashOf(argument, context));
      hashes.push(known);
    }
    return hashes;
  });
}

export async function hashOf(argument: string, context: Context): Promise<InfoHash> {
  const source = await loadTorrent(context, argument, { signal: context.signal });
  const { infoHash, infoHashV2 } = source.type === 'magnet' ? source.magnet : source.metainfo;
  const hash = infoHash ?? infoHashV2;
  if (hash !== undefined) return hash;
  throw new UsageError(`--similar: \`${printable(argument)}\` has no infohash`);
}

function updateUrlOf(flags: FlagReader): Pick<InfoFlags, 'updateUrl'> {
  const updateUrl = flags.parsed('updateUrl', parseUpdateUrl);
  return updateUrl === undefined ? {} : { updateUrl };
}

export function parseUpdateUrl(text: string, flag: string): string {
  if (/^https?:\/\/\S+$/i.test(text) && URL.canParse(text)) return text;
  throw new UsageError(
    `${flag}: \`${printable(text)}\` is no URL; write it like https://example.org/new`,
  );
}

/** A dictionary that grows key by key. */
type Extra = Map<string, BencodeInput | undefined>;

function put(extra: Extra, path: readonly string[], value: BencodeInput | undefined): void {
  const [first = '', ...rest] = path;
  if (!isPlainName(first)) {
    throw new UsageError(
      `the key \`${printable(first)}\` is not UTF-8; \`bip metainfo edit\` can set it`,
    );
  }
  if (rest.length === 0) extra.set(first, value);
  else extra.set(first, withKey(extra.get(first), rest, value));
}

/** A copy with one key more, as deep as `path` says; whatever is no dictionary gives way. */
function withKey(
  before: BencodeInput | undefined,
  [first = '', ...rest]: readonly string[],
  value: BencodeInput | undefined,
): BencodeInput {
  const entries = before instanceof Map ? entriesOf(before) : [];
  const key = encodeName(first);
  const isSame = ([known]: Entry): boolean => formatHex(known) === formatHex(key);
  const others = entries.filter((entry) => !isSame(entry));
  const inner = rest.length === 0 ? value : withKey(entries.find(isSame)?.[1], rest, value);
  return new Map(inner === undefined ? others : [...others, [key, inner]]);
}

type Entry = readonly [Uint8Array, BencodeInput];

function entriesOf(dictionary: ReadonlyMap<string | Uint8Array, BencodeInput>): readonly Entry[] {
  return [...dictionary].map(([key, value]) => [
    typeof key === 'string' ? encodeName(key) : key,
    value,
  ]);
}

function refuseMade(path: readonly string[]): void {
  const [first = '', second = ''] = path;
  const isMade =
    first === 'piece layers' ||
    (first === 'info' && (path.length === 1 || MADE_OF_CONTENT.has(second)));
  if (!isMade) return;
  const hint = second.startsWith('name') ? '; pass --name' : '';
  throw new UsageError(
    `the key \`${path.join('.')}\` is made of the content and cannot be set${hint}`,
  );
}
