/** The rules of `.gitignore` files, as git reads them. @module */

import type ignore from 'ignore';
import type { IgnoreRules } from '../../src/content/index.ts';

export type MakeIgnore = typeof ignore;

/** Paths that are asked about before what the package remembers of them is dropped. */
const MAX_REMEMBERED = 10_000;

/** The rules of one folder. */
export class GitignoreRules implements IgnoreRules {
  readonly #make: MakeIgnore;
  readonly #text: string;
  /** By folder: the rules, with the folders on the way taken in again. */
  readonly #within = new Map<string, ignore.Ignore>();
  #rules: ignore.Ignore;
  #asked = 0;

  constructor(make: MakeIgnore, text: string) {
    this.#make = make;
    this.#text = text;
    this.#rules = this.#compile();
  }

  verdict(path: readonly string[], kind: 'file' | 'directory'): 'ignored' | 'taken' | undefined {
    if (++this.#asked % MAX_REMEMBERED === 0) this.#forget();
    const folder = path.slice(0, -1);
    const { ignored, unignored } = this.#rulesWithin(folder).test(
      path.join('/') + (kind === 'directory' ? '/' : ''),
    );
    if (ignored) return 'ignored';
    return unignored ? 'taken' : undefined;
  }

  /**
   * The package also ignores everything in a folder that is ignored. Here nothing is asked about in
   * such a folder, unless rules nearer to it took it in again: then only rules for what is in it
   * count.
   */
  #rulesWithin(folder: readonly string[]): ignore.Ignore {
    const key = folder.join('/');
    if (key === '' || !this.#rules.test(`${key}/`).ignored) return this.#rules;
    const known = this.#within.get(key);
    if (known !== undefined) return known;
    const onTheWay = folder.map((_, depth) => `!/${literal(folder.slice(0, depth + 1))}/`);
    const rules = this.#compile().add(onTheWay);
    this.#within.set(key, rules);
    return rules;
  }

  #forget(): void {
    this.#rules = this.#compile();
    this.#within.clear();
  }

  #compile(): ignore.Ignore {
    return this.#make({ ignoreCase: false }).add(this.#text);
  }
}

function literal(path: readonly string[]): string {
  return path.join('/').replace(/[\\*?[\]! #]/g, '\\$&');
}
