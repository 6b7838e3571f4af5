/** What one torrent is to be: all flags read and judged, nothing of the content looked at. @module */

import { UsageError } from '../../src/base/errors.ts';
import type { ScanOptions } from '../../src/content/index.ts';
import type { SurroundingsDraft, Version } from '../../src/metainfo/index.ts';
import type { DigestAlgorithm, ReadOrder } from '../../src/runtime/ports.ts';
import type { Context } from '../cli/context.ts';
import { parseSize, parseWhole } from '../cli/units.ts';
import { type FlagName, longFlag } from './create-flags.ts';
import { extraOf, flagFindings, type InfoFlags, infoOf, surroundingsOf } from './create-info.ts';
import { checkPieceLength, type PieceWish, parsePieceLength } from './create-pieces.ts';
import { FlagReader } from './create-values.ts';
import { type Finding, type LintName, parseLint } from './lints.ts';
import type { Layered } from './presets.ts';
import { loadRules, type TrackerRules } from './rules.ts';
import { parseSortKeys, selectionOf } from './selection.ts';

/** A torrent to make. */
export interface CreateSettings {
  readonly inputs: readonly string[];
  readonly version: Version;
  readonly name: string | undefined;
  readonly scan: Omit<ScanOptions, 'inputs' | 'name' | 'signal'>;
  readonly info: InfoFlags;
  readonly surroundings: SurroundingsDraft;
  readonly pieces: PieceWish;
  readonly maxTorrentSize: number | undefined;
  readonly rules: TrackerRules | undefined;
  readonly allow: ReadonlySet<LintName>;
  /** What is odd about the flags themselves. */
  readonly findings: readonly Finding[];
  readonly reuse: readonly string[];
  readonly checksums: readonly DigestAlgorithm[];
  readonly threads: number | undefined;
  readonly readOrder: ReadOrder;
  readonly output: string | undefined;
  readonly force: boolean;
  readonly magnet: boolean;
  readonly reveal: boolean;
}

/** What flags alone do not say. */
export interface Circumstances {
  readonly context: Context;
  /** `bip/1.2.3`. */
  readonly createdBy: string;
}

/** Content from standard input is hashed as it comes, and nothing is known of it before. */
const NOT_FOR_STREAMS: readonly FlagName[] = [
  'pieceCount',
  'maxTorrentSize',
  'reuse',
  'checksum',
  'sort',
  'align',
  'include',
  'exclude',
  'includeRegex',
  'excludeRegex',
];

const MAX_THREADS = 1024;

const CHECKSUMS = ['md5', 'sha1', 'sha256'] as const;

/**
 * Reads the flags of one torrent.
 *
 * @throws {UsageError} for values that are wrong or contradict each other.
 * @throws {ProtocolError} {StorageError} for files named by flags that are broken or missing.
 */
export async function readSettings(
  inputs: readonly string[],
  layered: Layered,
  circumstances: Circumstances,
): Promise<CreateSettings> {
  const { context } = circumstances;
  const flags = new FlagReader(layered);
  const version = versionOf(flags);
  checkInputs(inputs, flags);
  const extra = await extraOf(flags, context);
  const surroundings = surroundingsOf(flags, extra.beside, circumstances);
  const announce = surroundings.announce ?? [];
  const rules = await flags.locatedLater('rules', async () => {
    const path = flags.text('rules');
    return path === undefined ? undefined : loadRules(context, path, announce.flat());
  });
  const info = await infoOf(flags, extra.info, { context, version, rules });
  return {
    inputs,
    version,
    name: flags.text('name'),
    scan: await scanOf(flags),
    info,
    surroundings,
    pieces: pieceWish(flags, version),
    maxTorrentSize: flags.parsed('maxTorrentSize', parseSize),
    rules,
    allow: new Set(flags.parsedList('allow', parseLint)),
    findings: flagFindings(info, surroundings, rules),
    reuse: flags.list('reuse'),
    checksums: [...new Set(flags.parsedList('checksum', parseChecksum))],
    threads: flags.parsed('threads', (text, flag) => parseWhole(text, flag, 1, MAX_THREADS)),
    readOrder: flags.choice('readOrder', ['auto', 'sequential', 'parallel']) ?? 'auto',
    output: flags.text('output'),
    force: flags.isOn('force'),
    magnet: flags.isOn('magnet'),
    reveal: flags.isOn('reveal'),
  };
}

function versionOf(flags: FlagReader): Version {
  const version = flags.isOn('v1') ? 'v1' : flags.isOn('v2') ? 'v2' : 'hybrid';
  if (version === 'v1') return version;
  if (flags.isOn('align')) {
    throw new UsageError(
      `--align is for --v1: files of ${version} torrents begin with a piece always`,
    );
  }
  if (flags.has('sort')) {
    throw new UsageError(`--sort is for --v1: the order of files in ${version} torrents is fixed`);
  }
  return version;
}

function checkInputs(inputs: readonly string[], flags: FlagReader): void {
  if (inputs.length === 0) throw new UsageError('there is nothing to share: name a PATH');
  if (flags.isOn('magnet') && flags.text('output') === '-') {
    throw new UsageError(
      '--magnet and --output - contradict each other: stdout is for one of them',
    );
  }
  if (!inputs.includes('-')) return;
  if (inputs.length > 1) {
    throw new UsageError('standard input (-) is one file and cannot be shared with others');
  }
  if (!flags.has('name')) {
    throw new UsageError('standard input has no name: pass --name (./- means a file called -)');
  }
  const wrong = NOT_FOR_STREAMS.find((name) => flags.has(name));
  if (wrong === undefined) return;
  throw new UsageError(`${longFlag(wrong)} is not for standard input, whose length nobody knows`);
}

async function scanOf(flags: FlagReader): Promise<CreateSettings['scan']> {
  const selection = await selectionOf({
    include: flags.list('include'),
    exclude: flags.list('exclude'),
    includeRegex: flags.list('includeRegex'),
    excludeRegex: flags.list('excludeRegex'),
    gitignore: flags.isOn('gitignore'),
  });
  const sort = flags.parsedList('sort', parseSortKeys).flat();
  return {
    symlinks: flags.choice('symlinks', ['follow', 'keep', 'skip']) ?? 'follow',
    hidden: flags.isOn('hidden'),
    junk: flags.isOn('junk'),
    ...selection,
    ...(sort.length === 0 ? {} : { sort }),
  };
}

function parseChecksum(text: string, flag: string): DigestAlgorithm {
  const known = CHECKSUMS.find((algorithm) => algorithm === text.toLowerCase());
  if (known !== undefined) return known;
  throw new UsageError(`${flag}: \`${text}\` is none of ${CHECKSUMS.join(', ')}`);
}

function pieceWish(flags: FlagReader, version: Version): PieceWish {
  const length = flags.parsed('pieceLength', (text, flag) => {
    const bytes = parsePieceLength(text, flag);
    checkPieceLength(bytes, version, flag);
    return bytes;
  });
  if (length !== undefined) return { type: 'length', length };
  const count = flags.parsed('pieceCount', (text, flag) => parseWhole(text, flag, 1, 2 ** 31));
  return count === undefined ? { type: 'automatic' } : { type: 'count', count };
}
