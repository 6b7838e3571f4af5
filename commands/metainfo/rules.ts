/**
 * What trackers ask of torrents, as a file of rules by the host of the announce URL: data of the
 * user's, because trackers change their minds.
 *
 * @module
 */

import { UsageError } from '../../src/base/errors.ts';
import type { Version } from '../../src/metainfo/index.ts';
import type { Context } from '../cli/context.ts';
import {
  type DataKind,
  type DataPath,
  malformed,
  readDataFile,
  showPlace,
} from '../cli/data-file.ts';
import { parseSize } from '../cli/units.ts';
import rulesSchema from '../schemas/tracker-rules.schema.json' with { type: 'json' };

/** One row: content up to `maxSize` has pieces of `pieceLength`. Bytes. */
export interface PieceLengthRow {
  readonly maxSize: number;
  readonly pieceLength: number;
}

/** What trackers ask for; where several do, all of it. Sizes in bytes. */
export interface TrackerRules {
  /** Who asks, for sentences. */
  readonly names: readonly string[];
  readonly minPieceLength?: number;
  readonly maxPieceLength?: number;
  /** Smallest first. */
  readonly pieceLengths?: readonly PieceLengthRow[];
  readonly maxTorrentSize?: number;
  readonly source?: string;
  readonly private?: boolean;
  readonly versions?: readonly Version[];
}

/** As people write it: bytes, or text with a unit. */
type Size = number | string;

/** As the schema lets it pass. */
interface Document {
  readonly trackers: readonly Entry[];
}

interface Entry {
  readonly hosts: readonly string[];
  readonly name?: string;
  readonly minPieceLength?: Size;
  readonly maxPieceLength?: Size;
  readonly pieceLengths?: readonly { readonly maxSize?: Size; readonly pieceLength: Size }[];
  readonly maxTorrentSize?: Size;
  readonly source?: string;
  readonly private?: boolean;
  readonly versions?: readonly Version[];
}

const KIND: DataKind<Document> = {
  what: 'tracker rules',
  code: 'BIP_RULES',
  schema: rulesSchema,
};

/**
 * The rules of the file at `path` for the trackers with these announce URLs; `undefined` when none
 * of them is in the file.
 *
 * @throws {ProtocolError} `BIP_RULES` for a file that is broken, or whose rows are out of order.
 */
export async function loadRules(
  context: Context,
  path: string,
  announce: readonly string[],
): Promise<TrackerRules | undefined> {
  const { trackers } = await readDataFile(context, path, KIND);
  // All are read, so that a mistake shows whatever the trackers are.
  const all = trackers.map((entry, at) => ({ entry, rules: readEntry(path, entry, at) }));
  const hosts = announce.map(hostOf);
  const asking = all.filter(({ entry }) =>
    hosts.some((host) => entry.hosts.some((rule) => isWithin(host, rule.toLowerCase()))),
  );
  return asking.length === 0 ? undefined : asking.map(({ rules }) => rules).reduce(joined);
}

/** What the table of `rules` says for `totalBytes`; `undefined` when it says nothing. */
export function ruledPieceLength(rules: TrackerRules, totalBytes: number): number | undefined {
  return rules.pieceLengths?.find(({ maxSize }) => totalBytes <= maxSize)?.pieceLength;
}

function readEntry(path: string, entry: Entry, at: number): TrackerRules {
  const place = ['trackers', at];
  const { hosts, name, source, versions, pieceLengths = [] } = entry;
  const size = (
    key: 'minPieceLength' | 'maxPieceLength' | 'maxTorrentSize',
  ): { [Key in typeof key]?: number } => {
    const value = entry[key];
    return value === undefined ? {} : { [key]: readSize(path, value, [...place, key]) };
  };
  return {
    names: [name ?? hosts[0] ?? ''],
    ...size('minPieceLength'),
    ...size('maxPieceLength'),
    ...size('maxTorrentSize'),
    ...(source === undefined ? {} : { source }),
    ...(entry.private === undefined ? {} : { private: entry.private }),
    ...(versions === undefined ? {} : { versions }),
    ...(pieceLengths.length === 0
      ? {}
      : { pieceLengths: readRows(path, pieceLengths, [...place, 'pieceLengths']) }),
  };
}

function readRows(
  path: string,
  entries: NonNullable<Entry['pieceLengths']>,
  place: DataPath,
): readonly PieceLengthRow[] {
  let before = 0;
  return entries.map(({ maxSize, pieceLength }, at) => {
    const where = [...place, at];
    const row = {
      maxSize:
        maxSize === undefined
          ? Number.POSITIVE_INFINITY
          : readSize(path, maxSize, [...where, 'maxSize']),
      pieceLength: readSize(path, pieceLength, [...where, 'pieceLength']),
    };
    if (row.maxSize <= before) {
      const what = `\`${showPlace(where)}\` is not above the row before it`;
      throw malformed(path, KIND, `${what}; put the smallest first`);
    }
    before = row.maxSize;
    return row;
  });
}

function readSize(path: string, size: Size, place: DataPath): number {
  try {
    return parseSize(String(size), showPlace(place));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw malformed(path, KIND, error.message);
  }
}

/** The strictest of both; the first source and table stay. */
function joined(one: TrackerRules, other: TrackerRules): TrackerRules {
  const { maxPieceLength, maxTorrentSize, minPieceLength } = one;
  const max = least(maxPieceLength, other.maxPieceLength);
  const torrent = least(maxTorrentSize, other.maxTorrentSize);
  const min = Math.max(minPieceLength ?? 0, other.minPieceLength ?? 0);
  const versions = one.versions?.filter((version) => other.versions?.includes(version) ?? true);
  return {
    ...other,
    ...one,
    names: [...new Set([...one.names, ...other.names])],
    ...(min === 0 ? {} : { minPieceLength: min }),
    ...(max === undefined ? {} : { maxPieceLength: max }),
    ...(torrent === undefined ? {} : { maxTorrentSize: torrent }),
    ...(versions === undefined ? {} : { versions }),
  };
}

function least(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}

function isWithin(host: string | undefined, rule: string): boolean {
  return host === rule || host?.endsWith(`.${rule}`) === true;
}

function hostOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).hostname.toLowerCase() : undefined;
}
