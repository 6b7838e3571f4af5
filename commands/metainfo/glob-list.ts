/** Globs on paths of a torrent: a list in which the last that matches decides. @module */

import type picomatch from 'picomatch';
import { UsageError } from '../../src/base/errors.ts';

export type Picomatch = typeof picomatch;

/** Folders that a list remembers; most questions are about the folder of the one before. */
const MAX_REMEMBERED = 10_000;

interface Glob {
  /** `!` in front: takes back what ones before say. */
  readonly isNegated: boolean;
  /** A slash at the end. */
  readonly foldersOnly: boolean;
  /** No other slash: it is about names at any depth. */
  readonly byName: boolean;
  readonly test: (text: string) => boolean;
}

/** What of a torrent some globs are about. A folder stands for everything in it. */
export class GlobList {
  readonly #globs: readonly Glob[];
  readonly #lastNegated: number;
  readonly #folders = new Map<string, number>();

  /** @throws {UsageError} for what is no glob; `flag` is named in the sentence. */
  constructor(match: Picomatch, patterns: readonly string[], flag: string) {
    if (patterns[0] !== undefined && isNegation(patterns[0]))
      throw nothingBefore(patterns[0], flag);
    this.#globs = patterns.map((pattern) => parseGlob(match, pattern, flag));
    this.#lastNegated = this.#globs.findLastIndex(({ isNegated }) => isNegated);
  }

  /** True when the last glob that matches the path, or a folder that it lies in, is not negated. */
  has(path: readonly string[], kind: 'file' | 'directory'): boolean {
    return this.#globs[this.#lastMatch(path, kind)]?.isNegated === false;
  }

  /** True when the list has the folder, and nothing in it can be taken back. */
  hasAllOf(folder: readonly string[]): boolean {
    return (
      this.has(folder, 'directory') && this.#lastMatch(folder, 'directory') > this.#lastNegated
    );
  }

  /** Index of the last glob that matches the path or a folder on the way; −1 when none does. */
  #lastMatch(path: readonly string[], kind: 'file' | 'directory'): number {
    if (path.length === 0) return -1;
    if (kind === 'file') return this.#match(path, kind);
    const key = path.join('/');
    const known = this.#folders.get(key);
    if (known !== undefined) return known;
    const index = this.#match(path, kind);
    if (this.#folders.size >= MAX_REMEMBERED) this.#folders.clear();
    this.#folders.set(key, index);
    return index;
  }

  #match(path: readonly string[], kind: 'file' | 'directory'): number {
    const inherited = this.#lastMatch(path.slice(0, -1), 'directory');
    const name = path.at(-1) ?? '';
    const whole = path.join('/');
    for (let index = this.#globs.length - 1; index > inherited; index--) {
      const glob = this.#globs[index];
      if (glob === undefined || (glob.foldersOnly && kind === 'file')) continue;
      if (glob.test(glob.byName ? name : whole)) return index;
    }
    return inherited;
  }
}

function parseGlob(match: Picomatch, pattern: string, flag: string): Glob {
  const isNegated = isNegation(pattern);
  const positive = isNegated ? pattern.slice(1) : pattern;
  const bare = positive.replace(/\/+$/, '');
  const anchored = bare.replace(/^\/+/, '');
  if (anchored === '') throw noGlob(pattern, flag);
  return {
    isNegated,
    foldersOnly: bare !== positive,
    byName: !bare.includes('/'),
    test: compile(match, anchored, { pattern, flag }),
  };
}

/** `!(a|b)` is a glob of its own. */
function isNegation(pattern: string): boolean {
  return /^!(?!\()/.test(pattern);
}

function compile(
  match: Picomatch,
  glob: string,
  { pattern, flag }: { readonly pattern: string; readonly flag: string },
): (text: string) => boolean {
  try {
    // `a/**` is what lies in `a`; hidden files are judged by their own flag.
    const matches = match(glob, { dot: true, nonegate: true, strictSlashes: true, windows: false });
    return (text) => matches(text);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw noGlob(pattern, flag, error);
  }
}

function noGlob(pattern: string, flag: string, cause?: Error): UsageError {
  const why = cause === undefined ? '' : ` (${cause.message})`;
  return new UsageError(
    `${flag}: \`${pattern}\` is no glob${why}; write it like *.txt, docs/** or samples/`,
    { cause },
  );
}

function nothingBefore(pattern: string, flag: string): UsageError {
  return new UsageError(
    `${flag}: \`${pattern}\` takes back what globs before it name, but it is the first; write \\! for a name with an exclamation mark`,
  );
}
