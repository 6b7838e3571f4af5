/** From the flags of `metainfo edit` to what is to change in each torrent. @module */

import { formatHex } from '../../src/base/bytes.ts';
import { UsageError } from '../../src/base/errors.ts';
import { type InfoHash, parseInfoHash } from '../../src/base/ids.ts';
import { type KeyEdit, type TorrentEdits, textEdits } from '../../src/metainfo/index.ts';
import type { Context } from '../cli/context.ts';
import { printable } from '../cli/printable.ts';
import { hashOf } from './create-info.ts';
import { contradiction, type EditFlags, overlap, refuseContradictions } from './edit-flags.ts';
import { nodeChange, seedChange, tierChange } from './edit-lists.ts';
import { readMerge } from './key-value.ts';

/** Bytes of random entropy. */
const ENTROPY_BYTES = 16;

/**
 * Reads the flags once for all torrents. What it gives makes the edits of one torrent: random
 * entropy is another for each.
 *
 * @param given names of the flags on the command line
 * @throws {UsageError} for flags that contradict each other.
 * @throws {ProtocolError} {StorageError} for files named by flags that are broken or missing.
 */
export async function planEdits(
  context: Context,
  flags: EditFlags,
  given: ReadonlySet<string>,
): Promise<() => TorrentEdits> {
  const { set = [], unset = [], merge = [], clean = false, name } = flags;
  const merged: KeyEdit[] = [];
  for (const path of merge) merged.push(...(await readMerge(context, path)));
  refuseContradictions(given, [
    ...set.map(({ path }) => ['--set', path] as const),
    ...unset.map((path) => ['--unset', path] as const),
    ...merged.map(({ path }) => ['--merge', path] as const),
  ]);
  refuseBoth(set, unset);
  const similar = await similarOf(context, flags);
  const lists = listChanges(flags);
  const common: readonly KeyEdit[] = [
    ...merged,
    ...set,
    ...unset.map((path) => ({ path, value: undefined })),
    ...besideEdits(flags),
    ...infoEdits(flags),
    ...similar,
  ];
  return () => ({
    keys: [...common, ...entropyEdits(context, flags)],
    ...lists,
    ...(name === undefined ? {} : { name }),
    clean,
  });
}

function refuseBoth(set: readonly KeyEdit[], unset: readonly (readonly string[])[]): void {
  for (const { path } of set) {
    const other = unset.find((taken) => overlap(taken, path));
    if (other === undefined) continue;
    throw contradiction(
      `--set ${printable(path.join('.'))}`,
      `--unset ${printable(other.join('.'))}`,
    );
  }
}

function listChanges(
  flags: EditFlags,
): Pick<TorrentEdits, 'announce' | 'webSeeds' | 'httpSeeds' | 'nodes'> {
  const { tier, replace = [] } = flags;
  const announce = tierChange(
    {
      set: flags.tracker,
      add: flags.addTracker,
      remove: flags.removeTracker,
      none: flags.trackers === false,
      tier,
    },
    replace,
  );
  const webSeeds = seedChange(
    {
      set: flags.webSeed,
      add: flags.addWebSeed,
      remove: flags.removeWebSeed,
      none: flags.webSeeds === false,
    },
    replace,
  );
  const httpSeeds = seedChange(
    {
      set: flags.httpSeed,
      add: flags.addHttpSeed,
      remove: flags.removeHttpSeed,
      none: flags.httpSeeds === false,
    },
    replace,
  );
  const nodes = nodeChange({
    set: flags.node,
    add: flags.addNode,
    remove: flags.removeNode,
    none: flags.nodes === false,
  });
  return {
    ...(announce === undefined ? {} : { announce }),
    ...(webSeeds === undefined ? {} : { webSeeds }),
    ...(httpSeeds === undefined ? {} : { httpSeeds }),
    ...(nodes === undefined ? {} : { nodes }),
  };
}

function besideEdits({ comment, createdBy, date }: EditFlags): readonly KeyEdit[] {
  return [
    ...textOf(['comment'], comment),
    ...textOf(['created by'], createdBy),
    ...(date === undefined
      ? []
      : [{ path: ['creation date'], value: date === false ? undefined : date }]),
  ];
}

function infoEdits(flags: EditFlags): readonly KeyEdit[] {
  const { source, updateUrl, collection } = flags;
  const isPrivate = flags.private;
  return [
    ...textOf(['info', 'source'], source),
    ...textOf(['info', 'update-url'], updateUrl),
    ...(isPrivate === undefined
      ? []
      : [{ path: ['info', 'private'], value: isPrivate ? 1 : undefined }]),
    ...listOf('collections', collection),
  ];
}

/** An empty text says nothing, and so there is none. */
function textOf(path: readonly string[], text: string | false | undefined): readonly KeyEdit[] {
  return text === undefined ? [] : textEdits(path, text || undefined);
}

/** `false` takes the list away, wherever it is (BEP 38 permits it inside and outside). */
function listOf(
  key: 'similar' | 'collections',
  items: readonly (string | Uint8Array)[] | false | undefined,
): readonly KeyEdit[] {
  if (items === undefined) return [];
  if (items !== false) return [{ path: ['info', key], value: items }];
  return [
    { path: ['info', key], value: undefined },
    { path: [key], value: undefined },
  ];
}

async function similarOf(context: Context, { similar }: EditFlags): Promise<readonly KeyEdit[]> {
  if (similar === undefined || similar === false) return listOf('similar', similar);
  const hashes: InfoHash[] = [];
  for (const argument of similar) {
    if (argument === '-') throw new UsageError('--similar: standard input is no torrent to name');
    hashes.push(parseInfoHash(argument) ?? (await hashOf(argument, context)));
  }
  return listOf(
    'similar',
    hashes.map(({ bytes }) => bytes),
  );
}

function entropyEdits({ runtime }: Context, { entropy }: EditFlags): readonly KeyEdit[] {
  if (entropy === undefined) return [];
  const path = ['info', 'entropy'];
  if (entropy !== true) return [{ path, value: entropy || undefined }];
  return [{ path, value: formatHex(runtime.random.bytes(ENTROPY_BYTES)) }];
}
