/** Which files `metainfo create` takes, and in which order: from flags to options of a scan. @module */

import { UsageError } from '../../src/base/errors.ts';
import {
  type ScanFilter,
  type ScanOptions,
  SORT_FIELDS,
  type SortKey,
} from '../../src/content/index.ts';
import { GlobList } from './glob-list.ts';
import { GitignoreRules } from './ignore-rules.ts';

/** Later ones are stronger. */
const IGNORE_FILES = ['.gitignore', '.ignore'] as const;

/** What the flags of the same names say. */
export interface SelectionFlags {
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly includeRegex?: readonly string[];
  readonly excludeRegex?: readonly string[];
  readonly gitignore?: boolean;
}

/** For the help of commands that have these flags. */
export const SELECTION_HELP = `
Globs are case-sensitive. One without a slash is about names at any depth (*.txt), others about paths
below the torrent's folder (docs/**); one with a slash at its end is about folders. A folder stands
for all that is in it. With --include only what it matches is taken; what --exclude matches is left
out in any case. Of several globs of one flag the last that matches decides, and one that begins
with ! takes back: --exclude '*.txt' --exclude '!readme.txt'. Regular expressions are searched for in
the paths of files. --gitignore reads the .gitignore and .ignore files of all folders, as git does.`;

/**
 * The part of the options of a scan that the flags decide.
 *
 * @throws {UsageError} for what is no glob or regular expression.
 */
export async function selectionOf(
  flags: SelectionFlags,
): Promise<Pick<ScanOptions, 'filter' | 'ignoreFiles' | 'makeIgnore'>> {
  const filters = [
    ...(await includeFilter(flags)),
    ...(await excludeFilter(flags)),
    ...(flags.gitignore === true ? [withoutGit] : []),
  ];
  return {
    ...(filters.length === 0 ? {} : { filter: firstOf(filters) }),
    ...(flags.gitignore === true ? await gitignore() : {}),
  };
}

/**
 * Keys of `--sort`: `size:descending`, `path`; several in one text are separated by commas.
 *
 * @throws {UsageError} for anything else.
 */
export function parseSortKeys(text: string, flag = '--sort'): readonly SortKey[] {
  return text.split(',').map((key) => parseSortKey(key.trim(), flag));
}

function parseSortKey(text: string, flag: string): SortKey {
  const [field = '', order = 'ascending', ...rest] = text.toLowerCase().split(':');
  const by = SORT_FIELDS.find((known) => known === field);
  const direction = DIRECTIONS.get(order);
  if (by !== undefined && direction !== undefined && rest.length === 0) {
    return { by, order: direction };
  }
  throw new UsageError(
    `${flag}: \`${text}\` is no order of files; write ${SORT_FIELDS.join(', ')}, with :ascending or :descending behind it`,
  );
}

const DIRECTIONS: ReadonlyMap<string, SortKey['order']> = new Map([
  ['ascending', 'ascending'],
  ['asc', 'ascending'],
  ['descending', 'descending'],
  ['desc', 'descending'],
]);

/** What is not named is left out; folders are looked into. */
async function includeFilter(flags: SelectionFlags): Promise<readonly ScanFilter[]> {
  const { include = [], includeRegex = [] } = flags;
  if (include.length === 0 && includeRegex.length === 0) return [];
  const globs = await globList(include, '--include');
  const patterns = patternsOf(includeRegex, '--include-regex');
  return [
    (path, kind) => {
      const isTaken =
        kind === 'directory' || globs?.has(path, kind) === true || isFound(patterns, path);
      return isTaken ? undefined : 'excluded';
    },
  ];
}

/** A folder is left out whole when nothing in it can be taken back. */
async function excludeFilter(flags: SelectionFlags): Promise<readonly ScanFilter[]> {
  const { exclude = [], excludeRegex = [] } = flags;
  if (exclude.length === 0 && excludeRegex.length === 0) return [];
  const globs = await globList(exclude, '--exclude');
  const patterns = patternsOf(excludeRegex, '--exclude-regex');
  return [
    (path, kind) => {
      const isLeftOut =
        kind === 'directory'
          ? globs?.hasAllOf(path) === true
          : globs?.has(path, kind) === true || isFound(patterns, path);
      return isLeftOut ? 'excluded' : undefined;
    },
  ];
}

/** The package is loaded only when there is a glob. */
async function globList(patterns: readonly string[], flag: string): Promise<GlobList | undefined> {
  if (patterns.length === 0) return undefined;
  const { default: match } = await import('picomatch');
  return new GlobList(match, patterns, flag);
}

function patternsOf(texts: readonly string[], flag: string): readonly RegExp[] {
  return texts.map((text) => {
    try {
      return new RegExp(text, 'u');
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw new UsageError(`${flag}: \`${text}\` is no regular expression: ${error.message}`, {
        cause: error,
      });
    }
  });
}

function isFound(patterns: readonly RegExp[], path: readonly string[]): boolean {
  if (patterns.length === 0) return false;
  const text = path.join('/');
  return patterns.some((pattern) => pattern.test(text));
}

function firstOf(filters: readonly ScanFilter[]): ScanFilter {
  return (path, kind) => {
    for (const filter of filters) {
      const why = filter(path, kind);
      if (why !== undefined) return why;
    }
    return undefined;
  };
}

/** Git's own folder is no content, whatever its rules say. */
function withoutGit(path: readonly string[]): 'ignored' | undefined {
  return path.at(-1) === '.git' ? 'ignored' : undefined;
}

async function gitignore(): Promise<Pick<ScanOptions, 'ignoreFiles' | 'makeIgnore'>> {
  const { default: make } = await import('ignore');
  return {
    ignoreFiles: IGNORE_FILES,
    makeIgnore: (text) => new GitignoreRules(make, text),
  };
}
