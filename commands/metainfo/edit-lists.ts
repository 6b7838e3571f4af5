/** How lists of a torrent change: replaced, added to, taken from, rewritten by regex. @module */

import { type Endpoint, equalEndpoints, formatEndpoint } from '../../src/base/endpoint.ts';
import { UsageError } from '../../src/base/errors.ts';
import { printable } from '../cli/printable.ts';
import { parseTracker, parseWebSeed } from './key-value.ts';

type Tiers = readonly (readonly string[])[];

/** What flags say about one list. All absent: nothing. */
export interface ListFlags<Item> {
  /** Instead of all. */
  readonly set?: readonly Item[] | undefined;
  readonly add?: readonly Item[] | undefined;
  /** Globs, in which `*` stands for anything. */
  readonly remove?: readonly string[] | undefined;
  readonly none: boolean;
}

/** `REGEX=>TEXT`. */
export interface Replacement {
  readonly regex: RegExp;
  /** With `$1`, `$&` and so on, as in JavaScript. */
  readonly text: string;
}

/**
 * `REGEX=>TEXT`, cut at the first `=>`.
 *
 * @throws {UsageError} for what is not like that, and for a broken regex.
 */
export function parseReplacement(argument: string, flag = '--replace'): Replacement {
  const at = argument.indexOf('=>');
  const shown = printable(argument);
  if (at < 1) {
    throw new UsageError(
      `${flag}: \`${shown}\` is not REGEX=>TEXT; write it like '^http://=>https://' or 'old\\.example=>new.example'`,
    );
  }
  try {
    return { regex: new RegExp(argument.slice(0, at), 'g'), text: argument.slice(at + 2) };
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^.*: /s, '') : '';
    throw new UsageError(
      `${flag}: \`${printable(argument.slice(0, at))}\` is no regular expression: ${why.toLowerCase()}`,
      { cause: error },
    );
  }
}

/** What becomes of trackers; `undefined` when flags say nothing about them. */
export function tierChange(
  flags: ListFlags<readonly string[]> & { readonly tier: number | undefined },
  replacements: readonly Replacement[],
): ((tiers: Tiers) => Tiers) | undefined {
  const { set, add, none } = flags;
  if (none || set !== undefined) return () => set ?? [];
  const isKept = remover(flags.remove);
  if (add === undefined && flags.remove === undefined && replacements.length === 0) {
    return undefined;
  }
  return (tiers) => {
    const left = tiers.map((tier) => tier.filter((url) => isKept(url)));
    return added(replaced(left, replacements), add ?? [], flags.tier);
  };
}

/** What becomes of web or HTTP seeds; `undefined` when flags say nothing about them. */
export function seedChange(
  flags: ListFlags<string>,
  replacements: readonly Replacement[],
): ((urls: readonly string[]) => readonly string[]) | undefined {
  const { set, add, none } = flags;
  if (none || set !== undefined) return () => [...new Set(set)];
  if (add === undefined && flags.remove === undefined && replacements.length === 0) {
    return undefined;
  }
  const isKept = remover(flags.remove);
  return (urls) => {
    // `inspect` shows those of folders with a slash at the end, whether it is there or not.
    const left = urls.filter((url) => isKept(url) && isKept(`${url}/`));
    const next = left.map((url) => rewritten(url, replacements, parseWebSeed));
    const known = new Set(next.map(withoutSlash));
    const fresh = (add ?? []).filter((url) => !known.has(withoutSlash(url)));
    return once([...next, ...new Set(fresh)], left);
  };
}

/** What becomes of nodes; `undefined` when flags say nothing about them. */
export function nodeChange(
  flags: ListFlags<Endpoint>,
): ((nodes: readonly Endpoint[]) => readonly Endpoint[]) | undefined {
  const { set, add = [], none } = flags;
  if (none || set !== undefined) return () => distinct([], set ?? []);
  if (flags.add === undefined && flags.remove === undefined) return undefined;
  const isKept = remover(flags.remove);
  return (nodes) =>
    distinct(
      nodes.filter((node) => isKept(formatEndpoint(node))),
      add,
    );
}

function distinct(before: readonly Endpoint[], more: readonly Endpoint[]): readonly Endpoint[] {
  const all = [...before];
  for (const node of more) {
    if (!all.some((known) => equalEndpoints(known, node))) all.push(node);
  }
  return all;
}

/** True for what no glob matches. */
function remover(globs: readonly string[] = []): (text: string) => boolean {
  const patterns = globs.map((glob) => {
    const parts = glob.split('*').map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'));
    return new RegExp(`^${parts.join('.*')}$`, 's');
  });
  return (text) => !patterns.some((pattern) => pattern.test(text));
}

/** `tier` counts from 1; beyond the last, and without it, there is a new one. */
function added(tiers: Tiers, add: Tiers, tier: number | undefined): Tiers {
  const filled = tiers.filter((urls) => urls.length > 0);
  const known = new Set(filled.flat());
  const fresh = add.map((urls) => {
    const news = urls.filter((url) => !known.has(url));
    for (const url of news) known.add(url);
    return news;
  });
  if (tier === undefined) return [...filled, ...fresh];
  const at = Math.min(tier - 1, filled.length);
  return [
    ...filled.slice(0, at),
    [...(filled[at] ?? []), ...fresh.flat()],
    ...filled.slice(at + 1),
  ];
}

function replaced(tiers: Tiers, replacements: readonly Replacement[]): Tiers {
  const next = tiers.map((tier) => tier.map((url) => rewritten(url, replacements, parseTracker)));
  const urls = once(next.flat(), tiers.flat());
  // Only when two became one is the first to stay.
  if (urls.length === next.flat().length) return next;
  const left = new Set(urls);
  return next.map((tier) => tier.filter((url) => left.delete(url)));
}

/** `next` without doubles, unless `before` had some itself. */
function once(next: readonly string[], before: readonly string[]): readonly string[] {
  return new Set(before).size < before.length ? next : [...new Set(next)];
}

/** The result is judged when it is another one. */
function rewritten(
  url: string,
  replacements: readonly Replacement[],
  parse: (text: string, flag: string) => string,
): string {
  let next = url;
  for (const { regex, text } of replacements) next = next.replace(regex, text);
  return next === url ? url : parse(next, '--replace');
}

function withoutSlash(url: string): string {
  return url.replace(/\/$/, '');
}
