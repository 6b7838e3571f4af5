/** What is odd about a torrent that is to be made: refused unless allowed, or only said. @module */

import { UsageError } from '../../src/base/errors.ts';
import { suggestion } from '../cli/suggest.ts';

/** Odd enough to refuse: `--allow NAME` lets it pass. */
const REFUSED = {
  'private-trackerless': 'private, and without a tracker: nobody would find a peer',
  'private-nodes': 'private, and with DHT nodes that private torrents never ask',
  'small-piece-length': 'pieces below 16 KiB, which clients refuse',
  'uneven-piece-length': 'a piece length that is no power of two, which some clients refuse',
  'torrent-as-content': 'the content is a .torrent itself',
  'tracker-rules': 'not what the tracker asks for (--rules)',
  'name-not-utf-8': 'names that are not UTF-8: clients look for other files than those here',
  'name-changes': 'names that clients do not write as they are, for safety',
} as const;

/** Odd, but common: a warning, which `--allow NAME` silences. */
const WARNED = {
  'path-clash': 'paths that differ in case or composition only: one file on many systems',
  'name-not-portable': 'names that Windows cannot write',
  'large-piece-length': 'pieces above 16 MiB, which some clients refuse',
  'many-pieces': 'so many pieces that magnet links open slowly',
} as const;

export type LintName = keyof typeof REFUSED | keyof typeof WARNED;

/** One thing that is odd. */
export interface Finding {
  readonly lint: LintName;
  /** One sentence, without the flag that helps. */
  readonly message: string;
}

/** For the help. */
export const LINT_HELP: string = [
  '',
  'Lints that refuse, unless there is --allow NAME:',
  ...rows(REFUSED),
  'Lints that warn, unless there is --allow NAME:',
  ...rows(WARNED),
].join('\n');

/** @throws {UsageError} for a name that no lint has. */
export function parseLint(text: string, flag: string): LintName {
  if (isLint(text)) return text;
  const names = [...Object.keys(REFUSED), ...Object.keys(WARNED)];
  const hint = suggestion(text, names) || `; there are ${names.join(', ')}`;
  throw new UsageError(`${flag}: \`${text}\` is no lint${hint}`);
}

/**
 * The findings that are only worth a warning, those that are allowed left out.
 * @throws {UsageError} `BIP_LINT` for the first that refuses and is not allowed.
 */
export function judgeFindings(
  findings: readonly Finding[],
  allow: ReadonlySet<LintName>,
): readonly Finding[] {
  const open = findings.filter(({ lint }) => !allow.has(lint));
  const refused = open.find(({ lint }) => lint in REFUSED);
  if (refused === undefined) return open;
  const { lint, message } = refused;
  throw new UsageError(`${message}; pass --allow ${lint} if that is meant`, { code: 'BIP_LINT' });
}

function isLint(text: string): text is LintName {
  return Object.hasOwn(REFUSED, text) || Object.hasOwn(WARNED, text);
}

function rows(table: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(table).map(([name, about]) => `  ${name.padEnd(20)}  ${about}`);
}
